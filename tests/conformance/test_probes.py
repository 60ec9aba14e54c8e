"""Probes: what they send, and what their failures do."""

from __future__ import annotations

import pytest

from tests.conformance.manifests import Maker
from tests.conformance.scene import Scene, condition, container, ready
from tests.conformance.trouble import first, make_patients, only

pytestmark = pytest.mark.running_pods


@pytest.fixture(scope="module")
def trouble(stage: Scene, maker: Maker) -> Scene:
    """Pods whose probes fail, or nearly."""
    make_patients(stage, maker)
    return stage


def test_losing_readiness(trouble: Scene) -> None:
    """H43: after failureThreshold failures it is unready, not restarted, and back when well."""
    pod = only(trouble, "sick")
    well = first(trouble, pod, lambda s: s["ready"], "it is ready")
    sick = first(trouble, pod, lambda s: not s["ready"], "it is unready", after=well.at)
    assert condition(sick.object, "Ready")["reason"] == "ContainersNotReady"
    event = trouble.until_event(pod, "Unhealthy", count=2, text="statuscode: 503")
    assert event["type"] == "Warning"
    assert event["message"] == "Readiness probe failed: HTTP probe failed with statuscode: 503"
    back = first(trouble, pod, lambda s: s["ready"], "it is ready again", after=sick.at)
    assert container(back.object)["restartCount"] == 0


def test_an_unready_endpoint(trouble: Scene) -> None:
    """H43: the slice keeps the unready address, neither ready nor serving."""
    pod = only(trouble, "sick")
    well = first(trouble, pod, lambda s: s["ready"], "it is ready")
    sick = first(trouble, pod, lambda s: not s["ready"], "it is unready", after=well.at)

    def is_unready() -> bool:
        later = [c for c in trouble.slices.changes if c.at > sick.at - 1]
        states = [e["conditions"] for c in later for e in c.object.get("endpoints") or []]
        return {"ready": False, "serving": False, "terminating": False} in states

    trouble.until(is_unready, "its endpoint is unready")


def test_liveness(trouble: Scene) -> None:
    """H44: a failed liveness probe restarts the container, with the events that say so."""
    pod = only(trouble, "dying")
    again = first(trouble, pod, lambda s: s["restartCount"] == 1, "it was restarted")
    last = container(again.object)["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (0, "Completed")
    unhealthy = trouble.until_event(pod, "Unhealthy", text="statuscode: 500")
    assert unhealthy["message"] == "Liveness probe failed: HTTP probe failed with statuscode: 500"
    killing = trouble.until_event(pod, "Killing")
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
    warning = trouble.until_event("elsewhere", "ProbeWarning")
    assert warning["message"].startswith("Readiness probe warning: Probe terminated redirects")


def test_a_probe_that_hangs(trouble: Scene) -> None:
    """H43: a probe without an answer fails by its timeout."""
    trouble.until_event("hanging", "Unhealthy", text="context deadline exceeded")
    assert not ready(trouble.pods.now["hanging"])


def test_a_probe_that_is_refused(trouble: Scene) -> None:
    """H43: a closed port is a failure like any other."""
    message = trouble.until_event("closed", "Unhealthy")["message"]
    assert message.startswith('Readiness probe failed: Get "http://')
    assert message.endswith("connect: connection refused")
