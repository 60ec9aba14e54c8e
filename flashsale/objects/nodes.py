"""Nodes read as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flashsale.objects.columns import find_condition

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


@dataclass(frozen=True, slots=True)
class Node:
    name: str
    ready: bool
    controls: bool  # it is the control plane's
    cordoned: bool = False
    heartbeat: str = field(default="", compare=False)  # when its kubelet last wrote its status

    @classmethod
    def from_object(cls, node: Mapping[str, Any]) -> Node:
        """Read an API object; what is missing counts as not ready."""
        meta, spec = node["metadata"], node.get("spec") or {}
        ready = find_condition(node, "Ready")
        return cls(
            meta["name"],
            ready.get("status") == "True",
            CONTROL_PLANE in (meta.get("labels") or {}),
            bool(spec.get("unschedulable")),
            ready.get("lastHeartbeatTime") or "",
        )

    @property
    def state(self) -> str:
        """What kubectl's STATUS says of it."""
        return ("Ready" if self.ready else "NotReady") + ",SchedulingDisabled" * self.cordoned
