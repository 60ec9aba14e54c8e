"""What may change of a pod once it exists (ValidatePodUpdate in validation.go)."""

from __future__ import annotations

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.golang import go_structs
from flashsale.embedded.types.resources import PODS
from flashsale.embedded.validation.field_checks import invalid
from flashsale.embedded.validation.metadata import (
    validate_core_metadata_update,
    validate_metadata,
    validate_pod_annotations,
)
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


def validate_pod_update(new: Object, old: Object) -> list[FieldError]:
    """Check a changed pod: nearly all of its spec stays as it was created."""
    annotations = (new.get("metadata") or {}).get("annotations")
    errors = validate_core_metadata_update(new, old)
    errors += validate_metadata(PODS, new) + validate_pod_body(new)
    errors += validate_pod_annotations(annotations, "metadata.annotations")
    after, before = new.get("spec") or {}, old.get("spec") or {}
    for key in CONTAINERS:
        if len(after.get(key) or []) != len(before.get(key) or []):
            why = "pod updates may not add or remove containers"
            return [*errors, FieldError.forbidden(f"spec.{key}", why)]
        errors += _images(after, key)
    deadline = _deadline(after, before)
    if deadline and after.get("activeDeadlineSeconds") is not None:
        return errors + deadline
    errors += deadline + _only_added_tolerations(after, before) + _only_removed_gates(after, before)
    kept = _with_updatable(after, before)
    if kept != before:
        why = f"pod updates may not change fields other than {','.join(UPDATABLE)}"
        shown = go_structs.diff_structs("PodSpec", before, kept)
        errors.append(FieldError.forbidden("spec", f"{why}\n{shown}"))
    return errors


def _images(spec: Object, key: str) -> list[FieldError]:
    """Check the images once more, as Kubernetes does for those that may have changed."""
    errors: list[FieldError] = []
    for index, container in enumerate(spec.get(key) or []):
        at, image = f"spec.{key}[{index}].image", container.get("image") or ""
        if not image:
            errors.append(FieldError.required(at))
        elif image != image.strip():
            errors += invalid(at, image, ["must not have leading or trailing whitespace"])
    return errors


def _deadline(after: Object, before: Object) -> list[FieldError]:
    at, new, old = (
        "spec.activeDeadlineSeconds",
        *(spec.get("activeDeadlineSeconds") for spec in (after, before)),
    )
    if new is None:
        why = "must not update from a positive integer to nil value"
        return invalid(at, None, [why] if old is not None else [])
    if not 0 <= new <= INT32:
        return invalid(at, new, [f"must be between 0 and {INT32}, inclusive"])
    why = "must be less than or equal to previous value"
    return invalid(at, new, [why] if old is not None and old < new else [])


def _only_added_tolerations(after: Object, before: Object) -> list[FieldError]:
    present = [_without_seconds(toleration) for toleration in after.get("tolerations") or []]
    for toleration in before.get("tolerations") or []:
        if _without_seconds(toleration) not in present:
            why = "existing toleration can not be modified except its tolerationSeconds"
            return [FieldError.forbidden("spec.tolerations", why)]
    return validate_tolerations(after.get("tolerations") or [], "spec.tolerations")


def _only_removed_gates(after: Object, before: Object) -> list[FieldError]:
    known = [gate.get("name") for gate in before.get("schedulingGates") or []]
    return [
        FieldError.forbidden(
            f"spec.schedulingGates[{index}].name",
            "only deletion is allowed, but found new scheduling gate '"
            + (gate.get("name") or "")
            + "'",
        )
        for index, gate in enumerate(after.get("schedulingGates") or [])
        if gate.get("name") not in known
    ]


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
