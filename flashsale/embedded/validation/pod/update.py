"""What may change of a pod once it exists (ValidatePodUpdate in validation.go)."""

from __future__ import annotations

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.golang import go_structs
from flashsale.embedded.types.resources import PODS
from flashsale.embedded.validation.field_checks import Errors, each
from flashsale.embedded.validation.metadata import (
    validate_core_metadata_update,
    validate_metadata,
    validate_pod_annotations,
)
from flashsale.embedded.validation.pod.containers import validate_image
from flashsale.embedded.validation.pod.scheduling import validate_tolerations
from flashsale.embedded.validation.pod.spec import INT32, validate_pod_body
from flashsale.objects.models import Object

UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)
CONTAINERS = ("containers", "initContainers")


def validate_pod_update(new: Object, old: Object) -> Errors:
    """Check a changed pod: nearly all of its spec stays as it was created."""
    annotations = (new.get("metadata") or {}).get("annotations")
    yield from validate_core_metadata_update(new, old)
    yield from validate_metadata(PODS, new)
    yield from validate_pod_body(new)
    yield from validate_pod_annotations(annotations, "metadata.annotations")
    after, before = new.get("spec") or {}, old.get("spec") or {}
    for key in CONTAINERS:
        if len(after.get(key) or []) != len(before.get(key) or []):
            why = "pod updates may not add or remove containers"
            yield FieldError.forbidden(f"spec.{key}", why)
            return
        for at, container in each(after, key, "spec"):  # once more, as they may have changed
            if image := container.get("image"):
                yield from validate_image(image, f"{at}.image")
            else:
                yield FieldError.required(f"{at}.image")
    new_deadline, old_deadline = (spec.get("activeDeadlineSeconds") for spec in (after, before))
    if why := _wrong_deadline(new_deadline, old_deadline):
        yield FieldError.invalid("spec.activeDeadlineSeconds", new_deadline, why)
        if new_deadline is not None:
            return
    yield from _only_added_tolerations(after, before)
    yield from _only_removed_gates(after, before)
    kept = _with_updatable(after, before)
    if kept != before:
        why = f"pod updates may not change fields other than {','.join(UPDATABLE)}"
        shown = go_structs.diff_structs("PodSpec", before, kept)
        yield FieldError.forbidden("spec", f"{why}\n{shown}")


def _wrong_deadline(new: int | None, old: int | None) -> str:
    if new is None:
        return "" if old is None else "must not update from a positive integer to nil value"
    if not 0 <= new <= INT32:
        return f"must be between 0 and {INT32}, inclusive"
    shorter = old is None or new <= old
    return "" if shorter else "must be less than or equal to previous value"


def _only_added_tolerations(after: Object, before: Object) -> Errors:
    present = [_without_seconds(toleration) for toleration in after.get("tolerations") or []]
    if all(_without_seconds(old) in present for old in before.get("tolerations") or []):
        yield from validate_tolerations(after, "spec")
    else:
        why = "existing toleration can not be modified except its tolerationSeconds"
        yield FieldError.forbidden("spec.tolerations", why)


def _only_removed_gates(after: Object, before: Object) -> Errors:
    known = [gate.get("name") for gate in before.get("schedulingGates") or []]
    for at, gate in each(after, "schedulingGates", "spec"):
        if gate.get("name") not in known:
            name = gate.get("name") or ""
            why = f"only deletion is allowed, but found new scheduling gate '{name}'"
            yield FieldError.forbidden(f"{at}.name", why)


def _without_seconds(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _with_updatable(after: Object, before: Object) -> Object:
    """Return the new spec with the old values of all fields that may change."""
    same = dict(after)
    for key in CONTAINERS:
        if key in after:
            same[key] = [
                {**container, "image": old.get("image", "")}
                for container, old in zip(after[key], before.get(key) or [], strict=False)
            ]
    for key in ("activeDeadlineSeconds", "tolerations", "schedulingGates"):
        same.pop(key, None)
        if key in before:
            same[key] = before[key]
    key = "terminationGracePeriodSeconds"
    if before.get(key, 0) < 0 and after.get(key) == 1:
        same[key] = before[key]
    return same
