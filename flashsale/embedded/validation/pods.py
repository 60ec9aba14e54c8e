"""Rules for pods and pod templates (ValidatePodSpec, ValidatePodUpdate in validation.go)."""

from __future__ import annotations

import json
from typing import Any

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import PODS
from flashsale.embedded.validation import texts
from flashsale.embedded.validation.containers import (
    choice,
    validate_containers,
    validate_images,
    validate_init_containers,
)
from flashsale.embedded.validation.metadata import (
    invalid,
    not_negative,
    validate_annotations,
    validate_labels,
    validate_metadata,
    validate_metadata_update,
    validate_pod_annotations,
)
from flashsale.objects.models import Object

RESTART_POLICIES = ("Always", "OnFailure", "Never")
DNS_POLICIES = ("ClusterFirstWithHostNet", "ClusterFirst", "Default", "None")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
INT32 = (1 << 31) - 1
UPDATABLE = (
    "`spec.containers[*].image`",
    "`spec.initContainers[*].image`",
    "`spec.activeDeadlineSeconds`",
    "`spec.tolerations` (only additions to existing tolerations)",
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
)


def validate_pod(pod: Object) -> list[FieldError]:
    """Check a new pod."""
    return validate_metadata(PODS, pod) + _body(pod)


def validate_pod_update(new: Object, old: Object) -> list[FieldError]:
    """Check a changed pod: nearly all of its spec stays as it was created."""
    errors = validate_metadata_update(new, old) + _body(new)
    after, before = new.get("spec") or {}, old.get("spec") or {}
    for key in ("containers", "initContainers"):
        if len(after.get(key) or []) != len(before.get(key) or []):
            why = "pod updates may not add or remove containers"
            return [*errors, FieldError.forbidden(f"spec.{key}", why)]
    errors += _only_added_tolerations(after, before)
    still = _with_updatable(after, before)
    if still != before:
        why = f"pod updates may not change fields other than {','.join(UPDATABLE)}"
        errors.append(FieldError.forbidden("spec", f"{why}\n{_difference(before, still)}"))
    return errors


def validate_template(template: Object, field: str) -> list[FieldError]:
    """Check a pod template. Kubernetes says `template.labels` where `metadata` is in between."""
    meta = template.get("metadata") or {}
    return (
        validate_labels(meta.get("labels"), f"{field}.labels")
        + validate_annotations(meta.get("annotations"), f"{field}.annotations")
        + validate_pod_annotations(meta.get("annotations"), f"{field}.annotations")
        + validate_pod_spec(template.get("spec") or {}, f"{field}.spec")
    )


def validate_pod_spec(spec: Object, field: str) -> list[FieldError]:
    """Check what pods and templates have in common."""
    grace = spec.get("terminationGracePeriodSeconds") or 0
    errors, volumes = _volumes(spec.get("volumes") or [], f"{field}.volumes")
    errors += not_negative(spec, "terminationGracePeriodSeconds", field)
    errors += validate_containers(
        spec.get("containers") or [], f"{field}.containers", max(grace, 0), volumes
    )
    errors += validate_init_containers(spec, f"{field}.initContainers", max(grace, 0), volumes)
    errors += choice(spec.get("restartPolicy"), f"{field}.restartPolicy", RESTART_POLICIES)
    errors += choice(spec.get("dnsPolicy"), f"{field}.dnsPolicy", DNS_POLICIES)
    errors += validate_labels(spec.get("nodeSelector"), f"{field}.nodeSelector")
    errors += _names(spec, field)
    return errors + _tolerations(spec.get("tolerations") or [], f"{field}.tolerations")


def _body(pod: Object) -> list[FieldError]:
    """Everything of a pod but the metadata that all kinds have."""
    annotations, spec = (pod.get("metadata") or {}).get("annotations"), pod.get("spec") or {}
    errors = validate_pod_annotations(annotations, "metadata.annotations")
    errors += validate_pod_spec(spec, "spec")
    for key in ("containers", "initContainers"):
        errors += validate_images(spec.get(key) or [], f"spec.{key}")
    return errors


def _names(spec: Object, field: str) -> list[FieldError]:
    """Check single fields with names, and the deadline that stands among them."""
    errors = []
    for key in ("serviceAccountName", "nodeName"):
        if spec.get(key):
            errors += invalid(f"{field}.{key}", spec[key], texts.dns_subdomain(spec[key]))
    deadline = spec.get("activeDeadlineSeconds")
    if deadline is not None and not 1 <= deadline <= INT32:
        why = f"must be between 1 and {INT32}, inclusive"
        errors.append(FieldError.invalid(f"{field}.activeDeadlineSeconds", deadline, why))
    for key in ("hostname", "subdomain"):
        if spec.get(key):
            errors += invalid(f"{field}.{key}", spec[key], texts.dns_label(spec[key]))
    return errors


def _volumes(volumes: list[Object], field: str) -> tuple[list[FieldError], set[str]]:
    """Check names and that each volume has one source; returns the names too."""
    errors, names = [], set()
    for index, volume in enumerate(volumes):
        at, name = f"{field}[{index}]", volume.get("name") or ""
        sources = [key for key, value in volume.items() if key != "name" and value is not None]
        if not sources:
            errors.append(FieldError.required(at, "must specify a volume type"))
        why = "may not specify more than 1 volume type"
        errors += [FieldError.forbidden(f"{at}.{key}", why) for key in sources[1:]]
        if not name:
            errors.append(FieldError.required(f"{at}.name"))
            continue
        errors += invalid(f"{at}.name", name, texts.dns_label(name))
        if name in names:
            errors.append(FieldError.duplicate(f"{at}.name", name))
        names.add(name)
    return errors, names


def _tolerations(tolerations: list[Object], field: str) -> list[FieldError]:
    errors = []
    for index, toleration in enumerate(tolerations):
        at, key = f"{field}[{index}]", toleration.get("key") or ""
        operator, effect = toleration.get("operator") or "", toleration.get("effect") or ""
        errors += invalid(f"{at}.key", key, texts.qualified_name(key) if key else [])
        if not key and operator != "Exists":
            why = (
                "operator must be Exists when `key` is empty, "
                'which means "match all values and all keys"'
            )
            errors.append(FieldError.invalid(f"{at}.operator", operator, why))
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.append(FieldError.invalid(f"{at}.effect", effect, why))
        if operator not in ("", "Equal", "Exists"):
            errors.append(FieldError.unsupported(f"{at}.operator", operator, ["Equal", "Exists"]))
        if effect and effect not in EFFECTS:
            errors.append(FieldError.unsupported(f"{at}.effect", effect, EFFECTS))
    return errors


def _only_added_tolerations(after: Object, before: Object) -> list[FieldError]:
    present = [_without_seconds(toleration) for toleration in after.get("tolerations") or []]
    for toleration in before.get("tolerations") or []:
        if _without_seconds(toleration) not in present:
            why = "existing toleration can not be modified except its tolerationSeconds"
            return [FieldError.forbidden("spec.tolerations", why)]
    return []


def _without_seconds(toleration: Object) -> Object:
    return {key: value for key, value in toleration.items() if key != "tolerationSeconds"}


def _with_updatable(after: Object, before: Object) -> Object:
    """Return the new spec with the old values of all fields that may change."""
    same = dict(after)
    for key in ("containers", "initContainers"):
        if key in after:
            same[key] = [
                {**container, "image": old.get("image", "")}
                for container, old in zip(after[key], before.get(key) or [], strict=False)
            ]
    for key in ("activeDeadlineSeconds", "tolerations"):
        same.pop(key, None)
        if key in before:
            same[key] = before[key]
    key = "terminationGracePeriodSeconds"
    if before.get(key, 0) < 0 and after.get(key) == 1:
        same[key] = before[key]
    return same


def _difference(before: Object, after: Object) -> str:
    """List the changed fields of the spec; Kubernetes prints a Go struct comparison here."""
    lines = []
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            lines += [f"- {key}: {_shown(before.get(key))}", f"+ {key}: {_shown(after.get(key))}"]
    return "\n".join(lines) + "\n"


def _shown(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
