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
    Errors,
    choice,
    each,
    invalid,
    not_negative,
    once,
    optional_choice,
    optional_text,
    required_text,
    validate_app_protocol,
)
from flashsale.embedded.validation.metadata import validate_finalizer
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


def validate_rest(resource: Resource, obj: Object) -> Errors:
    """Check all but the metadata of an object."""
    return CHECKS[resource](obj) if resource in CHECKS else iter(())


def validate_rest_update(resource: Resource, new: Object, old: Object) -> Errors:
    """Check what of an object may not change."""
    if resource is CONFIG_MAPS and old.get("immutable"):
        if not new.get("immutable"):
            yield FieldError.forbidden("immutable", FIXED)
        for key in ("data", "binaryData"):
            if (new.get(key) or {}) != (old.get(key) or {}):
                yield FieldError.forbidden(key, FIXED)
    if resource is PRIORITY_CLASSES:
        yield from validate_priority_class_update(new, old)
    if resource is NODES:
        spec, before = (thing.get("spec") or {} for thing in (new, old))
        for field, word in (("podCIDRs", "podCIDR"), ("providerID", "providerID")):
            if before.get(field) and spec.get(field) != before[field]:
                why = f'node updates may not change {word} except from "" to valid'
                yield FieldError.forbidden(f"spec.{field}", why)
        yield from _taints(new)  # once more than on creation: the real one looks twice


def validate_changed_slice(new: Object, old: Object) -> Errors:
    """Check a changed EndpointSlice; endpoints that stay as they were are not judged again."""
    same = new.get("endpoints") == old.get("endpoints")
    yield from _endpoint_slice({**new, "endpoints": None} if same else new)
    if new.get("addressType") != old.get("addressType"):
        kind = new.get("addressType") or ""
        yield FieldError.invalid("addressType", kind, texts.NOT_IMMUTABLE)


def _config_map(obj: Object) -> Errors:
    plain, binary = obj.get("data") or {}, obj.get("binaryData") or {}
    for key in plain:
        yield from invalid(f"data[{key}]", key, texts.config_key(key))
        if key in binary:
            yield FieldError.invalid(f"data[{key}]", key, "duplicate of key present in binaryData")
    for key in binary:
        yield from invalid(f"binaryData[{key}]", key, texts.config_key(key))
    size = sum(len(value.encode()) for value in plain.values())
    size += sum(len(value) * 3 // 4 - value.count("=") for value in binary.values())
    if size > LARGEST:
        yield FieldError.too_long("[]", LARGEST)


def _endpoint_slice(obj: Object) -> Errors:
    kind = obj.get("addressType")
    yield from choice(kind, "addressType", ADDRESS_TYPES)
    names: set[str] = set()
    ports, endpoints = obj.get("ports") or [], obj.get("endpoints") or []
    if len(ports) > MOST_PORTS:
        yield FieldError.too_many("ports", len(ports), MOST_PORTS)
        obj = obj | {"ports": []}
    for at, port in each(obj, "ports"):
        name = port.get("name") or ""
        yield from optional_text(name, f"{at}.name", texts.dns_label)
        yield from once(name, f"{at}.name", names)
        yield from choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
        yield from validate_app_protocol(port, at)
    if len(endpoints) > MOST_ENDPOINTS:
        yield FieldError.too_many("endpoints", len(endpoints), MOST_ENDPOINTS)
        return
    for at, endpoint in each(obj, "endpoints"):
        yield from _endpoint(endpoint, at, kind)


def _endpoint(endpoint: Object, at: str, kind: str | None) -> Errors:
    addresses, field = endpoint.get("addresses") or [], f"{at}.addresses"
    if not addresses:
        yield FieldError.required(field, "must contain at least 1 address")
    if len(addresses) > MOST_ADDRESSES:
        yield FieldError.too_many(field, len(addresses), MOST_ADDRESSES)
    for place, address in each(endpoint, "addresses", at):
        if kind == "FQDN":
            yield from invalid(place, address, texts.dns_subdomain(address))
        elif kind in ADDRESS_TYPES:
            wrong = texts.ip_address(address)
            family = "IPv6" if ":" in address else "IPv4"
            if not wrong and family != kind:
                yield FieldError.invalid(field, address, f"must be an {kind} address")
            yield from invalid(place, address, wrong or texts.endpoint_ip(address))
    for key, rule in (("nodeName", texts.dns_subdomain), ("hostname", texts.dns_label)):
        if endpoint.get(key) is not None:  # an empty one is judged too
            yield from invalid(f"{at}.{key}", endpoint[key], rule(endpoint[key]))
    yield from _hints(endpoint.get("hints") or {}, f"{at}.hints")


def _hints(hints: Object, at: str) -> Errors:
    for key, rule in (("forZones", texts.label_value), ("forNodes", texts.dns_subdomain)):
        names: set[str] = set()
        if (count := len(hints.get(key) or [])) > MOST_HINTS:
            yield FieldError.too_many(f"{at}.{key}", count, MOST_HINTS)
            return
        for place, hint in each(hints, key, at):
            name = hint.get("name") or ""
            yield from once(name, f"{place}.name", names)
            yield from invalid(f"{place}.name", name, rule(name))


def _endpoints(obj: Object) -> Errors:
    for at, subset in each(obj, "subsets"):
        if not subset.get("addresses") and not subset.get("notReadyAddresses"):
            yield FieldError.required(at, "must specify `addresses` or `notReadyAddresses`")
        for key in ("addresses", "notReadyAddresses"):
            for place, address in each(subset, key, at):
                yield from _endpoint_address(address, place)
        for place, port in each(subset, "ports", at):
            yield from _endpoint_port(port, place, named=len(subset["ports"]) > 1)


def _endpoint_address(address: Object, at: str) -> Errors:
    value = address.get("ip") or ""
    yield from invalid(f"{at}.ip", value, texts.ip_address(value))
    for key, rule in (("hostname", texts.dns_label), ("nodeName", texts.dns_subdomain)):
        yield from optional_text(address.get(key), f"{at}.{key}", rule)
    yield from invalid(f"{at}.ip", value, texts.endpoint_ip(value))


def _endpoint_port(port: Object, at: str, *, named: bool) -> Errors:
    number, check = port.get("port") or 0, required_text if named else optional_text
    yield from check(port.get("name") or "", f"{at}.name", texts.dns_label)
    yield from invalid(f"{at}.port", number, texts.port_number(number))
    yield from choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    yield from validate_app_protocol(port, at)


def _event(obj: Object) -> Errors:
    namespace = (obj.get("metadata") or {}).get("namespace") or ""
    about, timed = (obj.get("involvedObject") or {}).get("namespace") or "", obj.get("eventTime")
    anywhere = ("default", "kube-system") if timed else ("default",)
    if (namespace != about and not timed) if about else (namespace not in anywhere):
        why = "does not match event.namespace"
        yield FieldError.invalid("involvedObject.namespace", about, why)
    if timed:
        yield from _timed_event(obj)


def _timed_event(obj: Object) -> Errors:
    """Check what an event of the newer form must have."""
    for key, most in EVENT_TEXTS.items():
        value = obj.get(key) or ""
        if not value and key != "message":
            yield FieldError.required(key)
        if key == "reportingComponent":
            yield from invalid(key, value, texts.qualified_name(value))
        elif len(value.encode()) > most:
            yield FieldError.invalid(key, "", f"can have at most {most} characters")


def _lease(obj: Object) -> Errors:
    spec = obj.get("spec") or {}
    seconds = spec.get("leaseDurationSeconds")
    if seconds is not None and seconds <= 0:
        yield FieldError.invalid("spec.leaseDurationSeconds", seconds, "must be greater than 0")
    yield from not_negative(spec, "leaseTransitions", "spec")
    if spec.get("preferredHolder") and not spec.get("strategy"):
        why = "may only be specified if `strategy` is defined"
        yield FieldError.forbidden("spec.preferredHolder", why)


def _namespace(namespace: Object) -> Errors:
    for name in (namespace.get("spec") or {}).get("finalizers") or []:
        yield from validate_finalizer(name, "spec.finalizers")


def validate_namespace_finalizers(namespace: Object) -> Errors:
    """Check what `namespaces/NAME/finalize` is sent (ValidateNamespaceFinalizeUpdate)."""
    for at, name in each(namespace.get("spec") or {}, "finalizers", "spec"):
        yield from validate_finalizer(name, at)


def _node(obj: Object) -> Errors:
    yield from _taints(obj)
    status, spec = obj.get("status") or {}, obj.get("spec") or {}
    for key in ("capacity", "allocatable"):
        for name, amount in (status.get(key) or {}).items():
            yield from validate_amount(name, amount, f"status.{key}.{name}")
    for at, network in each(spec, "podCIDRs", "spec"):
        yield from invalid(at, network, texts.cidr(network))
    families = [":" in network for network in spec.get("podCIDRs") or []]
    if len(set(families)) < len(families):
        why = "may specify no more than one CIDR for each IP family"
        yield FieldError.invalid("spec.podCIDRs", spec["podCIDRs"], why)


def _taints(node: Object) -> Errors:
    pairs: set[tuple[str, str]] = set()
    for at, taint in each(node.get("spec") or {}, "taints", "metadata"):
        key, value, effect = (taint.get(name) or "" for name in ("key", "value", "effect"))
        yield from invalid(f"{at}.key", key, texts.qualified_name(key))
        if wrong := texts.label_value(value):
            yield FieldError.invalid(f"{at}.value", value, ";".join(wrong))
        yield from choice(effect, f"{at}.effect", EFFECTS)
        if (key, effect) in pairs:
            shown = {"Key": key, "Value": value, "Effect": effect, "TimeAdded": None}
            yield FieldError.duplicate(at, shown, "taints must be unique by key and effect pair")
        pairs.add((key, effect))


def _as_go_prints(spec: Object) -> Object:
    """Write a budget's spec as the server's own struct."""
    fields = ("minAvailable", "selector", "maxUnavailable", "unhealthyPodEvictionPolicy")
    return {field[0].upper() + field[1:]: spec.get(field) for field in fields}


def _disruption_budget(obj: Object) -> Errors:
    spec = obj.get("spec") or {}
    both = ("minAvailable", "maxUnavailable")
    if all(spec.get(key) is not None for key in both):
        why = "minAvailable and maxUnavailable cannot be both set"
        yield FieldError.invalid("spec", _as_go_prints(spec), why)
    for key in both:
        value = spec.get(key)
        if isinstance(value, int):
            yield from not_negative(spec, key, "spec")
        elif isinstance(value, str) and not re.fullmatch(r"[0-9]+%", value):
            why = (
                "a valid percent string must be a numeric string followed by an ending '%' (e.g. "
                "'1%',  or '93%', regex used for validation is '[0-9]+%')"
            )
            yield FieldError.invalid(f"spec.{key}", value, why)
        elif isinstance(value, str) and int(value[:-1]) > 100:
            yield FieldError.invalid(f"spec.{key}", value, "must not be greater than 100%")
    yield from validate_selector(spec.get("selector") or {}, "spec.selector")
    policy, supported = spec.get("unhealthyPodEvictionPolicy"), ("AlwaysAllow", "IfHealthyBudget")
    yield from optional_choice(policy, "spec.unhealthyPodEvictionPolicy", supported)


CHECKS: dict[Resource, Callable[[Object], Errors]] = {
    CONFIG_MAPS: _config_map,
    DISRUPTION_BUDGETS: _disruption_budget,
    ENDPOINTS: _endpoints,
    ENDPOINT_SLICES: _endpoint_slice,
    EVENTS: _event,
    NAMESPACES: _namespace,
    LEASES: _lease,
    NODES: _node,
    PRIORITY_CLASSES: validate_priority_class,
}
