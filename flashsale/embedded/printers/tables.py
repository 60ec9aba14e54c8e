"""Server-side tables: kubectl asks the server to print (apiserver/pkg/endpoints/handlers).

What stands in the cells is in ``printers``, one function a kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Literal

from flashsale.embedded.printers.rows import PRINTERS
from flashsale.embedded.printers.table_columns import COLUMNS, Described
from flashsale.embedded.types.apitypes import field_description
from flashsale.embedded.types.resources import Resource
from flashsale.objects.fields import section, text
from flashsale.objects.models import Object

Include = Literal["Metadata", "Object", "None"]
COMPLETED = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


def print_table(
    resource: Resource,
    objects: Iterable[Mapping[str, Any]],
    *,
    now: float,
    revision: str,
    include: Include = "Metadata",
    headers: bool = True,
    version: str = "v1",
) -> Object:
    """Print objects of one kind as a Table.

    Args:
        now: unix seconds, for ages.
        revision: the resourceVersion of the list, or of the one object.
        include: what each row carries of its object.
        headers: without them columnDefinitions is null, as in a watch from its second event on.
        version: of meta.k8s.io.
    """
    cells, api_version = PRINTERS[resource.kind], f"meta.k8s.io/{version}"
    return {
        "kind": "Table",
        "apiVersion": api_version,
        "metadata": {"resourceVersion": revision},
        "columnDefinitions": _definitions(resource.kind) if headers else None,
        "rows": [
            {"cells": cells(thing, now), **_conditions(resource, thing)}
            | {"object": _object(thing, include, api_version)}
            for thing in objects
        ],
    }


@cache
def _definitions(kind: str) -> list[Object]:
    return [
        {
            "name": column.name,
            "type": column.type,
            "format": column.format,
            "description": _description(column.description),
            "priority": column.priority,
        }
        for column in COLUMNS[kind]
    ]


def _description(described: Described) -> str:
    if isinstance(described, str):
        return described
    return field_description(*described).partition("\n\nPossible enum values")[0]


def _conditions(resource: Resource, thing: Mapping[str, Any]) -> Object:
    """Mark the rows of pods that have ended, which a client may grey out."""
    phase = text(thing, "status", "phase")
    if resource.kind != "Pod" or phase not in COMPLETED:
        return {}
    ended = {"type": "Completed", "status": "True", "reason": phase, "message": COMPLETED[phase]}
    return {"conditions": [ended]}


def _object(thing: Mapping[str, Any], include: Include, api_version: str) -> Object | None:
    if include == "None":
        return None
    if include == "Object":
        return dict(thing)
    meta = dict(section(thing, "metadata"))
    return {"kind": "PartialObjectMetadata", "apiVersion": api_version, "metadata": meta}
