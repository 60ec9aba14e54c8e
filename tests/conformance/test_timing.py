"""Promises about time: minReadySeconds, preStop hooks, waiting right after apply."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.api import Object
from tests.conformance.manifests import Maker, service, write
from tests.conformance.scene import Scene

pytestmark = pytest.mark.running_pods

MIN_READY = 4
PAUSE = 3  # seconds of the preStop sleep


def test_wait_right_after_apply(stage: Scene, maker: Maker, tmp_path: Path) -> None:
    """H25: `kubectl wait` right after `apply` returns once all three pods are ready."""
    stage.kubectl(f"apply -f {write(tmp_path / 'rs.yaml', maker.replicaset(), service())}")
    stage.until(lambda: len(stage.owned()) == 3, "the pods are there")
    done = stage.kubectl("wait --for=condition=Ready pod -l app=flashsale --timeout=60s")
    assert len(done.lines) == 3
    assert stage.kubectl("delete rs,svc --all --wait=false").code == 0


def test_wait_for_a_count(stage: Scene, maker: Maker) -> None:
    """H26: a wait for readyReplicas ends when the count is reached."""
    stage.create(maker.replicaset("counted", replicas=1, app="counted"))
    path = "'{.status.readyReplicas}'"
    done = stage.kubectl(f"wait --for=jsonpath={path}=1 rs/counted --timeout=60s")
    assert done.lines == ["replicaset.apps/counted condition met"]
    stage.delete("replicasets", "counted")


def test_min_ready_seconds(stage: Scene, maker: Maker) -> None:
    """H68: pods are available only after they were ready for so long, and then in one write."""
    thing = maker.replicaset("patient", replicas=2, app="patient")
    thing["spec"]["minReadySeconds"] = MIN_READY
    stage.create(thing)
    stage.until(lambda: status(stage, "patient").get("availableReplicas") == 2, "both available")
    seen = [(c.at, c.object["status"]) for c in stage.replicasets.of("patient")]
    ready = next(at for at, status in seen if status.get("readyReplicas") == 2)
    available = next(at for at, status in seen if status.get("availableReplicas") == 2)
    # Ready's time has whole seconds, and the status that says so is written a little later.
    assert MIN_READY - 2 < available - ready < MIN_READY + 8
    stage.delete("replicasets", "patient")


def status(scene: Scene, name: str) -> Object:
    """Return a ReplicaSet's status."""
    found: Object = scene.replicasets.now.get(name, {}).get("status") or {}
    return found


HOOKS: dict[str, Object] = {
    "sleep": {"sleep": {"seconds": PAUSE}},
    "exec": {"exec": {"command": ["python", "-c", f"import time; time.sleep({PAUSE})"]}},
    "http": {"httpGet": {"path": f"/slow/{PAUSE}", "port": 5000}},
}


@pytest.fixture(scope="module")
def hooked(stage: Scene, maker: Maker) -> dict[str, list[str]]:
    """Delete one pod for each kind of preStop hook; what their logs say until they end."""
    stage.create(
        *(
            maker.pod(f"{kind}-hook", app="hooked", grace=20, lifecycle={"preStop": hook})
            for kind, hook in HOOKS.items()
        ),
        service("hooked", app="hooked"),
    )
    names = [f"{kind}-hook" for kind in HOOKS]
    stage.until(lambda: all(is_serving(stage, name) for name in names), "all are ready")
    logs = {}
    with (
        stage.kubectl.following("logs -f sleep-hook") as one,
        stage.kubectl.following("logs -f exec-hook") as two,
        stage.kubectl.following("logs -f http-hook") as three,
    ):
        logs = dict(zip(names, (one, two, three), strict=True))
        stage.until(lambda: all(log.lines for log in logs.values()), "kubectl follows")
        for name in names:
            stage.delete("pods", name)
        stage.until(lambda: not set(names) & set(stage.pods.now), "all are gone")
        stage.until(lambda: all(log.code is not None for log in logs.values()), "kubectl ends")
    return {name: log.lines for name, log in logs.items()}


def is_serving(scene: Scene, name: str) -> bool:
    """Whether a pod's endpoint takes connections."""
    return bool(scene.endpoints("hooked").get(name, {}).get("ready"))


@pytest.mark.parametrize("kind", HOOKS)
def test_a_hook_runs_before_sigterm(stage: Scene, hooked: dict[str, list[str]], kind: str) -> None:
    """H69: the endpoint goes at once; SIGTERM comes when the hook is done; then the pod ends."""
    name = f"{kind}-hook"
    requested = when(stage, name, lambda pod: "deletionTimestamp" in pod["metadata"])
    gone = stage.pods.of(name)[-1].at
    assert any(line.startswith("SIGTERM at") for line in hooked[name])
    assert PAUSE - 0.5 < gone - requested < PAUSE + 10
    terminating = [
        change.at
        for change in stage.slices.changes
        for endpoint in change.object.get("endpoints") or []
        if endpoint["targetRef"]["name"] == name and endpoint["conditions"]["terminating"]
    ]
    assert terminating[0] - requested < 2


@pytest.mark.parametrize("kind", HOOKS)
def test_a_clean_end_after_a_hook(stage: Scene, hooked: dict[str, list[str]], kind: str) -> None:
    """H69: within the grace period the app ends by itself: Succeeded, exit code 0."""
    last = stage.pods.of(f"{kind}-hook")[-1].object["status"]
    assert last["phase"] == "Succeeded"
    assert "Killing" in stage.reasons(f"{kind}-hook")


def test_the_http_hook_names_itself(hooked: dict[str, list[str]]) -> None:
    """H69: the hook's request reaches the app while it still listens."""
    (line,) = [line for line in hooked["http-hook"] if "kube-lifecycle/" in line]
    assert line.startswith(f"GET /slow/{PAUSE} ")


def when(scene: Scene, name: str, matches: Callable[[Object], Any]) -> float:
    """Return when a pod first matched (monotonic seconds)."""
    return next(change.at for change in scene.pods.of(name) if matches(change.object))
