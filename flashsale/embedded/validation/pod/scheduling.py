"""Rules for where a pod may run and what it waits for: affinity, tolerations, spreading, gates."""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import invalid, optional_choice, optional_text
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


def validate_affinity(affinity: Object, at: str) -> list[FieldError]:
    """Check which nodes and which neighbours a pod wants."""
    errors: list[FieldError] = []
    node = affinity.get("nodeAffinity") or {}
    if node.get(REQUIRED) is not None:
        errors += _node_selector(node[REQUIRED], f"{at}.nodeAffinity.{REQUIRED}")
    for index, term in enumerate(node.get(PREFERRED) or []):
        place = f"{at}.nodeAffinity.{PREFERRED}[{index}]"
        errors += _weight(term, place)
        errors += _node_term(term.get("preference") or {}, f"{place}.preference", strict=False)
    for kind in ("podAffinity", "podAntiAffinity"):
        wanted = affinity.get(kind) or {}
        for index, term in enumerate(wanted.get(REQUIRED) or []):
            errors += _pod_term(term, f"{at}.{kind}.{REQUIRED}[{index}]")
        for index, term in enumerate(wanted.get(PREFERRED) or []):
            place = f"{at}.{kind}.{PREFERRED}[{index}]"
            errors += _weight(term, place)
            errors += _pod_term(term.get("podAffinityTerm") or {}, f"{place}.podAffinityTerm")
    return errors


def validate_tolerations(tolerations: list[Object], field: str) -> list[FieldError]:
    """Check which taints a pod bears."""
    errors: list[FieldError] = []
    for index, toleration in enumerate(tolerations):
        at, key = f"{field}[{index}]", toleration.get("key") or ""
        operator, effect = toleration.get("operator") or "", toleration.get("effect") or ""
        errors += optional_text(key, f"{at}.key", texts.qualified_name)
        if not key and operator != "Exists":
            why = (
                "operator must be Exists when `key` is empty, "
                'which means "match all values and all keys"'
            )
            errors.append(FieldError.invalid(f"{at}.operator", operator, why))
        if toleration.get("tolerationSeconds") is not None and effect != "NoExecute":
            why = "effect must be 'NoExecute' when `tolerationSeconds` is set"
            errors.append(FieldError.invalid(f"{at}.effect", effect, why))
        errors += _toleration_value(operator, toleration.get("value") or "", at)
        errors += optional_choice(effect or None, f"{at}.effect", EFFECTS)
    return errors


def validate_gates(spec: Object, field: str) -> list[FieldError]:
    """Check the conditions of readiness, and what keeps a pod from being scheduled."""
    errors: list[FieldError] = []
    for index, gate in enumerate(spec.get("readinessGates") or []):
        kind, at = gate.get("conditionType") or "", f"{field}.readinessGates[{index}]"
        errors += invalid(f"{at}.conditionType", kind, texts.qualified_name(kind))
    names: set[str] = set()
    for index, gate in enumerate(spec.get("schedulingGates") or []):
        name, at = gate.get("name") or "", f"{field}.schedulingGates[{index}]"
        errors += invalid(at, name, texts.qualified_name(name))
        if name in names:
            errors.append(FieldError.duplicate(at, name))
        names.add(name)
    return errors


def validate_spreading(constraints: list[Object], field: str) -> list[FieldError]:
    """Check how evenly pods are to be spread."""
    errors: list[FieldError] = []
    for index, constraint in enumerate(constraints):
        at, key = f"{field}[{index}]", constraint.get("topologyKey") or ""
        skew, when = constraint.get("maxSkew") or 0, constraint.get("whenUnsatisfiable") or ""
        errors += invalid(f"{at}.maxSkew", skew, ["must be greater than zero"] if skew <= 0 else [])
        if not key:
            errors.append(FieldError.required(f"{at}.topologyKey", "can not be empty"))
        errors += optional_choice(when, f"{at}.whenUnsatisfiable", WHEN_UNSATISFIABLE)
        if any(
            (other.get("topologyKey"), other.get("whenUnsatisfiable")) == (key, when)
            for other in constraints[index + 1 :]
        ):
            shown = f"{{{key}, {when}}}"
            errors.append(FieldError.duplicate(f"{at}.{{topologyKey, whenUnsatisfiable}}", shown))
        errors += _domains(constraint, when, at)
        for name in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            errors += optional_choice(constraint.get(name), f"{at}.{name}", INCLUSION)
        if constraint.get("labelSelector") is not None:
            errors += validate_selector(constraint["labelSelector"], f"{at}.labelSelector")
        errors += _label_keys(constraint, at)
    return errors


def _toleration_value(operator: str, value: str, at: str) -> list[FieldError]:
    if operator in ("", "Equal"):
        wrong = texts.label_value(value)
        return invalid(f"{at}.operator", value, [";".join(wrong)] if wrong else [])
    if operator == "Exists":
        why = "value must be empty when `operator` is 'Exists'"
        return invalid(f"{at}.operator", value, [why] if value else [])
    supported = ["Equal", "Exists"] + (["Lt", "Gt"] if operator in ("Lt", "Gt") else [])
    return [FieldError.unsupported(f"{at}.operator", operator, supported)]


def _node_selector(selector: Object, at: str) -> list[FieldError]:
    terms, field = selector.get("nodeSelectorTerms") or [], f"{at}.nodeSelectorTerms"
    if not terms:
        return [FieldError.required(field, "must have at least one node selector term")]
    errors: list[FieldError] = []
    for index, term in enumerate(terms):
        errors += _node_term(term, f"{field}[{index}]", strict=True)
    return errors


def _node_term(term: Object, at: str, *, strict: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, wanted in enumerate(term.get("matchExpressions") or []):
        place = f"{at}.matchExpressions[{index}]"
        errors += validate_requirement(wanted, place, of_node=True, judges_values=strict)
    for index, wanted in enumerate(term.get("matchFields") or []):
        place, values = f"{at}.matchFields[{index}]", wanted.get("values") or []
        operator, key = wanted.get("operator") or "", wanted.get("key") or ""
        if operator not in ("In", "NotIn"):
            errors += invalid(f"{place}.operator", operator, [BAD_OPERATOR])
        elif len(values) != 1:
            why = (
                "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
            )
            errors.append(FieldError.required(f"{place}.values", why))
        if key != "metadata.name":
            errors += invalid(f"{place}.key", key, ["not a valid field selector key"])
            continue
        for number, value in enumerate(values):
            errors += invalid(f"{place}.values[{number}]", value, texts.dns_subdomain(value))
    return errors


def _weight(term: Object, at: str) -> list[FieldError]:
    weight = term.get("weight") or 0
    return invalid(
        f"{at}.weight", weight, [] if 1 <= weight <= 100 else ["must be in the range 1-100"]
    )


def _pod_term(term: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name in ("labelSelector", "namespaceSelector"):
        if term.get(name) is not None:
            errors += validate_selector(term[name], f"{at}.{name}")
    for name in term.get("namespaces") or []:
        errors += invalid(f"{at}.namespace", name, texts.dns_label(name))
    key = term.get("topologyKey") or ""
    if not key:
        errors.append(FieldError.required(f"{at}.topologyKey", "can not be empty"))
    errors += invalid(f"{at}.topologyKey", key, texts.qualified_name(key))
    return errors + _label_keys(term, at)


def _label_keys(term: Object, at: str) -> list[FieldError]:
    """Check keys whose values are the pod's own."""
    errors: list[FieldError] = []
    selector, same = term.get("labelSelector"), term.get("matchLabelKeys") or []
    other = term.get("mismatchLabelKeys") or []
    if selector is None:
        why = "must not be specified when labelSelector is not set"
        both = (("matchLabelKeys", same), ("mismatchLabelKeys", other))
        return [FieldError.forbidden(f"{at}.{key}", why) for key, keys in both if keys]
    for name, keys in (("matchLabelKeys", same), ("mismatchLabelKeys", other)):
        for index, key in enumerate(keys):
            errors += invalid(f"{at}.{name}[{index}]", key, texts.qualified_name(key))
    for index, key in enumerate(same):
        if key in other:
            why = "exists in both matchLabelKeys and mismatchLabelKeys"
            errors += invalid(f"{at}.matchLabelKeys[{index}]", key, [why])
    return errors


def _domains(constraint: Object, when: str, at: str) -> list[FieldError]:
    least = constraint.get("minDomains")
    if least is None:
        return []
    errors = invalid(f"{at}.minDomains", least, ["must be greater than zero"] if least <= 0 else [])
    if when != "DoNotSchedule":
        why = "can only use minDomains if whenUnsatisfiable=DoNotSchedule, not " + when
        errors += invalid(f"{at}.minDomains", least, [why])
    return errors
