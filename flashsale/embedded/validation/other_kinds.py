"""Rules for kinds that users hardly write by hand: each in the order of Kubernetes' own checks."""

from __future__ import annotations

import re
from collections.abc import Callable

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import (
    CONFIG_MAPS,
    DISRUPTION_BUDGETS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    LEASES,
    NAMESPACES,
    NODES,
    PRIORITY_CLASSES,
    Resource,
)
from flashsale.embedded.validation.field_checks import (
    choice,
    invalid,
    not_negative,
    optional_choice,
    optional_text,
)
from flashsale.embedded.validation.namespaces import validate_namespace
from flashsale.embedded.validation.pod.containers import PROTOCOLS
from flashsale.embedded.validation.pod.requests_and_limits import validate_amount
from flashsale.embedded.validation.pod.scheduling import EFFECTS
from flashsale.embedded.validation.priority_classes import (
    validate_priority_class,
    validate_priority_class_update,
)
from flashsale.embedded.validation.selectors import validate_selector
from flashsale.objects.models import Object

LARGEST = 1024 * 1024  # bytes of a ConfigMap's values
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MOST_ADDRESSES, MOST_HINTS = 100, 8  # of one endpoint
MOST_ENDPOINTS, MOST_PORTS = 1000, 20_000  # of one slice
EVENT_TEXTS = {  # in characters
    "reportingComponent": 0,
    "reportingInstance": 128,
    "action": 128,
    "reason": 128,
    "message": 1024,
}
FIXED = "field is immutable when `immutable` is set"


def validate_rest(resource: Resource, obj: Object) -> list[FieldError]:
    """Check all but the metadata of an object."""
    check = CHECKS.get(resource)
    return check(obj) if check else []


def validate_rest_update(resource: Resource, new: Object, old: Object) -> list[FieldError]:
    """Check what of an object may not change."""
    if resource is CONFIG_MAPS and old.get("immutable"):
        errors = [] if new.get("immutable") else [FieldError.forbidden("immutable", FIXED)]
        parts = ("data", "binaryData")
        changed = [key for key in parts if (new.get(key) or {}) != (old.get(key) or {})]
        return errors + [FieldError.forbidden(key, FIXED) for key in changed]
    if resource is PRIORITY_CLASSES:
        return validate_priority_class_update(new, old)
    if resource is NODES:
        errors = []
        spec, before = (thing.get("spec") or {} for thing in (new, old))
        for field, word in (("podCIDRs", "podCIDR"), ("providerID", "providerID")):
            if before.get(field) and spec.get(field) != before[field]:
                why = f'node updates may not change {word} except from "" to valid'
                errors.append(FieldError.forbidden(f"spec.{field}", why))
        return errors + _taints(new)  # once more than on creation: the real one looks twice
    return []


def validate_changed_slice(new: Object, old: Object) -> list[FieldError]:
    """Check a changed EndpointSlice; endpoints that stay as they were are not judged again."""
    same = new.get("endpoints") == old.get("endpoints")
    errors = _endpoint_slice({**new, "endpoints": None} if same else new)
    if new.get("addressType") != old.get("addressType"):
        errors += invalid("addressType", new.get("addressType") or "", [texts.NOT_IMMUTABLE])
    return errors


def _config_map(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    plain, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for key in plain:
        errors += invalid(f"data[{key}]", key, texts.config_key(key))
        if key in binary:
            errors += invalid(f"data[{key}]", key, ["duplicate of key present in binaryData"])
    for key in binary:
        errors += invalid(f"binaryData[{key}]", key, texts.config_key(key))
    size = sum(len(value.encode()) for value in plain.values())
    size += sum(len(value) * 3 // 4 - value.count("=") for value in binary.values())
    return errors + ([FieldError.too_long("[]", LARGEST)] if size > LARGEST else [])


def _endpoint_slice(obj: Object) -> list[FieldError]:
    kind = obj.get("addressType")
    errors = choice(kind, "addressType", ADDRESS_TYPES)
    names: set[str] = set()
    ports, endpoints = obj.get("ports") or [], obj.get("endpoints") or []
    if len(ports) > MOST_PORTS:
        errors.append(FieldError.too_many("ports", len(ports), MOST_PORTS))
        ports = []
    for index, port in enumerate(ports):
        at, name = f"ports[{index}]", port.get("name") or ""
        errors += optional_text(name, f"{at}.name", texts.dns_label)
        if name in names:
            errors.append(FieldError.duplicate(f"{at}.name", name))
        names.add(name)
        errors += choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
        errors += _app_protocol(port, at)
    if len(endpoints) > MOST_ENDPOINTS:
        return [*errors, FieldError.too_many("endpoints", len(endpoints), MOST_ENDPOINTS)]
    for index, endpoint in enumerate(endpoints):
        errors += _endpoint(endpoint, f"endpoints[{index}]", kind)
    return errors


def _endpoint(endpoint: Object, at: str, kind: str | None) -> list[FieldError]:
    errors: list[FieldError] = []
    addresses, field = endpoint.get("addresses") or [], f"{at}.addresses"
    if not addresses:
        errors.append(FieldError.required(field, "must contain at least 1 address"))
    if len(addresses) > MOST_ADDRESSES:
        errors.append(FieldError.too_many(field, len(addresses), MOST_ADDRESSES))
    for index, address in enumerate(addresses):
        place = f"{field}[{index}]"
        if kind == "FQDN":
            errors += invalid(place, address, texts.dns_subdomain(address))
        elif kind in ADDRESS_TYPES:
            wrong = texts.ip_address(address)
            family = "IPv6" if ":" in address else "IPv4"
            if not wrong and family != kind:
                errors += invalid(field, address, [f"must be an {kind} address"])
            errors += invalid(place, address, wrong or texts.endpoint_ip(address))
    for key, rule in (("nodeName", texts.dns_subdomain), ("hostname", texts.dns_label)):
        if endpoint.get(key) is not None:  # an empty one is judged too
            errors += invalid(f"{at}.{key}", endpoint[key], rule(endpoint[key]))
    return errors + _hints(endpoint.get("hints") or {}, f"{at}.hints")


def _hints(hints: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for key, rule in (("forZones", texts.label_value), ("forNodes", texts.dns_subdomain)):
        hinted = [hint.get("name") or "" for hint in hints.get(key) or []]
        place = f"{at}.{key}"
        if len(hinted) > MOST_HINTS:
            return [*errors, FieldError.too_many(place, len(hinted), MOST_HINTS)]
        for index, name in enumerate(hinted):
            if name in hinted[:index]:
                errors.append(FieldError.duplicate(f"{place}[{index}].name", name))
            errors += invalid(f"{place}[{index}].name", name, rule(name))
    return errors


def _endpoints(obj: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, subset in enumerate(obj.get("subsets") or []):
        at, ports = f"subsets[{index}]", subset.get("ports") or []
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            why = "must specify `addresses` or `notReadyAddresses`"
            errors.append(FieldError.required(at, why))
        for key in ("addresses", "notReadyAddresses"):
            for number, address in enumerate(subset.get(key) or []):
                errors += _endpoint_address(address, f"{at}.{key}[{number}]")
        for number, port in enumerate(ports):
            errors += _endpoint_port(port, f"{at}.ports[{number}]", named=len(ports) > 1)
    return errors


def _endpoint_address(address: Object, at: str) -> list[FieldError]:
    value = address.get("ip") or ""
    errors = invalid(f"{at}.ip", value, texts.ip_address(value))
    for key, rule in (("hostname", texts.dns_label), ("nodeName", texts.dns_subdomain)):
        errors += optional_text(address.get(key), f"{at}.{key}", rule)
    return errors + invalid(f"{at}.ip", value, texts.endpoint_ip(value))


def _endpoint_port(port: Object, at: str, *, named: bool) -> list[FieldError]:
    name, number = port.get("name") or "", port.get("port") or 0
    errors = [FieldError.required(f"{at}.name")] if named and not name else []
    errors += optional_text(name, f"{at}.name", texts.dns_label)
    errors += invalid(f"{at}.port", number, texts.port_number(number))
    errors += choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    return errors + _app_protocol(port, at)


def _app_protocol(port: Object, at: str) -> list[FieldError]:
    word = port.get("appProtocol")
    return invalid(f"{at}.appProtocol", word, [] if word is None else texts.qualified_name(word))


def _event(obj: Object) -> list[FieldError]:
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    about = (obj.get("involvedObject") or {}).get("namespace") or ""
    anywhere = ("default", "kube-system") if obj.get("eventTime") else ("default",)
    wrong = namespace not in anywhere if not about else namespace != about
    if about and obj.get("eventTime"):
        wrong = False
    why = "does not match event.namespace"
    errors = invalid("involvedObject.namespace", about, [why] if wrong else [])
    return errors + (_timed_event(obj) if obj.get("eventTime") else [])


def _timed_event(obj: Object) -> list[FieldError]:
    """Check what an event of the newer form must have."""
    errors: list[FieldError] = []
    for key, most in EVENT_TEXTS.items():
        value = obj.get(key) or ""
        if not value and key != "message":
            errors.append(FieldError.required(key))
        if key == "reportingComponent":
            errors += invalid(key, value, texts.qualified_name(value))
        elif len(value.encode()) > most:
            errors.append(FieldError.invalid(key, "", f"can have at most {most} characters"))
    return errors


def _lease(obj: Object) -> list[FieldError]:
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    sound = seconds is None or seconds > 0
    errors = invalid(
        "spec.leaseDurationSeconds", seconds, [] if sound else ["must be greater than 0"]
    )
    errors += not_negative(spec, "leaseTransitions", "spec")
    if spec.get("preferredHolder") and not spec.get("strategy"):
        why = "may only be specified if `strategy` is defined"
        errors.append(FieldError.forbidden("spec.preferredHolder", why))
    return errors


def _node(obj: Object) -> list[FieldError]:
    errors = _taints(obj)
    status, networks = obj.get("status") or {}, (obj.get("spec") or {}).get("podCIDRs") or []
    for key in ("capacity", "allocatable"):
        for name, amount in (status.get(key) or {}).items():
            errors += validate_amount(name, amount, f"status.{key}.{name}")
    wrong: list[FieldError] = []
    for index, network in enumerate(networks):
        wrong += invalid(f"spec.podCIDRs[{index}]", network, texts.cidr(network))
    families = [":" in network for network in networks]
    if len(set(families)) < len(families):
        why = "may specify no more than one CIDR for each IP family"
        wrong += invalid("spec.podCIDRs", networks, [why])
    return errors + wrong


def _taints(node: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    pairs: set[tuple[str, str]] = set()
    for index, taint in enumerate((node.get("spec") or {}).get("taints") or []):
        at, key = f"metadata.taints[{index}]", taint.get("key") or ""
        value, effect = taint.get("value") or "", taint.get("effect") or ""
        errors += invalid(f"{at}.key", key, texts.qualified_name(key))
        wrong = texts.label_value(value)
        errors += invalid(f"{at}.value", value, [";".join(wrong)] if wrong else [])
        errors += choice(effect, f"{at}.effect", EFFECTS)
        if (key, effect) in pairs:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": None}
            errors.append(
                FieldError.duplicate(at, shown, "taints must be unique by key and effect pair")
            )
        pairs.add((key, effect))
    return errors


def _as_go_prints(spec: Object) -> Object:
    """Write a budget's spec as the server's own struct."""
    fields = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
    return {field[0].upper() + field[1:]: spec.get(field) for field in fields}


def _disruption_budget(obj: Object) -> list[FieldError]:
    spec, errors = obj.get("spec") or {}, []
    both = ("minAvailable", "maxUnavailable")
    if all(spec.get(key) is not None for key in both):
        why = "minAvailable and maxUnavailable cannot be both set"
        errors.append(FieldError.invalid("spec", _as_go_prints(spec), why))
    for key in both:
        value = spec.get(key)
        if isinstance(value, int) and value < 0:
            errors += not_negative(spec, key, "spec")
        elif isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
            why = (
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
                "'1%',  or '93%', regex used for validation is '[0-9]+%')"
            )
            errors.append(FieldError.invalid(f"spec.{key}", value, why))
        elif isinstance(value, str) and int(value[:-1]) > 100:
            errors.append(FieldError.invalid(f"spec.{key}", value, "must not be greater than 100%"))
    errors += validate_selector(spec.get("selector") or {}, "spec.selector")
    key, supported = "unhealthyPodEvictionPolicy", ("AlwaysAllow", "IfHealthyBudget")
    return errors + optional_choice(spec.get(key), f"spec.{key}", supported)


CHECKS: dict[Resource, Callable[[Object], list[FieldError]]] = {
    CONFIG_MAPS: _config_map,
    DISRUPTION_BUDGETS: _disruption_budget,
    ENDPOINTS: _endpoints,
    ENDPOINT_SLICES: _endpoint_slice,
    EVENTS: _event,
    NAMESPACES: validate_namespace,
    LEASES: _lease,
    NODES: _node,
    PRIORITY_CLASSES: validate_priority_class,
}
