"""Rules for metadata (apimachinery/pkg/api/validation/objectmeta.go)."""

from __future__ import annotations

from collections.abc import Mapping

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import (
    DISRUPTION_BUDGETS,
    EVENTS,
    LEASES,
    NAMESPACES,
    SERVICES,
    Resource,
)
from flashsale.embedded.validation.field_checks import invalid
from flashsale.objects.models import Object

ANNOTATIONS_SIZE = 256 * 1024  # bytes, keys and values together
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
LABEL_NAMES = (SERVICES, NAMESPACES)  # their names are DNS labels, all others are subdomains
LOOSELY_NAMED = (DISRUPTION_BUDGETS, EVENTS)  # whose own rules do not look at their metadata
LOOSE_FINALIZERS = (*LOOSELY_NAMED, LEASES)  # of these only the form of the name is judged
NO_OWNER = ("v1", "Event")
IMMUTABLE = ("name", "namespace", "uid", "deletionTimestamp", "deletionGracePeriodSeconds")
ORPHAN, FOREGROUND = "orphan", "foregroundDeletion"
STANDARD_FINALIZERS = (ORPHAN, FOREGROUND, "kubernetes")
NOT_STANDARD = "name is neither a standard finalizer name nor is it fully qualified"


def validate_metadata(resource: Resource, obj: Object) -> list[FieldError]:
    """Check the metadata of a new object."""
    meta = obj.get("metadata") or {}
    rule = texts.dns_label if resource in LABEL_NAMES else texts.dns_subdomain
    if resource in LOOSELY_NAMED:
        rule = texts.path_segment
    base = meta.get("generateName") or ""
    errors = invalid("metadata.generateName", base, rule(_unfinished(base)) if base else [])
    if meta.get("name"):
        errors += invalid("metadata.name", meta["name"], rule(meta["name"]))
    else:
        why = "name or generateName is required"
        errors.append(FieldError.required("metadata.name", why))
    errors += _namespace(resource, meta) + validate_common(meta)
    return errors if resource in LOOSE_FINALIZERS else errors + _standard_finalizers(meta)


def validate_metadata_update(new: Object, old: Object) -> list[FieldError]:
    """Check the metadata of a changed object: what may not change, and the rest."""
    meta, before = new.get("metadata") or {}, old.get("metadata") or {}
    errors = []
    if before.get("deletionTimestamp"):
        extra = sorted(set(meta.get("finalizers") or ()) - set(before.get("finalizers") or ()))
        if extra:
            listed = ", ".join(f'"{name}"' for name in extra)
            why = (
                "no new finalizers can be added if the object is being deleted, "
                f"found new finalizers []string{{{listed}}}"
            )
            errors.append(FieldError.forbidden("metadata.finalizers", why))
    for key in IMMUTABLE:
        if meta.get(key, "") != before.get(key, ""):
            wrong = [texts.NOT_IMMUTABLE]
            errors += invalid(f"metadata.{key}", meta.get(key, ""), wrong)
    return errors + validate_common(meta)


def validate_core_metadata_update(new: Object, old: Object) -> list[FieldError]:
    """Check the same, and what only the core's own rules ask (pkg/apis/core/validation)."""
    return validate_metadata_update(new, old) + _standard_finalizers(new.get("metadata") or {})


def validate_labels(labels: Mapping[str, str] | None, field: str) -> list[FieldError]:
    """Check keys and values of labels or of a selector."""
    errors = []
    for key, value in (labels or {}).items():
        errors += invalid(field, key, texts.qualified_name(key))
        errors += invalid(field, value, texts.label_value(value))
    return errors


def validate_annotations(annotations: Mapping[str, str] | None, field: str) -> list[FieldError]:
    """Check keys and the total size."""
    errors, size = [], 0
    for key, value in (annotations or {}).items():
        errors += invalid(field, key, texts.qualified_name(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_SIZE:
        errors.append(FieldError.too_long(field, ANNOTATIONS_SIZE))
    return errors


def validate_pod_annotations(annotations: Mapping[str, str] | None, field: str) -> list[FieldError]:
    """Check the annotation that tells which pods may go first."""
    cost = (annotations or {}).get(DELETION_COST)
    if cost is None or _is_int32(cost):
        return []
    return invalid(f"{field}[{DELETION_COST}]", cost, ["must be a 32bit integer"])


def _unfinished(base: str) -> str:
    """Return a base of generated names without a hyphen at its end and the character before it."""
    return base[:-2] + "a" if len(base) > 1 and base.endswith("-") else base


def _namespace(resource: Resource, meta: Object) -> list[FieldError]:
    namespace = meta.get("namespace") or ""
    if not resource.namespaced:
        why = "not allowed on this type"
        return [FieldError.forbidden("metadata.namespace", why)] if namespace else []
    if not namespace:
        return [FieldError.required("metadata.namespace")]
    return invalid("metadata.namespace", namespace, texts.dns_label(namespace))


def validate_common(meta: Object) -> list[FieldError]:
    """Check what new and changed objects must have alike."""
    return (
        validate_labels(meta.get("labels"), "metadata.labels")
        + validate_annotations(meta.get("annotations"), "metadata.annotations")
        + _owners(meta.get("ownerReferences") or [])
        + _finalizers(meta.get("finalizers") or [])
    )


def _owners(owners: list[Object]) -> list[FieldError]:
    field, errors, controller = "metadata.ownerReferences", [], ""
    for owner in owners:
        version = owner.get("apiVersion") or ""
        wrong = [] if version and version.count("/") < 2 else ["version must not be empty"]
        errors += invalid(f"{field}.apiVersion", version, wrong)
        for key in ("kind", "name", "uid"):
            errors += invalid(f"{field}.{key}", "", [] if owner.get(key) else ["must not be empty"])
        if (version, owner.get("kind")) == NO_OWNER:
            why = "/v1, Kind=Event is disallowed from being an owner"
            errors += invalid(field, owner, [why])
        if not owner.get("controller"):
            continue
        name = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if controller:
            why = (
                'Only one reference can have Controller set to true. Found "true" in references '
                f"for {controller} and {name}"
            )
            errors += invalid(field, owners, [why])
        controller = controller or name
    return errors


def _finalizers(finalizers: list[str]) -> list[FieldError]:
    errors = []
    for name in finalizers:
        errors += invalid("metadata.finalizers", name, texts.qualified_name(name))
    if {ORPHAN, FOREGROUND} <= set(finalizers):
        why = f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"
        errors += invalid("metadata.finalizers", finalizers, [why])
    return errors


def _standard_finalizers(meta: Object) -> list[FieldError]:
    errors = []
    for index, name in enumerate(meta.get("finalizers") or []):
        if "/" not in name and name not in STANDARD_FINALIZERS:
            errors += invalid(f"metadata.finalizers[{index}]", name, [NOT_STANDARD])
    return errors


def _is_int32(text: str) -> bool:
    """A number as Go's ParseInt takes it, and no plus sign or leading zero in front."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
        return False
    return (digits == "0" or digits[0] != "0") and -(1 << 31) <= int(text) < 1 << 31
