"""Where a crowd inside the cluster may send, and where there can be none."""

from __future__ import annotations

import pytest

from flashsale.base.errors import BadInputError
from flashsale.cli.options.crowd_options import typed_target
from flashsale.load.target import LoadRefusedError
from tests.command import Flashsale


@pytest.mark.parametrize(
    "host", ["flashsale-svc", "flashsale-svc.shop.svc", "a.b.svc.cluster.local"]
)
def test_names_of_the_cluster_are_looked_up_there(host: str) -> None:
    """No name server of this machine knows them."""
    assert typed_target(f"http://{host}:8080", allow_remote=False).address == host


def test_the_address_of_a_node_may_be_used() -> None:
    """So that purchases take the way of a node port."""
    assert typed_target("http://10.0.0.7:30080", allow_remote=False).port == 30080


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_each_pods_own(host: str) -> None:
    """The address that works from here leads nowhere there."""
    with pytest.raises(BadInputError, match="own loopback"):
        typed_target(f"http://{host}:30080", allow_remote=False)


def test_somebody_elses_server_is_refused_from_there_too() -> None:
    """As it is from here."""
    with pytest.raises(LoadRefusedError):
        typed_target("http://203.0.113.7", allow_remote=False)


@pytest.mark.parametrize("command", ["load", "drill"])
def test_the_embedded_cluster_is_this_machine(open_sale: Flashsale, command: str) -> None:
    """One sentence says so, and what to type instead; nothing is sent."""
    ran = open_sale(command, "--in-cluster")
    assert ran.code == 2
    assert "The embedded cluster runs no Jobs: it is this machine" in ran.err
    assert f"Hint: flashsale {command}  # sends from this machine" in ran.err
