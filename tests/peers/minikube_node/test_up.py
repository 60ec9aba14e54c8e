"""The exercise's own road on the real thing: `flashsale up` makes minikube, and the sale is open.

One road for all tests, since a node takes a minute: each asks for a sale, and leaves one.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.command import Flashsale
from tests.peers.minikube_node.conftest import Road

pytestmark = pytest.mark.timeout(900)  # a whole cluster in a container, on a busy machine


@pytest.fixture(scope="module")
def opened(road: Road) -> dict[str, Any]:
    """What `up` says that it made from nothing."""
    found: dict[str, Any] = road.up("--driver", "docker", "-o", "json").json
    return found


@pytest.fixture
def address(road: Road, opened: dict[str, Any]) -> str:
    """Where the sale is, which is there again whatever another test did."""
    found: str = road.up("-o", "json").json["url"]
    return found


def test_from_nothing_to_a_sale(road: Road, opened: dict[str, Any]) -> None:
    """`up` makes the profile, builds the image in its Docker, and buyers get an answer."""
    assert road.answers(opened["url"])
    images = road.run("minikube", "image", "ls").out
    assert "docker.io/library/flashsale:1.0" in images.split()


def test_the_current_context_stays(road: Road, address: str) -> None:
    """The user's own context is the current one, and the node has one beside it."""
    assert road.answers(address)
    assert road.contexts() == ("elsewhere", {"elsewhere", "minikube"})


def test_more_pods(road: Road, address: str) -> None:
    """`scale` ends when the new pods are ready."""
    done = road.flashsale("scale", "5")
    assert done.code == 0, done.err
    assert road.ready() == "5"


def test_a_killed_pod_is_replaced(road: Road, address: str) -> None:
    """`kill-pod` follows the ReplicaSet until all pods are ready again."""
    wanted = road.ready()
    done = road.flashsale("kill-pod")
    assert done.code == 0, done.err
    assert "replaces" in done.err
    assert (road.ready(), road.answers(address)) == (wanted, True)


def test_stopped_and_up_again(road: Road, address: str) -> None:
    """`down --stop` stops the node; `up` starts it, and the current context is still the user's."""
    stopped = road.flashsale("down", "--stop")
    assert stopped.code == 0, stopped.err
    assert '"Host":"Stopped"' in road.run("minikube", "status", "-o", "json").out
    again = road.up("-o", "json").json["url"]
    assert road.answers(again)
    assert road.contexts()[0] == "elsewhere"


def test_a_frozen_node(road: Road, address: str) -> None:
    """A node that `docker pause` froze is called that, and `up` unfreezes it."""
    assert road.run("docker", "pause", "minikube").code == 0
    done = road.flashsale("status")
    assert done.code != 0
    assert "docker unpause minikube" in done.err
    assert road.answers(road.up("-o", "json").json["url"])


def test_minikube_deleted(road: Road, address: str) -> None:
    """After `minikube delete` no sale is open, and nothing of the node is left."""
    assert road.run("minikube", "delete").code == 0
    assert road.flashsale("status").code == 4
    assert (road.engine.ids("ps", "--all"), road.engine.ids("volume", "ls")) == ([], [])
    assert road.contexts() == ("elsewhere", {"elsewhere"})


CUT_OFF = """
set -m  # else a job in the background ignores SIGINT, and minikube with it
"$@" &
until docker exec minikube pgrep -x kubeadm >/dev/null 2>&1; do kill -0 $! || exit 1; done
kill -TERM $!; wait $!
"""


def test_a_start_that_was_cut_off_is_begun_again(road: Road) -> None:
    """While kubeadm runs: minikube's own restart would leave out the network, and say all is well.

    Its node is deleted first, for nothing is lost with it.
    """
    command = Flashsale(road.home / "flashsale").command("up", "--cluster", "minikube")
    cut = road.run("bash", "-c", CUT_OFF, "bash", *command, "--driver", "docker")
    assert cut.code == 143, cut.out + cut.err
    again = road.up("-o", "json")
    assert "its first start was cut off" in again.err
    assert road.answers(again.json["url"])
    pods = road.run(
        "kubectl", "--context=minikube", "get", "pods", "-n", "kube-system", "-o", "name"
    )
    assert "kube-proxy" in pods.out
    assert road.contexts()[0] == "elsewhere"
    assert road.run("minikube", "delete").code == 0
