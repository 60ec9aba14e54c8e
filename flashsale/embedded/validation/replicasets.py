"""Rules for ReplicaSets and their Scale (pkg/apis/apps/validation, pkg/registry/apps)."""

from __future__ import annotations

from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import REPLICA_SETS
from flashsale.embedded.validation.field_checks import Errors, not_negative, optional_choice
from flashsale.embedded.validation.metadata import validate_core_metadata_update, validate_metadata
from flashsale.embedded.validation.pod.spec import validate_template
from flashsale.embedded.validation.selectors import validate_selector
from flashsale.objects.models import Object

COUNTS = (
    "replicas", "fullyLabeledReplicas", "readyReplicas", "availableReplicas", "observedGeneration",
    "terminatingReplicas",
)  # fmt: skip
LIMITED = (
    ("fullyLabeledReplicas", "status.replicas"),
    ("readyReplicas", "status.replicas"),
    ("availableReplicas", "status.replicas"),
    ("availableReplicas", "readyReplicas"),
)


def validate_replicaset(replicaset: Object) -> Errors:
    yield from validate_metadata(REPLICA_SETS, replicaset)
    yield from _spec(replicaset.get("spec") or {})


def validate_replicaset_update(new: Object, old: Object) -> Errors:
    """Check a changed ReplicaSet: its selector may not change."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from validate_core_metadata_update(new, old)
    yield from _spec(spec)
    if (selector := spec.get("selector")) != before.get("selector"):
        yield FieldError.invalid("spec.selector", _with_keys(selector), texts.NOT_IMMUTABLE)


def validate_replica_counts(replicaset: Object) -> Errors:
    """Check the numbers of a status: none is negative, none exceeds all replicas."""
    status = replicaset.get("status") or {}
    for key in COUNTS:
        yield from not_negative(status, key, "status")
    for key, most in LIMITED:
        count = status.get(key) or 0
        if count > (status.get(most.rpartition(".")[2]) or 0):
            yield FieldError.invalid(f"status.{key}", count, f"cannot be greater than {most}")


def validate_scale(scale: Object) -> list[FieldError]:
    """Check what is sent to the scale subresource; the kind to blame is Scale.autoscaling."""
    return list(not_negative(scale.get("spec") or {}, "replicas", "spec"))


def _spec(spec: Object) -> Errors:
    for key in ("replicas", "minReadySeconds"):
        yield from not_negative(spec, key, "spec")
    selector = spec.get("selector")
    if selector is None:
        yield FieldError.required("spec.selector")
    else:
        wrong = list(validate_selector(selector, "spec.selector"))
        yield from wrong
        if not selector.get("matchLabels") and not selector.get("matchExpressions"):
            why = "empty selector is invalid for deployment"
            yield FieldError.invalid("spec.selector", selector, why)
        if wrong:  # Kubernetes could make no selector of it
            yield FieldError.invalid(
                "spec.selector", _with_keys(selector), "invalid label selector"
            )
            return
    template = spec.get("template") or {}
    labels, pod = (template.get("metadata") or {}).get("labels"), template.get("spec") or {}
    if not from_label_selector(selector).matches(labels or {}):
        why = "`selector` does not match template `labels`"
        yield FieldError.invalid("spec.template.metadata.labels", labels, why)
    yield from validate_template(template, "spec.template")
    at = "spec.template.spec"
    if pod.get("ephemeralContainers"):
        why = "ephemeral containers not allowed in pod template"
        yield FieldError.forbidden(f"{at}.ephemeralContainers", why)
    yield from optional_choice(pod.get("restartPolicy", ""), f"{at}.restartPolicy", ("Always",))
    if pod.get("activeDeadlineSeconds") is not None:
        why = "activeDeadlineSeconds in ReplicaSet is not Supported"
        yield FieldError.forbidden(f"{at}.activeDeadlineSeconds", why)


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
