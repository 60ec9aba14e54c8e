"""Whether somebody accepts connections at an address."""

from __future__ import annotations

import asyncio
from enum import Enum, auto


class ProbeResult(Enum):
    """What becomes of an attempt to connect."""

    OPEN = auto()
    REFUSED = auto()  # the machine is there, and nobody listens
    SILENT = auto()


async def tcp_probe(host: str, port: int, timeout: float) -> ProbeResult:
    """Try to connect for `timeout` seconds."""
    try:
        async with asyncio.timeout(timeout):
            _, writer = await asyncio.open_connection(host, port)
    except ConnectionRefusedError:
        return ProbeResult.REFUSED
    except (OSError, TimeoutError):
        return ProbeResult.SILENT
    writer.close()
    return ProbeResult.OPEN
