"""Listening to a running container, and speaking to it: `kubectl attach`."""

from __future__ import annotations

import pytest

from tests.conformance.api import Object
from tests.conformance.conftest import Cluster
from tests.conformance.manifests import CONTAINER, Maker
from tests.conformance.scene import Scene, container

pytestmark = pytest.mark.running_pods


def shell(maker: Maker, name: str, script: str, **more: object) -> Object:
    """A pod that runs a script once."""
    command = ["sh", "-c", script]
    pod = maker.pod(name, grace=1, command=command, readinessProbe=None, **more)
    pod["spec"]["restartPolicy"] = "Never"
    return pod


def test_what_a_container_writes_from_now_on(stage: Scene, maker: Maker) -> None:
    """And with its end kubectl ends as well."""
    script = "echo before; until test -e /tmp/go; do sleep 0.1; echo tick; done; echo after"
    stage.create(shell(maker, "writes", script))
    stage.kubectl("wait --for=condition=Ready pod/writes --timeout=60s")
    with stage.kubectl.following(f"attach writes -c {CONTAINER}") as followed:
        stage.until(lambda: "tick" in followed.lines, "it listens")
        stage.kubectl("exec writes -- touch /tmp/go", code=(0, 137))  # it may end with it
        stage.until(lambda: followed.code is not None, "it ends")
        assert followed.code == 0
        assert "after" in followed.lines
        assert "before" not in followed.lines


def test_input_of_a_container_that_has_stdin(stage: Scene, maker: Maker) -> None:
    """It reads what is written, and with `stdinOnce` the end of it."""
    stage.create(shell(maker, "reads", "cat; echo the end", stdin=True, stdinOnce=True))
    stage.kubectl("wait --for=condition=Ready pod/reads --timeout=60s")
    done = stage.kubectl("attach -i reads", stdin="one\ntwo\n")
    assert done.out.splitlines() == ["one", "two", "the end"]


def test_a_terminal_that_is_attached(stage: Scene, maker: Maker) -> None:
    """A shell with `tty` is talked with, in a window of this one's size."""
    stage.create(shell(maker, "talks", "exec sh", stdin=True, tty=True))
    stage.kubectl("wait --for=condition=Ready pod/talks --timeout=60s")
    with stage.kubectl.at_terminal("attach -it talks", size=(70, 20)) as person:
        person.types("until stty size | grep '20 70'; do sleep 0.1; done; echo $((6 * 7))\n")
        person.sees("42")
        person.types("exit 3\n")
        person.leaves()
    stage.until(
        lambda: "terminated" in container(stage.pods.now["talks"]).get("state", {}), "it has ended"
    )
    assert container(stage.pods.now["talks"])["state"]["terminated"]["exitCode"] == 3


def test_what_ends_at_once_is_shown_once(cluster: Cluster, stage: Scene, maker: Maker) -> None:
    """`kubectl run --rm -i` finds a pod that is over, and takes its log and its exit code."""
    if not cluster.embedded:
        pytest.skip("kubectl may attach while a real container ends, and show its output twice")
    run = f"run once --image={maker.image} --image-pull-policy=IfNotPresent --restart=Never"
    done = stage.kubectl(f"{run} --rm -i --quiet -- sh -c 'echo hi; exit 4'", code=4)
    assert (done.out, done.err) == ("hi\n", f"pod {stage.namespace}/once terminated (Error)\n")
