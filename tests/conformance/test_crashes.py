"""Crashes and back-off, missing images."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.conformance.manifests import Maker
from tests.conformance.scene import Change, Scene, container, names, ready
from tests.conformance.trouble import first, history, make_crashes, only, state

pytestmark = pytest.mark.running_pods

BACK_OFF = 10.0  # seconds; the first one


@pytest.fixture(scope="module")
def trouble(stage: Scene, maker: Maker) -> Scene:
    """Pods that crash, or end, or never start."""
    make_crashes(stage, maker)
    return stage


def test_a_crash_restarts_the_same_pod(trouble: Scene) -> None:
    """H41: the same pod runs again with a restart counted; the ReplicaSet creates nothing."""
    name = only(trouble, "crash")
    ended = first(trouble, name, lambda s: state(s, "terminated"), "its container ended")
    assert state(container(ended.object), "terminated")["exitCode"] == 3
    assert state(container(ended.object), "terminated")["reason"] == "Error"
    assert not ready(ended.object)
    again = first(
        trouble, name, lambda s: s["restartCount"] == 1 and state(s, "running"), "it runs again"
    )
    assert again.at - ended.at < BACK_OFF - 1  # the second restart waits so long
    last = container(again.object)["lastState"]["terminated"]
    wanted = {"exitCode", "reason", "startedAt", "finishedAt", "containerID"}
    assert wanted <= last.keys()
    assert names(trouble.owned("crash")) == {name}
    assert trouble.reasons("crash") == ["SuccessfulCreate"]


def test_a_first_crash_does_not_wait(trouble: Scene) -> None:
    """H41: there is no back-off before the first restart."""
    name = only(trouble, "crash")
    again = first(trouble, name, lambda s: s["restartCount"] == 1, "it was restarted")
    before = [c for c in history(trouble, name) if c.at < again.at]
    assert not any(
        state(container(c.object), "waiting").get("reason") == "CrashLoopBackOff" for c in before
    )


def test_an_unready_replica_is_counted(trouble: Scene) -> None:
    """H41: the ReplicaSet's readyReplicas dips, its replicas do not."""
    name = only(trouble, "crash")
    first(trouble, name, lambda s: s["restartCount"] == 1, "it was restarted")

    def dipped() -> bool:
        statuses = [c.object["status"] for c in trouble.replicasets.of("crash")]
        counts = [(s.get("replicas", 0), s.get("readyReplicas", 0)) for s in statuses]
        return (1, 1) in counts and (1, 0) in counts[counts.index((1, 1)) :]

    trouble.until(dipped, "one of one was ready, then none")


def test_a_crash_is_announced_by_nobody(trouble: Scene) -> None:
    """H41: the start events count up; no event names the crash itself."""
    name = only(trouble, "crash")
    first(trouble, name, lambda s: s["restartCount"] == 1, "it was restarted")
    trouble.until_event(name, "Started", count=2)
    started = [event for event in trouble.events_about(name) if event["reason"] == "Started"]
    assert len(names(started)) == 1


@pytest.mark.parametrize(
    ("name", "code", "reason"), [("crash", 3, "Error"), ("done", 0, "Completed")]
)
def test_back_off(trouble: Scene, name: str, code: int, reason: str) -> None:
    """H42: the second end waits ten seconds in CrashLoopBackOff, even if it was a success."""
    pod = only(trouble, name)
    waiting = first(
        trouble,
        pod,
        lambda s: state(s, "waiting").get("reason") == "CrashLoopBackOff",
        "it waits in CrashLoopBackOff",
    )
    status = container(waiting.object)
    uid = waiting.object["metadata"]["uid"]
    assert state(status, "waiting")["message"] == (
        "back-off 10s restarting failed container=flashsale-container "
        f"pod={pod}_{trouble.namespace}({uid})"
    )
    last = status["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"], status["restartCount"]) == (code, reason, 1)
    assert waiting.object["status"]["phase"] == "Running"


def test_the_second_restart(trouble: Scene) -> None:
    """H42: after ten seconds and not much more it is tried again; a BackOff event told of it."""
    pod = only(trouble, "crash")
    assert trouble.until_event(pod, "BackOff")["type"] == "Warning"
    again = first(
        trouble, pod, lambda s: s["restartCount"] == 2 and state(s, "running"), "second restart"
    )
    status = container(again.object)
    times = status["lastState"]["terminated"]["finishedAt"], state(status, "running")["startedAt"]
    ended, started = map(datetime.fromisoformat, times)  # the node's times: no watch delays them
    assert BACK_OFF - 1 <= (started - ended).total_seconds() < BACK_OFF + 10


def missing(scene: Scene, pod: str) -> Change:
    """Wait until a pod's status tells that its image is missing."""
    reason = "ErrImageNeverPull"
    return first(
        scene, pod, lambda s: state(s, "waiting").get("reason") == reason, "its image is missing"
    )


def test_a_missing_image(trouble: Scene) -> None:
    """H46: an image that must not be pulled and is not there keeps its pod waiting, and says so."""
    pod = only(trouble, "never")
    change = missing(trouble, pod)
    assert state(container(change.object), "waiting")["message"] == (
        'Container image "nope:1" is not present with pull policy of Never'
    )
    assert change.object["status"]["phase"] == "Pending"
    assert trouble.until_event(pod, "ErrImageNeverPull")["type"] == "Warning"
    assert trouble.until_event(pod, "Failed")["message"] == "Error: ErrImageNeverPull"
    row = trouble.kubectl(f"get pod {pod}").rows[0]
    assert row[1:4] == ["0/1", "ErrImageNeverPull", "0"]
    assert trouble.kubectl("get rs never").rows[0][1:4] == ["1", "1", "0"]


def test_the_log_of_a_missing_image(trouble: Scene) -> None:
    """H46: there is no log yet, and the refusal says why."""
    pod = only(trouble, "never")
    missing(trouble, pod)  # its event comes before its status, which the refusal quotes
    done = trouble.kubectl(f"logs {pod}", code=1)
    assert done.err.strip().endswith(
        f'container "flashsale-container" in pod "{pod}" is waiting to start: ErrImageNeverPull'
    )


def test_an_image_name_that_is_none(trouble: Scene) -> None:
    """H46: a name that cannot be an image's is told apart from a missing image."""
    first(
        trouble,
        "bad-name",
        lambda s: state(s, "waiting").get("reason") == "InvalidImageName",
        "its image's name is invalid",
    )
