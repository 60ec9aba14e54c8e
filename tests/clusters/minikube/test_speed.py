"""`minikube status` takes 14 s with a wrong entry in the kubeconfig: it is asked once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.select import ClusterOptions
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.doctor import examine
from flashsale.sale.session import connect_to_sale
from tests.clusters.minikube.double_world import World
from tests.command import Flashsale


@pytest.fixture
def home(world: World) -> Path:
    """A sale on the profile `shop`, whose entry in the kubeconfig is lost."""
    SaleStore(world.home / "home").write(SaleRecord("minikube", "shop", profile="shop"))
    world.has(driver="none")
    world.replays(status="kubeconfig-lost-none/status")
    return world.home / "home"


def status_calls(world: World) -> int:
    """How often `status` was called."""
    return sum(words[0] == "status" for words in world.calls())


async def test_doctor_asks_for_the_status_once(world: World, home: Path) -> None:
    """For its own line, for the sale and for what `up` would choose."""
    by_name = {one.name: one for one in await examine.examine(ClusterOptions(), home)}
    assert "its entry in the kubeconfig is missing or wrong" in by_name["minikube"].text
    assert "its entry in the kubeconfig is missing or wrong" in by_name["sale"].text
    assert "the minikube profile 'shop'" in by_name["up"].text
    assert status_calls(world) == 1


async def test_doctor_has_no_patience_for_a_slow_status(
    world: World, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it can see by itself is why minikube takes so long."""
    monkeypatch.setattr(examine, "SLOW", 1.5)
    world.set(slow=60)
    by_name = {one.name: one for one in await examine.examine(ClusterOptions(), home)}
    assert by_name["minikube"].grade == "problem"
    assert "in time; the kubeconfig has no entry for it" in by_name["minikube"].text
    assert by_name["minikube"].hint == "minikube update-context -p shop"
    assert status_calls(world) == 1


async def test_status_asks_once_why_the_sale_cannot_be_reached(world: World, home: Path) -> None:
    """With the entry lost, and with one that leads nowhere."""
    with pytest.raises(ClusterUnreachableError, match="missing or wrong"):
        async with connect_to_sale(ClusterOptions(), None):
            pass
    assert status_calls(world) == 1


def test_long_question_is_announced_after_a_second(world: World, home: Path) -> None:
    """Silence of 14 s looks like a program that hangs."""
    world.set(slow=1.5)
    path = f"{world.home / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}/usr/bin:/bin"
    settings = {name: os.environ[name] for name in ("MINIKUBE_DOUBLE", "KUBECONFIG")}
    done = Flashsale(home)("status", PATH=path, **settings)
    assert done.code == 3
    assert done.err.splitlines()[0] == "Asking the cluster ..."
