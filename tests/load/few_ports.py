"""Run in a network namespace of its own: 30 buyers, and only four ephemeral ports for them."""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path

from flashsale.load.worker.client import Client
from flashsale.load.worker.counts import Tally
from flashsale.load.worker.orders import LoadTarget

SIOCSIFFLAGS, IFF_UP = 0x8914, 1
PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")


def main() -> None:
    """Print what was sent, lost, and not sent for want of a port."""
    with socket.socket() as listener:
        fcntl.ioctl(listener, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
        PORTS.write_text("40000 40003")
        listener.bind(("127.0.0.1", 30080))
        listener.listen(100)
        tally = Tally()
        target = LoadTarget("127.0.0.1", 30080, "127.0.0.1")
        with Client(target, tally, float, keepalive=False, timeout=1) as client:
            for number in range(30):
                client.buy(number, 0.0)
    counts = tally.take()
    print(f"sent={counts['sent']} lost={sum(counts['errors'].values())}", end=" ")
    print(f"ports={counts['unsent'].get('ports', 0)}")


if __name__ == "__main__":
    main()
