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
from flashsale.embedded.validation.field_checks import Errors, invalid
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


def validate_metadata(resource: Resource, obj: Object) -> Errors:
    meta = obj.get("metadata") or {}
    rule = texts.dns_label if resource in LABEL_NAMES else texts.dns_subdomain
    if resource in LOOSELY_NAMED:
        rule = texts.path_segment
    if base := meta.get("generateName"):
        yield from invalid("metadata.generateName", base, rule(_unfinished(base)))
    if meta.get("name"):
        yield from invalid("metadata.name", meta["name"], rule(meta["name"]))
    else:
        yield FieldError.required("metadata.name", "name or generateName is required")
    yield from _namespace(resource, meta)
    yield from validate_common(meta)
    if resource not in LOOSE_FINALIZERS:
        yield from _standard_finalizers(meta)


def validate_metadata_update(new: Object, old: Object) -> Errors:
    """Check the metadata of a changed object: what may not change, and the rest."""
    meta, before = new.get("metadata") or {}, old.get("metadata") or {}
    extra = sorted(set(meta.get("finalizers") or ()) - set(before.get("finalizers") or ()))
    if extra and before.get("deletionTimestamp"):
        listed = ", ".join(f'"{name}"' for name in extra)
        why = "no new finalizers can be added if the object is being deleted, found new finalizers"
        yield FieldError.forbidden("metadata.finalizers", f"{why} []string{{{listed}}}")
    for key in IMMUTABLE:
        value = meta.get(key, "")
        if value != before.get(key, ""):
            yield FieldError.invalid(f"metadata.{key}", value, texts.NOT_IMMUTABLE)
    yield from validate_common(meta)


def validate_core_metadata_update(new: Object, old: Object) -> Errors:
    """Check the same, and what only the core's own rules ask (pkg/apis/core/validation)."""
    yield from validate_metadata_update(new, old)
    yield from _standard_finalizers(new.get("metadata") or {})


def validate_labels(labels: Mapping[str, str] | None, field: str) -> Errors:
    for key, value in (labels or {}).items():
        yield from invalid(field, key, texts.qualified_name(key))
        yield from invalid(field, value, texts.label_value(value))


def validate_annotations(annotations: Mapping[str, str] | None, field: str) -> Errors:
    """Check keys and the total size."""
    size = 0
    for key, value in (annotations or {}).items():
        yield from invalid(field, key, texts.qualified_name(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_SIZE:
        yield FieldError.too_long(field, ANNOTATIONS_SIZE)


def validate_pod_annotations(annotations: Mapping[str, str] | None, field: str) -> Errors:
    """Check the annotation that tells which pods may go first."""
    cost = (annotations or {}).get(DELETION_COST)
    if cost is not None and not _is_int32(cost):
        yield FieldError.invalid(f"{field}[{DELETION_COST}]", cost, "must be a 32bit integer")


def validate_finalizer(name: str, field: str) -> Errors:
    """Check a finalizer that must be one of Kubernetes' own, or have a domain."""
    yield from invalid(field, name, texts.qualified_name(name))
    yield from _standard(name, field)


def validate_common(meta: Object) -> Errors:
    """Check what new and changed objects must have alike."""
    yield from validate_labels(meta.get("labels"), "metadata.labels")
    yield from validate_annotations(meta.get("annotations"), "metadata.annotations")
    yield from _owners(meta.get("ownerReferences") or [])
    yield from _finalizers(meta.get("finalizers") or [])


def _unfinished(base: str) -> str:
    """Return a base of generated names without a hyphen at its end and the character before it."""
    return base[:-2] + "a" if len(base) > 1 and base.endswith("-") else base


def _namespace(resource: Resource, meta: Object) -> Errors:
    namespace, field = meta.get("namespace") or "", "metadata.namespace"
    if resource.namespaced and not namespace:
        yield FieldError.required(field)
    elif resource.namespaced:
        yield from invalid(field, namespace, texts.dns_label(namespace))
    elif namespace:
        yield FieldError.forbidden(field, "not allowed on this type")


def _owners(owners: list[Object]) -> Errors:
    field, controller = "metadata.ownerReferences", ""
    for owner in owners:
        version = owner.get("apiVersion") or ""
        if not version or version.count("/") > 1:
            yield FieldError.invalid(f"{field}.apiVersion", version, "version must not be empty")
        for key in ("kind", "name", "uid"):
            if not owner.get(key):
                yield FieldError.invalid(f"{field}.{key}", "", "must not be empty")
        if (version, owner.get("kind")) == NO_OWNER:
            why = "/v1, Kind=Event is disallowed from being an owner"
            yield FieldError.invalid(field, owner, why)
        if not owner.get("controller"):
            continue
        name = f"{owner.get('kind', '')}/{owner.get('name', '')}"
        if controller:
            why = (
                'Only one reference can have Controller set to true. Found "true" in references '
                f"for {controller} and {name}"
            )
            yield FieldError.invalid(field, owners, why)
        controller = controller or name


def _finalizers(finalizers: list[str]) -> Errors:
    for name in finalizers:
        yield from invalid("metadata.finalizers", name, texts.qualified_name(name))
    if {ORPHAN, FOREGROUND} <= set(finalizers):
        why = f"finalizer {ORPHAN} and {FOREGROUND} cannot be both set"
        yield FieldError.invalid("metadata.finalizers", finalizers, why)


def _standard_finalizers(meta: Object) -> Errors:
    for index, name in enumerate(meta.get("finalizers") or []):
        yield from _standard(name, f"metadata.finalizers[{index}]")


def _standard(name: str, field: str) -> Errors:
    if "/" not in name and name not in STANDARD_FINALIZERS:
        why = "name is neither a standard finalizer name nor is it fully qualified"
        yield FieldError.invalid(field, name, why)


def _is_int32(text: str) -> bool:
    """A number as Go's ParseInt takes it, and no plus sign or leading zero in front."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 10:
        return False
    return (digits == "0" or digits[0] != "0") and -(1 << 31) <= int(text) < 1 << 31
