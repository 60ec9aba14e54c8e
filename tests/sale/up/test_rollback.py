"""An `up` that comes to nothing leaves nothing, on a real embedded cluster."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from flashsale.base.errors import BadInputError
from flashsale.clusters.context import ContextCluster
from flashsale.clusters.select import ClusterOptions, select_for_up
from flashsale.embedded.process import launch
from flashsale.kube import connect
from flashsale.sale.files import app_folder
from flashsale.sale.files import manifest as manifests
from flashsale.sale.session import Sale
from flashsale.sale.up.rollback import NAMESPACES
from flashsale.sale.up.up import Order, check_on_server, open_sale
from tests.command import Flashsale, kubectl

STARTING = "Starting the embedded cluster"
WEB = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {ports: [{port: 80}]}}"


class Listening:
    """Progress that hears every step."""

    def __init__(self, hear: Callable[[str], object]) -> None:
        self.hear = hear
        self.notes: list[str] = []

    def step(self, text: str) -> None:
        """Pass it on."""
        self.hear(text)

    def detail(self, text: str) -> None:
        """Details do not matter."""

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


async def test_ended_start_leaves_no_cluster(flashsale: Flashsale) -> None:
    """Ctrl-C while the cluster starts: its process ends again, and nothing is recorded."""
    loop = asyncio.get_running_loop()

    def hear(step: str) -> None:
        if step == STARTING:
            loop.call_soon(task.cancel)

    progress = Listening(hear)
    choice = await select_for_up(ClusterOptions(cluster="embedded"), home=flashsale.home)
    opening = open_sale(choice, app_folder.packaged(), Order(), progress)
    task = asyncio.create_task(opening)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert progress.notes == ["Stopped the embedded cluster again: it was started for this alone."]
    assert not flashsale.cluster_pid()
    assert not flashsale.record.exists()


def test_refused_up_leaves_no_cluster(flashsale: Flashsale) -> None:
    """Exit 2 says that nothing was changed: the cluster that was started for it ends again."""
    manifest = flashsale.lean_manifest(**{"replicas: 3": "replica: 3"})
    done = flashsale("up", "--manifest", str(manifest), "-n", "shop")
    assert done.code == 2
    assert "namespace/shop created" not in done.err
    assert not flashsale.cluster_pid()
    assert not flashsale.record.exists()


def test_refused_up_leaves_a_running_cluster_running(open_sale: Flashsale) -> None:
    """What ran before runs on, with its sale; a namespace made for the refused one goes again."""
    before, record = open_sale.cluster_pid(), open_sale.record.read_text()
    manifest = open_sale.quick_manifest(**{"replicas: 3": "replica: 3"})
    done = open_sale("up", "--manifest", str(manifest), "-n", "refused")
    assert done.code == 2
    assert STARTING not in done.err
    assert "namespace/refused created" not in done.err
    assert (open_sale.cluster_pid(), open_sale.record.read_text()) == (before, record)


@pytest.mark.parametrize("after", ["up", "down"])
def test_names_of_a_refused_up_are_nobodys_to_delete(flashsale: Flashsale, after: str) -> None:
    """A Service that happened to be called so was there before: it is not the sale's."""
    words = ("up", "--replicas", "0", "--no-wait", "--manifest")
    assert flashsale(*words, str(flashsale.lean_manifest())).code == 0
    flashsale.record.unlink()  # as on a cluster that others use
    web = flashsale.home.parent / "web.yaml"
    web.write_text(WEB)
    assert kubectl(flashsale, "create", "-f", str(web)) == "service/web created\n"
    misspelt = {"replicas: 3": "replica: 3", "name: flashsale-svc": "name: web"}
    assert flashsale(*words, str(flashsale.lean_manifest(**misspelt))).code == 2
    again = (*words, str(flashsale.lean_manifest()))
    done = flashsale(*(again if after == "up" else ("down", "-o", "json")))
    assert done.code == 0, done.err
    assert "service/web" not in done.err + done.out


def test_sale_of_somebody_else_outlives_a_refused_up_and_a_renamed_one(
    flashsale: Flashsale,
) -> None:
    """What was never applied from here has left nothing that a new name could leave over."""
    words = ("up", "--replicas", "0", "--no-wait", "--manifest")
    assert flashsale(*words, str(flashsale.lean_manifest())).code == 0
    flashsale.record.unlink()  # as on a cluster that others use
    assert (
        flashsale(*words, str(flashsale.lean_manifest(**{"replicas: 3": "replica: 3"}))).code == 2
    )
    other = {"name: flashsale-rs": "name: my-rs", "name: flashsale-svc": "name: my-svc"}
    done = flashsale("up", "--replicas", "1", "--manifest", str(flashsale.lean_manifest(**other)))
    assert done.code == 0, done.err
    assert "deleted" not in done.err
    assert kubectl(flashsale, "get", "rs", "-o", "name").split() == [
        "replicaset.apps/flashsale-rs",
        "replicaset.apps/my-rs",
    ]


def test_up_makes_the_namespace_and_down_leaves_it(flashsale: Flashsale) -> None:
    """The embedded cluster is the learner's own, so nobody has to make the namespace first."""
    words = ("up", "-n", "shop", "--manifest", str(flashsale.lean_manifest()), "--replicas", "0")
    first = flashsale(*words)
    assert first.code == 0, first.err
    assert "namespace/shop created" in first.err.splitlines()
    assert flashsale("status", "-o", "json").json["namespace"] == "shop"
    assert flashsale("down").code == 0
    again = flashsale(*words)
    assert again.code == 0
    assert "namespace/shop" not in again.err


async def test_namespace_of_another_cluster_is_left_to_its_owner(open_sale: Flashsale) -> None:
    """The same API, called a context: refused with kubectl's command, and nothing is made."""
    kubeconfig = open_sale.home / "embedded" / "kubeconfig"
    async with connect(kubeconfig, "flashsale-embedded") as api:
        sale = Sale(ContextCluster("kind-dev"), api, "elsewhere", "flashsale-rs", "flashsale-svc")
        with pytest.raises(BadInputError, match="has no namespace 'elsewhere'") as caught:
            await check_on_server(sale, manifests.shipped(), None, Listening(print))
        names = [obj["metadata"]["name"] for obj in await api.list(NAMESPACES)]
    assert caught.value.hint == "kubectl --context kind-dev create namespace elsewhere"
    assert "elsewhere" not in names


@pytest.mark.parametrize("name", ["UPPER", "a/b", "x" * 64])
def test_impossible_namespace_is_refused(open_sale: Flashsale, name: str) -> None:
    """One sentence in the learner's words."""
    done = open_sale("up", "-n", name)
    assert (done.code, done.out) == (2, "")
    assert f"Error: '{name}' cannot name a namespace" in done.err


def test_lost_record_does_not_hide_the_sale(flashsale: Flashsale) -> None:
    """The cluster of this home runs, so the sale is there; `down` closes it."""
    words = ("up", "--manifest", str(flashsale.lean_manifest()), "--replicas", "1", "--no-wait")
    assert flashsale(*words).code == 0
    flashsale.record.unlink()
    assert flashsale("status", "-o", "json").json["replicaset"]["desired"] == 1
    closed = flashsale("down")
    assert closed.code == 0
    assert "replicaset.apps/flashsale-rs deleted" in closed.out.splitlines()
    assert not flashsale.cluster_pid()


def test_down_stops_a_cluster_without_a_sale(flashsale: Flashsale) -> None:
    """A process that was left, by SIGKILL say, is stopped, and `down` says so."""
    launch.start_cluster(flashsale.home / "embedded")
    assert flashsale("status").code == 4
    closed = flashsale("down")
    assert (closed.code, closed.out) == (0, "The cluster is stopped.\n")
    assert not flashsale.cluster_pid()
    assert flashsale("down").code == 4


def test_down_elsewhere_leaves_the_sale_alone(open_sale: Flashsale) -> None:
    """A namespace that was mistyped does not stop the cluster under the sale."""
    done = open_sale("down", "-n", "typo")
    assert (done.code, done.out) == (4, "")
    assert "The sale is in the namespace default, not in typo." in done.err
    assert done.err.splitlines()[-1] == "Hint: flashsale down -n default"
    assert open_sale("status").code == 0


def test_sale_of_another_namespace_is_not_forgotten(flashsale: Flashsale) -> None:
    """`up` says that it stays, and closing that one does not stop the cluster under the new one."""
    words = ("up", "--manifest", str(flashsale.lean_manifest()), "--replicas", "0", "--no-wait")
    first = flashsale(*words, "-n", "shop")
    assert "stays" not in first.err
    errors = flashsale(*words, "-n", "default").err
    assert (
        "namespace shop, stays; to close it:\n  flashsale down --cluster embedded -n shop" in errors
    )
    closed = flashsale("down", "--cluster", "embedded", "-n", "shop")
    assert closed.code == 0
    assert "replicaset.apps/flashsale-rs deleted" in closed.out
    assert "The cluster goes on: there is a sale in the namespace default" in closed.err
    assert flashsale("status").code == 0
    assert "The cluster is stopped." in flashsale("down").out


def test_down_leaves_no_sale_behind_that_the_next_up_would_revive(flashsale: Flashsale) -> None:
    """The cluster goes on for it, and the next commands find it."""
    words = ("up", "--manifest", str(flashsale.lean_manifest()), "--replicas", "0", "--no-wait")
    flashsale(*words, "-n", "shop")
    flashsale(*words, "-n", "default")
    closed = flashsale("down")
    assert "The cluster is stopped." not in closed.out
    assert "to close it: flashsale down -n shop" in closed.err
    assert flashsale("status", "-o", "json").json["namespace"] == "shop"
    assert "The cluster is stopped." in flashsale("down").out


def test_down_on_another_cluster_leaves_the_record_alone(flashsale: Flashsale) -> None:
    """Though that cluster goes on for one more sale: the recorded one is elsewhere."""
    words = ("up", "--manifest", str(flashsale.lean_manifest()), "--replicas", "0", "--no-wait")
    flashsale(*words, "-n", "shop")
    flashsale(*words, "-n", "default")
    elsewhere = '{"format": 1, "kind": "context", "context": "kind-dev"}'
    flashsale.record.write_text(elsewhere)
    closed = flashsale("down", "--cluster", "embedded")
    assert "to close it: flashsale down -n shop" in closed.err
    assert flashsale.record.read_text() == elsewhere
