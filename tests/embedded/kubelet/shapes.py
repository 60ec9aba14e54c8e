"""Statuses without what differs from run to run, so that they compare with recordings."""

import json
import re
from pathlib import Path
from typing import Any

from flashsale.objects.models import Object

RECORDED = json.loads(Path(__file__).with_name("recorded.json").read_text())


def recorded(scenario: str) -> list[Object]:
    """Return the shapes of the statuses that a real kubelet wrote."""
    return shapes(RECORDED[scenario]["statuses"])


def shapes(statuses: list[Object]) -> list[Object]:
    """Return the shapes of the kubelet's own statuses, equal neighbours merged."""
    out: list[Object] = []
    for status in statuses:
        if "observedGeneration" in status and (not out or out[-1] != shape(status)):
            out.append(shape(status))
    return out


def shape(status: Object) -> Object:
    """Return what a status says, without times, names, addresses and ids."""
    return {
        "keys": sorted(status),
        "generation": status["observedGeneration"],
        "phase": status["phase"],
        "ip": "podIP" in status,
        "conditions": [
            [
                condition.get(key)
                for key in ("type", "status", "reason", "message", "observedGeneration")
            ]
            for condition in status["conditions"]
        ],
        "containers": [_container(one) for one in status["containerStatuses"]],
    }


def _container(one: Object) -> Object:
    out: dict[str, Any] = {key: one[key] for key in ("ready", "started", "restartCount")}
    out["state"], out["last"] = _state(one["state"]), _state(one["lastState"])
    out["id"], out["image"] = "containerID" in one, bool(one["imageID"])
    out["keys"] = sorted(one)
    return out


def _state(state: Object) -> Object:
    for kind, value in state.items():
        facts = {key: value[key] for key in ("reason", "exitCode") if key in value}
        message = value.get("message", "")
        if facts.get("reason") in ("CrashLoopBackOff", "ErrImageNeverPull"):
            facts["message"] = re.sub(r"\d+s|pod=\S+|image \"\S+\"", "-", message)
        return {kind: facts, "times": [key for key in value if key.endswith("At")]}
    return {}
