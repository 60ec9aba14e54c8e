"""Pods in trouble of every kind, and how to read what became of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.api import Object
from tests.conformance.manifests import Maker, service
from tests.conformance.scene import Change, Scene, container

PROBE = {"periodSeconds": 1, "failureThreshold": 2}


def http(path: str) -> Object:
    """Describe a probe of a path."""
    return {"httpGet": {"path": path, "port": 5000}, **PROBE}


def make_crashes(scene: Scene, maker: Maker) -> None:
    """Let pods crash, end, or never start: all at once, to save time."""
    scene.create(
        maker.replicaset("crash", replicas=1, app="crash", env={"EXIT_AFTER": 5, "EXIT_CODE": 3}),
        maker.replicaset("done", replicas=1, app="done", env={"EXIT_AFTER": 5, "EXIT_CODE": 0}),
        maker.replicaset("never", replicas=1, app="never", image="nope:1", imagePullPolicy="Never"),
        maker.pod("bad-name", image="Not_An_Image"),
    )


def make_patients(scene: Scene, maker: Maker) -> None:
    """Let probes of all kinds fail, or nearly, at once.

    The scripts leave a slow cluster time to see each state; the liveness probe waits until a slow
    app listens, for the restart should be due to what the app answers.
    """
    sick = {"HEALTH": "200@0 503@6 200@12"}
    dying = {"LIVE": "200@0 500@4"}
    alive = {"livenessProbe": {**http("/live"), "initialDelaySeconds": 3}}
    scene.create(
        maker.replicaset("sick", replicas=1, app="sick", env=sick, readinessProbe=http("/health")),
        maker.replicaset("dying", replicas=1, app="dying", env=dying, **alive),
        maker.pod("moved", readinessProbe=http("/moved")),
        maker.pod("elsewhere", readinessProbe=http("/elsewhere")),
        maker.pod("hanging", grace=1, env={"HEALTH": "0@0"}),  # it would answer before it ends
        maker.pod("closed", readinessProbe={"httpGet": {"path": "/", "port": 5999}, **PROBE}),
        service("sick", app="sick"),
    )


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
