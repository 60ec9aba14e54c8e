"""Rules for where a pod may run and what it waits for: affinity, tolerations, spreading, gates."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
    Errors,
    each,
    invalid,
    once,
    optional_choice,
    optional_text,
)
from flashsale.embedded.validation.selectors import (
    BAD_OPERATOR,
    validate_requirement,
    validate_selector,
)
from flashsale.objects.models import Object

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
WHEN_UNSATISFIABLE = ("DoNotSchedule", "ScheduleAnyway")
INCLUSION = ("Honor", "Ignore")


def validate_affinity(affinity: Object, at: str) -> Errors:
    """Check which nodes and which neighbours a pod wants."""
    node, place = affinity.get("nodeAffinity") or {}, f"{at}.nodeAffinity"
    if node.get(REQUIRED) is not None:
        yield from _node_selector(node[REQUIRED], f"{place}.{REQUIRED}")
    for where, term in each(node, PREFERRED, place):
        yield from _weight(term, where)
        yield from _node_term(term.get("preference") or {}, f"{where}.preference", strict=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        wanted, place = affinity.get(kind) or {}, f"{at}.{kind}"
        for where, term in each(wanted, REQUIRED, place):
            yield from _pod_term(term, where)
        for where, term in each(wanted, PREFERRED, place):
            yield from _weight(term, where)
            yield from _pod_term(term.get("podAffinityTerm") or {}, f"{where}.podAffinityTerm")


def validate_tolerations(spec: Object, field: str) -> Errors:
    for at, toleration in each(spec, "tolerations", field):
        key, operator, effect, value = (
            toleration.get(name) or "" for name in ("key", "operator", "effect", "value")
        )
        yield from optional_text(key, f"{at}.key", texts.qualified_name)
        if not key and operator != "Exists":
            why = (
                "operator must be Exists when `key` is empty, "
                'which means "match all values and all keys"'
            )
            yield FieldError.invalid(f"{at}.operator", operator, why)
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            yield FieldError.invalid(f"{at}.effect", effect, why)
        yield from _toleration_value(operator, value, f"{at}.operator")
        yield from optional_choice(effect or None, f"{at}.effect", EFFECTS)


def validate_gates(spec: Object, field: str) -> Errors:
    """Check the conditions of readiness, and what keeps a pod from being scheduled."""
    for at, gate in each(spec, "readinessGates", field):
        kind = gate.get("conditionType") or ""
        yield from invalid(f"{at}.conditionType", kind, texts.qualified_name(kind))
    names: set[str] = set()
    for at, gate in each(spec, "schedulingGates", field):
        name = gate.get("name") or ""
        yield from invalid(at, name, texts.qualified_name(name))
        yield from once(name, at, names)


def validate_spreading(spec: Object, field: str) -> Errors:
    constraints = spec.get("topologySpreadConstraints") or []
    pairs = [
        (constraint.get("topologyKey"), constraint.get("whenUnsatisfiable"))
        for constraint in constraints
    ]
    for index, (at, constraint) in enumerate(each(spec, "topologySpreadConstraints", field)):
        key, when = constraint.get("topologyKey") or "", constraint.get("whenUnsatisfiable") or ""
        yield from _above_zero(constraint.get("maxSkew") or 0, f"{at}.maxSkew")
        if not key:
            yield FieldError.required(f"{at}.topologyKey", "can not be empty")
        yield from optional_choice(when, f"{at}.whenUnsatisfiable", WHEN_UNSATISFIABLE)
        if (key, when) in pairs[index + 1 :]:
            place = f"{at}.{{topologyKey, whenUnsatisfiable}}"
            yield FieldError.duplicate(place, f"{{{key}, {when}}}")
        if (least := constraint.get("minDomains")) is not None:
            yield from _above_zero(least, f"{at}.minDomains")
            if when != "DoNotSchedule":
                why = f"can only use minDomains if whenUnsatisfiable=DoNotSchedule, not {when}"
                yield FieldError.invalid(f"{at}.minDomains", least, why)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            yield from optional_choice(constraint.get(name), f"{at}.{name}", INCLUSION)
        if constraint.get("labelSelector") is not None:
            yield from validate_selector(constraint["labelSelector"], f"{at}.labelSelector")
        yield from _label_keys(constraint, at)


def _above_zero(number: int, field: str) -> Errors:
    if number <= 0:
        yield FieldError.invalid(field, number, "must be greater than zero")


def _toleration_value(operator: str, value: str, field: str) -> Errors:
    if operator in ("", "Equal"):
        if wrong := texts.label_value(value):
            yield FieldError.invalid(field, value, ";".join(wrong))
    elif operator == "Exists":
        if value:
            why = "value must be empty when `operator` is 'Exists'"
            yield FieldError.invalid(field, value, why)
    else:
        supported = ["Equal", "Exists"] + (["Lt", "Gt"] if operator in ("Lt", "Gt") else [])
        yield FieldError.unsupported(field, operator, supported)


def _node_selector(selector: Object, at: str) -> Errors:
    if not selector.get("nodeSelectorTerms"):
        why = "must have at least one node selector term"
        yield FieldError.required(f"{at}.nodeSelectorTerms", why)
    for place, term in each(selector, "nodeSelectorTerms", at):
        yield from _node_term(term, place, strict=True)


def _node_term(term: Object, at: str, *, strict: bool) -> Errors:
    for place, wanted in each(term, "matchExpressions", at):
        yield from validate_requirement(wanted, place, of_node=True, judges_values=strict)
    for place, wanted in each(term, "matchFields", at):
        operator, key = wanted.get("operator") or "", wanted.get("key") or ""
        if operator not in ("In", "NotIn"):
            yield FieldError.invalid(f"{place}.operator", operator, BAD_OPERATOR)
        elif len(wanted.get("values") or []) != 1:
            why = (
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            )
            yield FieldError.required(f"{place}.values", why)
        if key != "metadata.name":
            yield FieldError.invalid(f"{place}.key", key, "not a valid field selector key")
            continue
        for where, value in each(wanted, "values", place):
            yield from invalid(where, value, texts.dns_subdomain(value))


def _weight(term: Object, at: str) -> Errors:
    weight = term.get("weight") or 0
    if not 1 <= weight <= 100:
        yield FieldError.invalid(f"{at}.weight", weight, "must be in the range 1-100")


def _pod_term(term: Object, at: str) -> Errors:
    for name in ("labelSelector", "namespaceSelector"):
        if term.get(name) is not None:
            yield from validate_selector(term[name], f"{at}.{name}")
    for name in term.get("namespaces") or []:
        yield from invalid(f"{at}.namespace", name, texts.dns_label(name))
    key = term.get("topologyKey") or ""
    if not key:
        yield FieldError.required(f"{at}.topologyKey", "can not be empty")
    yield from invalid(f"{at}.topologyKey", key, texts.qualified_name(key))
    yield from _label_keys(term, at)


def _label_keys(term: Object, at: str) -> Errors:
    """Check keys whose values are the pod's own."""
    both = ("matchLabelKeys", "mismatchLabelKeys")
    if term.get("labelSelector") is None:
        for name in both:
            if term.get(name):
                why = "must not be specified when labelSelector is not set"
                yield FieldError.forbidden(f"{at}.{name}", why)
        return
    for name in both:
        for place, key in each(term, name, at):
            yield from invalid(place, key, texts.qualified_name(key))
    for place, key in each(term, "matchLabelKeys", at):
        if key in (term.get("mismatchLabelKeys") or []):
            why = "exists in both matchLabelKeys and mismatchLabelKeys"
            yield FieldError.invalid(place, key, why)
