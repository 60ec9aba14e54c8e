"""metadata.managedFields: who wrote which fields, and when (apimachinery/pkg/util/managedfields).

A manager is a name, an operation and, for updates, the version and subresource it wrote through:
`kubectl` that applied and `kubectl` that scaled are two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from flashsale.embedded.patching.server_side_apply import field_sets
from flashsale.embedded.patching.server_side_apply.field_sets import FieldSet
from flashsale.objects.models import Object

Operation = Literal["Apply", "Update"]
MOST_UPDATERS = 10  # the oldest entries beyond that become one
ANCIENT = "ancient-changes"


@dataclass(frozen=True, slots=True)
class Manager:
    """Who writes. For appliers ``api_version`` is empty: it does not tell them apart."""

    name: str
    operation: Operation
    api_version: str = ""
    subresource: str = ""

    @property
    def identifier(self) -> str:
        """The text that Kubernetes sorts managers by."""
        parts = {"manager": self.name, "operation": self.operation}
        parts |= {"apiVersion": self.api_version, "subresource": self.subresource}
        return json.dumps({name: part for name, part in parts.items() if part})

    def __str__(self) -> str:
        """Name it as conflicts do: `"kubectl" with subresource "scale" using apps/v1`."""
        text = json.dumps(self.name, ensure_ascii=False)
        if self.subresource:
            text += f" with subresource {json.dumps(self.subresource, ensure_ascii=False)}"
        return f"{text} using {self.api_version}" if self.operation == "Update" else text


@dataclass(frozen=True, slots=True)
class Owned:
    """What a manager owns, as of its last write (RFC 3339, empty if unknown)."""

    fields: FieldSet
    time: str
    api_version: str


Managers = dict[Manager, Owned]


def decode_managers(entries: Any) -> Managers | None:
    """Read managedFields; None if any part of it cannot be understood."""
    if not isinstance(entries, list):
        return None
    try:
        return dict(map(_decoded, entries))
    except (ValueError, RecursionError):
        return None


def encode_managers(managers: Managers) -> list[Object]:
    """Write managedFields: appliers before updaters, each in the order of their times."""
    entries = [_encoded(manager, owned) for manager, owned in managers.items()]
    names = ("operation", "time", "manager", "apiVersion", "subresource")
    return sorted(entries, key=lambda entry: [entry.get(name, "") for name in names])


def give_up(managers: Managers, fields: FieldSet) -> Managers:
    """Take fields away from all managers; those that have none left are dropped."""
    left = {who: replace(owned, fields=owned.fields - fields) for who, owned in managers.items()}
    return {who: owned for who, owned in left.items() if owned.fields}


def cap(managers: Managers) -> Managers:
    """Unite the oldest updaters when there are too many of them, as ``capManagersManager`` does."""
    updaters = [who for who in managers if who.operation == "Update"]
    surplus = len(updaters) - MOST_UPDATERS
    if surplus <= 0:
        return managers
    oldest = sorted(updaters, key=lambda who: (managers[who].time, who.identifier))[: surplus + 1]
    united = [managers[who] for who in oldest]
    version = united[-1].api_version
    kept = {who: owned for who, owned in managers.items() if who not in oldest}
    fields = frozenset().union(*(owned.fields for owned in united))
    return kept | {Manager(ANCIENT, "Update", version): replace(united[-1], fields=fields)}


def _decoded(entry: Any) -> tuple[Manager, Owned]:
    if not isinstance(entry, Mapping):
        raise ValueError("an entry must be an object")
    texts = {
        name: entry.get(name) or ""
        for name in ("manager", "operation", "apiVersion", "time", "fieldsType", "subresource")
    }
    if not all(isinstance(text, str) for text in texts.values()):
        raise ValueError("an entry is made of texts")
    version, name, subresource = texts["apiVersion"], texts["manager"], texts["subresource"]
    if texts["fieldsType"] != "FieldsV1" or not version:
        raise ValueError("apiVersion and fieldsType must be set")
    if texts["operation"] == "Apply":
        manager = Manager(name, "Apply", subresource=subresource)
    elif texts["operation"] == "Update":
        manager = Manager(name, "Update", version, subresource)
    else:
        raise ValueError("operation must be `Apply` or `Update`")
    return manager, Owned(
        field_sets.decode_fields(entry.get("fieldsV1") or {}), texts["time"], version
    )


def _encoded(manager: Manager, owned: Owned) -> Object:
    entry: Object = {
        "manager": manager.name,
        "operation": manager.operation,
        "apiVersion": owned.api_version,
    }
    if owned.time:
        entry["time"] = owned.time
    entry |= {"fieldsType": "FieldsV1", "fieldsV1": field_sets.encode_fields(owned.fields)}
    return entry | ({"subresource": manager.subresource} if manager.subresource else {})
