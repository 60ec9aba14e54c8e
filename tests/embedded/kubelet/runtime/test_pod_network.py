"""Where pods listen."""

import random
import socket
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.runtime.pod_network import PodNetwork


def test_pods_have_different_addresses_and_the_same_port(tmp_path: Path) -> None:
    """In 127.A.B.0/24, never in 127.0.x.x, and the loopback address is another one."""
    network = PodNetwork(tmp_path, mode="addresses")
    one, two = network.attach("u1", [5000]), network.attach("u2", [5000])
    assert one.ip != two.ip
    assert one.ip.split(".")[:3] == two.ip.split(".")[:3]
    assert one.ip.split(".")[1] != "0"
    assert one.loopback not in (one.ip, two.ip)
    assert network.resolve(one.ip, "u1", 5000) == (one.ip, 5000)


def test_a_cluster_keeps_its_range(tmp_path: Path) -> None:
    """A and B are drawn once, and remembered."""
    first = PodNetwork(tmp_path, random.Random(1), mode="addresses").attach("u", [])
    again = PodNetwork(tmp_path, random.Random(2), mode="addresses").attach("u", [])
    assert first == again


def test_an_address_does_not_come_back_at_once(tmp_path: Path) -> None:
    """A new pod does not get the address of one that has just gone."""
    network = PodNetwork(tmp_path, mode="addresses")
    old = network.attach("u1", [])
    network.detach("u1")
    assert network.attach("u2", []).ip != old.ip


def test_a_full_range_is_an_error(tmp_path: Path) -> None:
    """253 pods have an address, the next has none; once one goes there is room again."""
    network = PodNetwork(tmp_path, mode="addresses")
    ips = {network.attach(f"u{number}", []).ip for number in range(253)}
    assert len(ips) == 253
    with pytest.raises(OSError, match="no address is left"):
        network.attach("one-more", [])
    network.detach("u7")
    assert network.attach("one-more", []).ip in ips


def test_a_port_that_a_foreign_program_holds_is_mapped(tmp_path: Path) -> None:
    """It listens on 0.0.0.0, so no address of this machine has that port left."""
    network = PodNetwork(tmp_path, mode="addresses")
    with socket.socket() as foreign:
        foreign.bind(("0.0.0.0", 0))
        foreign.listen()
        taken = foreign.getsockname()[1]
        address = network.attach("u1", [taken, 5000])
        host, port = network.resolve(address.ip, "u1", taken)
    assert (host, port) == (address.ip, address.ports[taken])
    assert port != taken
    assert network.resolve(address.ip, "u1", 5000) == (address.ip, 5000)


def test_ports_differ_where_the_address_is_shared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FLASHSALE_POD_NETWORK=ports does on Linux what macOS needs."""
    monkeypatch.setenv("FLASHSALE_POD_NETWORK", "ports")
    network = PodNetwork(tmp_path)
    addresses = [network.attach(uid, [5000, 8080]) for uid in ("u1", "u2")]
    real = [
        port
        for address in addresses
        for port in (*address.ports.values(), *address.private.values())
    ]
    assert {address.ip for address in addresses} == {"127.0.0.1"}
    assert len(set(real)) == 8
    assert network.resolve("127.0.0.1", "u2", 8080) == ("127.0.0.1", addresses[1].ports[8080])


def test_an_unknown_pod_is_where_it_says(tmp_path: Path) -> None:
    """Nothing is mapped for a pod that is not attached."""
    assert PodNetwork(tmp_path).resolve("127.3.4.5", "nobody", 80) == ("127.3.4.5", 80)
