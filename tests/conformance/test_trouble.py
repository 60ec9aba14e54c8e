"""Pods in trouble: crashes and back-off, missing images, probes that fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.conformance.api import Object
from tests.conformance.manifests import Maker, service
from tests.conformance.scene import Change, Scene, condition, container, names, ready

BACK_OFF = 10.0  # seconds; the first one
PROBE = {"periodSeconds": 1, "failureThreshold": 2}


def http(path: str) -> Object:
    """Describe a probe of a path."""
    return {"httpGet": {"path": path, "port": 5000}, **PROBE}


@pytest.fixture(scope="module")
def trouble(stage: Scene, maker: Maker) -> Scene:
    """Everything that goes wrong in this file goes wrong at once, to save time."""
    sick = {"HEALTH": "200@0 503@4 200@9"}
    dying = {"LIVE": "200@0 500@3"}
    alive = {"livenessProbe": http("/live")}
    stage.create(
        maker.replicaset("crash", replicas=1, app="crash", env={"EXIT_AFTER": 3, "EXIT_CODE": 3}),
        maker.replicaset("done", replicas=1, app="done", env={"EXIT_AFTER": 3, "EXIT_CODE": 0}),
        maker.replicaset("sick", replicas=1, app="sick", env=sick, readinessProbe=http("/health")),
        maker.replicaset("dying", replicas=1, app="dying", env=dying, **alive),
        maker.replicaset("never", replicas=1, app="never", image="nope:1", imagePullPolicy="Never"),
        maker.pod("bad-name", image="Not_An_Image"),
        maker.pod("moved", readinessProbe=http("/moved")),
        maker.pod("elsewhere", readinessProbe=http("/elsewhere")),
        maker.pod("hanging", env={"HEALTH": "0@0"}),
        maker.pod("closed", readinessProbe={"httpGet": {"path": "/", "port": 5999}, **PROBE}),
        service("sick", app="sick"),
    )
    return stage


def only(scene: Scene, name: str) -> str:
    """Wait for the first pod of a ReplicaSet; returns its name."""
    pods = scene.until(lambda: scene.owned(name), f"{name} has a pod")
    return str(pods[0]["metadata"]["name"])


def history(scene: Scene, pod: str) -> list[Change]:
    """Return the changes of a pod that tell a container's status."""
    return [change for change in scene.pods.of(pod) if container(change.object)]


def first(
    scene: Scene, pod: str, matches: Callable[[Object], object], what: str, after: float = 0.0
) -> Change:
    """Wait for the first change whose container status matches."""

    def found() -> Change | None:
        some = history(scene, pod)
        return next((c for c in some if c.at > after and matches(container(c.object))), None)

    change = scene.until(found, f"{pod}: {what}")
    assert change is not None
    return change


def state(status: Object, kind: str) -> Object:
    """Return a container's state of one kind, empty if it is in another."""
    found: Object = (status.get("state") or {}).get(kind) or {}
    return found


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
    assert again.at - ended.at < 5
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
    statuses = [c.object["status"] for c in trouble.replicasets.of("crash")]
    counts = [(s.get("replicas", 0), s.get("readyReplicas", 0)) for s in statuses]
    assert (1, 1) in counts
    assert (1, 0) in counts[counts.index((1, 1)) :]


def test_a_crash_is_announced_by_nobody(trouble: Scene) -> None:
    """H41: the start events count up; no event names the crash itself."""
    name = only(trouble, "crash")
    first(trouble, name, lambda s: s["restartCount"] == 1, "it was restarted")
    trouble.until_said(name, "Started", count=2)
    started = [event for event in trouble.said(name) if event["reason"] == "Started"]
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
    ended = first(
        trouble, pod, lambda s: state(s, "terminated") and s["restartCount"] == 1, "second end"
    )
    assert trouble.until_said(pod, "BackOff")["type"] == "Warning"
    again = first(
        trouble, pod, lambda s: s["restartCount"] == 2 and state(s, "running"), "second restart"
    )
    assert BACK_OFF - 1.5 < again.at - ended.at < BACK_OFF + 10


def test_a_missing_image(trouble: Scene) -> None:
    """H46: an image that must not be pulled and is not there keeps its pod waiting, and says so."""
    pod = only(trouble, "never")
    change = first(
        trouble,
        pod,
        lambda s: state(s, "waiting").get("reason") == "ErrImageNeverPull",
        "its image is missing",
    )
    assert state(container(change.object), "waiting")["message"] == (
        'Container image "nope:1" is not present with pull policy of Never'
    )
    assert change.object["status"]["phase"] == "Pending"
    assert trouble.until_said(pod, "ErrImageNeverPull")["type"] == "Warning"
    assert trouble.until_said(pod, "Failed")["message"] == "Error: ErrImageNeverPull"
    row = trouble.kubectl(f"get pod {pod}").rows[0]
    assert row[1:4] == ["0/1", "ErrImageNeverPull", "0"]
    assert trouble.kubectl("get rs never").rows[0][1:4] == ["1", "1", "0"]


def test_the_log_of_a_missing_image(trouble: Scene) -> None:
    """H46: there is no log yet, and the refusal says why."""
    pod = only(trouble, "never")
    trouble.until_said(pod, "ErrImageNeverPull")
    said = trouble.kubectl(f"logs {pod}", code=1)
    assert said.err.strip().endswith(
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


def test_losing_readiness(trouble: Scene) -> None:
    """H43: after failureThreshold failures it is unready, not restarted, and back when well."""
    pod = only(trouble, "sick")
    well = first(trouble, pod, lambda s: s["ready"], "it is ready")
    sick = first(trouble, pod, lambda s: not s["ready"], "it is unready", after=well.at)
    assert condition(sick.object, "Ready")["reason"] == "ContainersNotReady"
    event = trouble.until_said(pod, "Unhealthy", count=2)
    assert event["type"] == "Warning"
    assert "Readiness probe failed: HTTP probe failed with statuscode: 503" in [
        one["message"] for one in trouble.said(pod)
    ]
    back = first(trouble, pod, lambda s: s["ready"], "it is ready again", after=sick.at)
    assert container(back.object)["restartCount"] == 0


def test_an_unready_endpoint(trouble: Scene) -> None:
    """H43: the slice keeps the unready address, neither ready nor serving."""
    pod = only(trouble, "sick")
    well = first(trouble, pod, lambda s: s["ready"], "it is ready")
    sick = first(trouble, pod, lambda s: not s["ready"], "it is unready", after=well.at)

    def told() -> bool:
        later = [c for c in trouble.slices.changes if c.at > sick.at - 1]
        states = [e["conditions"] for c in later for e in c.object.get("endpoints") or []]
        return {"ready": False, "serving": False, "terminating": False} in states

    trouble.until(told, "its endpoint is unready")


def test_liveness(trouble: Scene) -> None:
    """H44: a failed liveness probe restarts the container, with the events that say so."""
    pod = only(trouble, "dying")
    again = first(trouble, pod, lambda s: s["restartCount"] == 1, "it was restarted")
    last = container(again.object)["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (0, "Completed")
    messages = [event["message"] for event in trouble.said(pod)]
    assert "Liveness probe failed: HTTP probe failed with statuscode: 500" in messages
    killing = trouble.until_said(pod, "Killing")
    assert killing["message"] == (
        "Container flashsale-container failed liveness probe, will be restarted"
    )


def test_what_a_probe_sends(trouble: Scene) -> None:
    """H45: probes name themselves, and follow a redirect to the same host."""
    trouble.until(lambda: ready(trouble.pods.now["moved"]), "the redirected probe succeeds")
    log = trouble.kubectl("logs moved").out
    assert "GET /moved HTTP/1.1" in log
    assert "GET /health HTTP/1.1" in log
    probe = next(line for line in log.splitlines() if "GET /moved" in line)
    headers = dict(part.split(": ", 1) for part in probe.split(" | ")[1:])
    assert headers["User-Agent"].startswith("kube-probe/")
    assert (headers["Accept"], headers["Connection"]) == ("*/*", "close")
    assert headers["Host"] == f"{trouble.pods.now['moved']['status']['podIP']}:5000"


def test_a_redirect_to_another_host(trouble: Scene) -> None:
    """H45: it is not followed; it counts as success, with a warning."""
    trouble.until(lambda: ready(trouble.pods.now["elsewhere"]), "the probe succeeds")
    warning = trouble.until_said("elsewhere", "ProbeWarning")
    assert warning["message"].startswith("Readiness probe warning: Probe terminated redirects")


def test_a_probe_that_hangs(trouble: Scene) -> None:
    """H43: a probe without an answer fails by its timeout."""
    trouble.until_said("hanging", "Unhealthy")
    messages = " ".join(event["message"] for event in trouble.said("hanging"))
    assert "context deadline exceeded" in messages
    assert not ready(trouble.pods.now["hanging"])


def test_a_probe_that_is_refused(trouble: Scene) -> None:
    """H43: a closed port is a failure like any other."""
    message = trouble.until_said("closed", "Unhealthy")["message"]
    assert message.startswith('Readiness probe failed: Get "http://')
    assert message.endswith("connect: connection refused")
