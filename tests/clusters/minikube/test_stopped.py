"""A sale on a minikube that is stopped, or deleted: its context is gone from the kubeconfig."""

from __future__ import annotations

from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError, ClusterUnreachableError, NoSaleError
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube import MinikubeCluster
from flashsale.clusters.select import (
    ClusterOptions,
    select_existing,
    select_for_down,
    select_for_up,
)
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.sale.down import close
from tests.clusters.minikube.double_world import STOPPED, World

RECORD = SaleRecord("minikube", "shop", profile="shop", namespace="sale")


@pytest.fixture
def home(world: World) -> Path:
    """A state folder that remembers a sale on the profile `shop`."""
    SaleStore(world.home / "home").write(RECORD)
    return world.home / "home"


@pytest.mark.parametrize(
    "wanted", [ClusterOptions(), ClusterOptions(profile="shop"), ClusterOptions(context="shop")]
)
async def test_stopped_minikube_is_said_to_be_stopped(
    world: World, home: Path, wanted: ClusterOptions
) -> None:
    """Not that its context is missing, which `minikube stop` has removed."""
    world.has(**STOPPED)
    with pytest.raises(ClusterUnreachableError) as caught:
        await select_existing(wanted, home=home)
    assert str(caught.value) == "minikube 'shop' is stopped."
    assert caught.value.hint == "flashsale up --profile shop"
    assert world.acts() == []


async def test_up_starts_the_same_profile_again(world: World, home: Path) -> None:
    """With the sale's namespace and names."""
    world.has(**STOPPED)
    choice = await select_for_up(ClusterOptions(), home=home)
    assert choice.record == RECORD
    assert choice.why == "the sale is there already"


async def test_running_minikube_without_its_context_is_told_apart(world: World, home: Path) -> None:
    """Another kubeconfig, say: `up` writes the context there."""
    world.has(kubeconfig="Misconfigured")
    with pytest.raises(ClusterUnreachableError, match="entry in the kubeconfig is missing"):
        await select_existing(ClusterOptions(), home=home)


async def test_deleted_profile_has_no_sale(world: World, home: Path) -> None:
    """`minikube delete` took it along; `up` opens a new one."""
    with pytest.raises(NoSaleError, match="there is no minikube profile 'shop'"):
        await select_existing(ClusterOptions(), home=home)
    choice = await select_for_up(ClusterOptions(), home=home)
    assert choice.why.startswith("the minikube profile 'shop', where the sale was, is gone; ")


async def test_uninstalled_minikube_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The hint says where to get it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ClusterUnreachableError, match="minikube was not found in PATH"):
        await select_existing(ClusterOptions(), home=home)


async def test_stopping_what_is_stopped_keeps_the_sale(world: World, home: Path) -> None:
    """`down --stop` starts nothing only to remove what is in it, and says so."""
    world.has(**STOPPED)
    choice = await select_for_down(ClusterOptions(), home=home)
    closed = await close(choice, None, world.progress, stop=True)
    assert (closed.removed, closed.stopped, closed.kept) == ((), True, True)
    assert SaleStore(home).read() == RECORD


async def test_stopping_what_is_deleted_forgets_the_sale(world: World, home: Path) -> None:
    """It went with the profile."""
    closed = await close(
        await select_for_down(ClusterOptions(), home=home), None, world.progress, stop=True
    )
    assert (closed.stopped, closed.kept) == (False, False)
    assert world.progress.notes == ["There is no minikube profile 'shop' to stop."]
    assert SaleStore(home).read() is None


async def test_options_of_creation_reach_the_profile(world: World, home: Path) -> None:
    """They mean minikube, whatever else this machine has; the recorded profile stays."""
    world.has(**STOPPED)
    making = NewProfileOptions("docker", 4, "4g")
    recorded = await select_for_up(ClusterOptions(making=making), home=home)
    assert recorded.cluster == MinikubeCluster("shop", making, home)
    SaleStore(home).write(SaleRecord("embedded", "flashsale-embedded"))
    fresh = await select_for_up(ClusterOptions(making=making), home=home)
    assert fresh.cluster == MinikubeCluster("minikube", making, home)


async def test_options_of_creation_for_another_cluster_are_refused(home: Path) -> None:
    """Dropping them in silence would be worse."""
    with pytest.raises(BadInputError, match="--cpus 4 is for minikube"):
        await select_for_up(
            ClusterOptions(cluster="embedded", making=NewProfileOptions(cpus=4)), home=home
        )
