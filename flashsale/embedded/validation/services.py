"""Rules for Services (ValidateService in pkg/apis/core/validation/validation.go).

Node ports and addresses that are taken or out of range are not judged here but where they are
given out.
"""

from __future__ import annotations

import json

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import SERVICES
from flashsale.embedded.validation import texts
from flashsale.embedded.validation.containers import PROTOCOLS, choice
from flashsale.embedded.validation.metadata import (
    invalid,
    validate_labels,
    validate_metadata,
    validate_metadata_update,
)
from flashsale.embedded.validation.probes import port_or_name
from flashsale.objects.models import Object

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
LONGEST_AFFINITY = 86400  # seconds


def validate_service(service: Object) -> list[FieldError]:
    """Check a new Service."""
    return validate_metadata(SERVICES, service) + _spec(service.get("spec") or {})


def validate_service_update(new: Object, old: Object) -> list[FieldError]:
    """Check a changed Service: its address stays."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    return validate_metadata_update(new, old) + _address_change(spec, before) + _spec(spec)


def _address_change(spec: Object, before: Object) -> list[FieldError]:
    """Check the cluster address; one that is left out is kept (patchAllocatedValues)."""
    given, kept = spec.get("clusterIP") or "", before.get("clusterIP") or ""
    addresses = spec.get("clusterIPs") or []
    if addresses and addresses != (before.get("clusterIPs") or []):
        given = addresses[0] if given in ("", kept) else given
    outside = "ExternalName" in (spec.get("type"), before.get("type"))
    if outside or not kept or given in ("", kept):
        return []
    return [FieldError.invalid("spec.clusterIPs[0]", [given], "may not change once set")]


def _spec(spec: Object) -> list[FieldError]:
    kind, ports = spec.get("type"), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    errors = []
    if not ports and not headless and kind != "ExternalName":
        errors.append(FieldError.required("spec.ports"))
    if headless and kind in ("LoadBalancer", "NodePort"):
        why = f"may not be set to 'None' for {kind} services"
        errors.append(FieldError.invalid("spec.clusterIPs[0]", "None", why))
    if kind == "ExternalName":
        errors += _external_name(spec)
    for index, port in enumerate(ports):
        earlier = {other.get("name") for other in ports[:index]}
        errors += _port(port, f"spec.ports[{index}]", earlier, named=len(ports) > 1)
    errors += validate_labels(spec.get("selector"), "spec.selector")
    errors += _affinity(spec)
    for index, address in enumerate(spec.get("externalIPs") or []):
        errors += invalid(f"spec.externalIPs[{index}]", address, texts.ip_address(address))
    errors += choice(kind, "spec.type", TYPES)
    return errors + _port_conflicts(ports, kind) + _traffic(spec)


def _external_name(spec: Object) -> list[FieldError]:
    why = "may not be set for ExternalName services"
    fields = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
    errors = [FieldError.forbidden(f"spec.{key}", why) for key in fields if spec.get(key)]
    name = (spec.get("externalName") or "").removesuffix(".")
    if not name:
        return [*errors, FieldError.required("spec.externalName")]
    return errors + invalid("spec.externalName", name, texts.dns_subdomain(name))


def _port(port: Object, at: str, earlier: set[str | None], *, named: bool) -> list[FieldError]:
    name, number = port.get("name") or "", port.get("port") or 0
    errors = [] if name or not named else [FieldError.required(f"{at}.name")]
    if name:
        errors += invalid(f"{at}.name", name, texts.dns_label(name))
        if name in earlier:
            errors.append(FieldError.duplicate(f"{at}.name", name))
    errors += invalid(f"{at}.port", number, texts.port_number(number))
    errors += choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    errors += port_or_name(port.get("targetPort"), f"{at}.targetPort")
    if port.get("appProtocol"):
        wrong = texts.qualified_name(port["appProtocol"])
        errors += invalid(f"{at}.appProtocol", port["appProtocol"], wrong)
    return errors


def _affinity(spec: Object) -> list[FieldError]:
    affinity, field = spec.get("sessionAffinity"), "spec.sessionAffinityConfig"
    errors = choice(affinity, "spec.sessionAffinity", AFFINITIES)
    config = spec.get("sessionAffinityConfig")
    if affinity == "None" and config is not None:
        why = "must not be set when session affinity is None"
        errors.append(FieldError.forbidden(field, why))
    if affinity == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds", 0)
        why = f"must be greater than 0 and less than {LONGEST_AFFINITY}"
        wrong = [] if 0 < seconds <= LONGEST_AFFINITY else [why]
        errors += invalid(f"{field}.clientIP.timeoutSeconds", seconds, wrong)
    return errors


def _port_conflicts(ports: list[Object], kind: str | None) -> list[FieldError]:
    errors = []
    for index, port in enumerate(ports):
        if port.get("nodePort") and kind == "ClusterIP":
            why = "may not be used when `type` is 'ClusterIP'"
            errors.append(FieldError.forbidden(f"spec.ports[{index}].nodePort", why))
    for index, port in enumerate(ports):
        number = port.get("nodePort")
        if number and any(_same(port, other, "nodePort") for other in ports[:index]):
            errors.append(FieldError.duplicate(f"spec.ports[{index}].nodePort", number))
    for index, port in enumerate(ports):
        if any(_same(port, other, "port") for other in ports[:index]):
            errors.append(_duplicate_port(port, f"spec.ports[{index}]"))
    return errors


def _same(port: Object, other: Object, key: str) -> bool:
    return (port.get("protocol"), port.get(key)) == (other.get("protocol"), other.get(key))


def _duplicate_port(port: Object, at: str) -> FieldError:
    """Show the pair that collides as Kubernetes does: its inner type, all else empty."""
    key = {"Name": "", "Protocol": port.get("protocol"), "AppProtocol": None}
    key |= {"Port": port.get("port"), "TargetPort": 0, "NodePort": 0}
    shown = json.dumps(key, separators=(",", ":"))
    return FieldError("FieldValueDuplicate", at, f"Duplicate value: {shown}")


def _traffic(spec: Object) -> list[FieldError]:
    field, errors = "spec.externalTrafficPolicy", []
    policy = spec.get("externalTrafficPolicy")
    if spec.get("type") in ("NodePort", "LoadBalancer"):
        errors += choice(policy, field, POLICIES)
    elif policy and not spec.get("externalIPs"):
        why = "may only be set for externally-accessible services"
        errors.append(FieldError.invalid(field, policy, why))
    inner = spec.get("internalTrafficPolicy")
    if inner and inner not in POLICIES:
        errors.append(FieldError.unsupported("spec.internalTrafficPolicy", inner, POLICIES))
    return errors
