"""The annotation in which client-side `kubectl apply` notes what it applied.

When the same object is applied on the server later, fields that kubectl set before are no conflict,
and the annotation follows, so that both ways can be mixed (``lastappliedmanager.go``,
``lastappliedupdater.go``).
"""

from __future__ import annotations

import json

from flashsale.embedded.patching.server_side_apply import field_walk
from flashsale.embedded.patching.server_side_apply.field_sets import NOTHING, FieldSet
from flashsale.objects.models import Object

KUBECTL = "kubectl"  # the only applier for which the annotation counts
ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"


def own_fields(live: Object, api_version: str) -> FieldSet:
    """Return the fields that the annotation sets and that still are as it says."""
    applied = _read(live)
    if applied is None or applied.get("apiVersion") != api_version:
        return NOTHING
    changes = field_walk.compare_objects(applied, live)
    return field_walk.all_fields_of(applied) - changes.written - changes.removed


def updated(thing: Object, config: Object) -> Object:
    """Return an object whose annotation, if it has one, tells of a new configuration."""
    known = _read(thing)
    if known is None:
        return thing
    text = json.dumps(_normal(config), separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    for char in "<>&":  # as Go's encoder writes them, and so kubectl
        text = text.replace(char, f"\\u{ord(char):04x}")
    meta = metadata_of(thing)
    annotations = meta["annotations"] | {ANNOTATION: text + "\n"}
    return thing | {"metadata": meta | {"annotations": annotations}}


def _read(thing: Object) -> Object | None:
    annotations = metadata_of(thing).get("annotations")
    text = annotations.get(ANNOTATION) if isinstance(annotations, dict) else None
    try:
        applied = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None
    return applied if isinstance(applied, dict) else None


def _normal(config: Object) -> Object:
    """Return a configuration as it is noted: without the note itself and empty annotations."""
    meta = metadata_of(config)
    annotations = meta.get("annotations")
    kept = annotations if isinstance(annotations, dict) else {}
    others = {name: value for name, value in kept.items() if name != ANNOTATION}
    rest = {name: value for name, value in meta.items() if name != "annotations"}
    return config | {"metadata": rest | ({"annotations": others} if others else {})}


def metadata_of(thing: Object) -> Object:
    """Return an object's metadata; none where they are missing or misshapen."""
    meta = thing.get("metadata")
    return meta if isinstance(meta, dict) else {}
