"""Rules for ReplicaSets and their Scale (pkg/apis/apps/validation, pkg/registry/apps)."""

from __future__ import annotations

from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import REPLICA_SETS
from flashsale.embedded.validation.field_checks import invalid, not_negative
from flashsale.embedded.validation.metadata import (
    validate_core_metadata_update,
    validate_metadata,
)
from flashsale.embedded.validation.pod.spec import validate_template
from flashsale.embedded.validation.selectors import validate_selector
from flashsale.objects.models import Object

COUNTS = (
    "replicas",
    "fullyLabeledReplicas",
    "readyReplicas",
    "availableReplicas",
    "observedGeneration",
    "terminatingReplicas",
)
LIMITED = (
    ("fullyLabeledReplicas", "status.replicas"),
    ("readyReplicas", "status.replicas"),
    ("availableReplicas", "status.replicas"),
    ("availableReplicas", "readyReplicas"),
)
MISMATCH = "`selector` does not match template `labels`"


def validate_replicaset(replicaset: Object) -> list[FieldError]:
    """Check a new ReplicaSet."""
    return validate_metadata(REPLICA_SETS, replicaset) + _spec(replicaset.get("spec") or {})


def validate_replicaset_update(new: Object, old: Object) -> list[FieldError]:
    """Check a changed ReplicaSet: its selector may not change."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    errors = validate_core_metadata_update(new, old) + _spec(spec)
    if spec.get("selector") != before.get("selector"):
        wrong = [texts.NOT_IMMUTABLE]
        errors += invalid("spec.selector", _with_keys(spec.get("selector")), wrong)
    return errors


def validate_replica_counts(replicaset: Object) -> list[FieldError]:
    """Check the numbers of a status: none is negative, none exceeds all replicas."""
    status = replicaset.get("status") or {}
    errors: list[FieldError] = []
    for key in COUNTS:
        errors += not_negative(status, key, "status")
    for key, most in LIMITED:
        count, limit = status.get(key) or 0, status.get(most.rpartition(".")[2]) or 0
        why = f"cannot be greater than {most}"
        errors += invalid(f"status.{key}", count, [why] if count > limit else [])
    return errors


def validate_scale(scale: Object) -> list[FieldError]:
    """Check what is sent to the scale subresource; the kind to blame is Scale.autoscaling."""
    return not_negative(scale.get("spec") or {}, "replicas", "spec")


def _spec(spec: Object) -> list[FieldError]:
    errors = not_negative(spec, "replicas", "spec") + not_negative(spec, "minReadySeconds", "spec")
    selector = spec.get("selector")
    if selector is None:
        errors.append(FieldError.required("spec.selector"))
    else:
        errors += validate_selector(selector, "spec.selector")
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            why = "empty selector is invalid for deployment"
            errors.append(FieldError.invalid("spec.selector", selector, why))
        if validate_selector(selector, ""):  # Kubernetes could make no selector of it
            shown = _with_keys(selector)
            return errors + invalid("spec.selector", shown, ["invalid label selector"])
    template = spec.get("template") or {}
    labels = (template.get("metadata") or {}).get("labels")
    if not from_label_selector(selector).matches(labels or {}):
        errors.append(FieldError.invalid("spec.template.metadata.labels", labels, MISMATCH))
    errors += validate_template(template, "spec.template")
    pod = template.get("spec") or {}
    if pod.get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        errors.append(FieldError.forbidden("spec.template.spec.ephemeralContainers", why))
    if pod.get("restartPolicy") != "Always":
        policy = pod.get("restartPolicy", "")
        error = FieldError.unsupported("spec.template.spec.restartPolicy", policy, ["Always"])
        errors.append(error)
    if pod.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in ReplicaSet is not Supported"
        errors.append(FieldError.forbidden("spec.template.spec.activeDeadlineSeconds", why))
    return errors


def _with_keys(selector: Object | None) -> Object | None:
    """Show a selector as Go does, which always writes keys and operators."""
    if selector is None:
        return None
    expressions = selector.get("matchExpressions") or []
    always = {"key": "", "operator": ""}
    filled = {
        "matchLabels": dict(sorted((selector.get("matchLabels") or {}).items())),
        "matchExpressions": [always | expression for expression in expressions],
    }
    return {key: value for key, value in filled.items() if value}
