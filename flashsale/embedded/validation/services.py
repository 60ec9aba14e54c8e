"""Rules for Services (ValidateService in pkg/apis/core/validation/validation.go).

Node ports and addresses that are taken or out of range are not judged here but where they are
given out.
"""

from __future__ import annotations

import json

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.defaults import is_external
from flashsale.embedded.types.resources import SERVICES
from flashsale.embedded.validation.field_checks import (
    choice,
    invalid,
    optional_choice,
    optional_text,
    required_text,
)
from flashsale.embedded.validation.metadata import (
    validate_core_metadata_update,
    validate_labels,
    validate_metadata,
)
from flashsale.embedded.validation.pod.containers import PROTOCOLS
from flashsale.embedded.validation.pod.probes import port_or_name
from flashsale.objects.models import Object

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
FAMILIES = ("IPv4", "IPv6")
FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
OLD_RANGES = "service.beta.kubernetes.io/load-balancer-source-ranges"
CLASS = "loadBalancerClass"
LONGEST_AFFINITY = 86400  # seconds


def validate_service(service: Object) -> list[FieldError]:
    """Check a new Service."""
    spec = service.get("spec") or {}
    return validate_metadata(SERVICES, service) + _spec(spec) + _old_ranges(service)


def validate_service_update(new: Object, old: Object) -> list[FieldError]:
    """Check a changed Service: its address stays."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    errors = validate_core_metadata_update(new, old) + _address_change(spec, before)
    kinds = {spec.get("type"), before.get("type")}
    if kinds == {"LoadBalancer"} and spec.get(CLASS) != before.get(CLASS):
        errors += invalid(f"spec.{CLASS}", spec.get(CLASS), ["may not change once set"])
    return errors + _spec(spec) + _class(spec)


def validate_load_balancer(service: Object) -> list[FieldError]:
    """Check the status: only a load balancer has addresses outside."""
    ingress = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    if ingress and (service.get("spec") or {}).get("type") != "LoadBalancer":
        why = "may only be used when `spec.type` is 'LoadBalancer'"
        return [FieldError.forbidden("status.loadBalancer.ingress", why)]
    errors: list[FieldError] = []
    for index, entry in enumerate(ingress):
        at = f"status.loadBalancer.ingress[{index}].ip"
        errors += optional_text(entry.get("ip"), at, texts.ip_address)
    return errors


def has_node_ports(spec: Object) -> bool:
    """Whether a service is to have ports on every node."""
    if spec.get("type") == "LoadBalancer":
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def needs_health_check(spec: Object) -> bool:
    """Whether a service needs a port on which a load balancer asks for the health of its pods."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def _address_change(spec: Object, before: Object) -> list[FieldError]:
    """Check the cluster address, which stays but for a service that becomes external or was so."""
    given, kept = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    outside = "ExternalName" in (spec.get("type"), before.get("type"))
    if outside or not kept or (given and given[0] == kept[0]):
        return []
    if given and spec.get("clusterIP") == before.get("clusterIP"):
        return []  # the two contradict each other, which is found elsewhere
    if given and given[0] != "None" and texts.ip_address(given[0]):
        return []  # nor is it an address, which is found elsewhere
    if not given:
        return [
            FieldError.invalid("spec.clusterIPs[0]", kept[:0], "primary clusterIP can not be unset")
        ]
    return [FieldError.invalid("spec.clusterIPs[0]", given, "may not change once set")]


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
    errors += _affinity(spec) + validate_service_addresses(spec)
    for index, address in enumerate(spec.get("externalIPs") or []):
        wrong = texts.ip_address(address) or texts.endpoint_ip(address)
        errors += invalid(f"spec.externalIPs[{index}]", address, wrong)
    errors += choice(kind, "spec.type", TYPES)
    return errors + _port_conflicts(ports, kind) + _balancing(spec) + _traffic(spec)


def validate_service_addresses(spec: Object) -> list[FieldError]:
    """Check the cluster's addresses and families (ValidateServiceClusterIPsRelatedFields)."""
    if spec.get("type") == "ExternalName":
        return []
    field, several = "spec.clusterIPs", spec.get("clusterIPs") or []
    errors: list[FieldError] = []
    if spec.get("clusterIP") and several and several[0] != spec["clusterIP"]:
        errors += invalid(field, several, ["first value must match `clusterIP`"])
    if not spec.get("clusterIP") and several:
        errors += invalid(field, several, ["must be empty when `clusterIP` is not specified"])
    errors += _family_words(spec)
    wrong: list[FieldError] = []
    for index, address in enumerate(several):
        if index == 0 and address == "None":
            why = "'None' must be the first and only value"
            wrong += invalid(field, several, [why] if len(several) > 1 else [])
        else:
            wrong += invalid(f"{field}[{index}]", address, texts.ip_address(address))
    if len(several) > 2:
        errors += invalid(field, several, ["may only hold up to 2 values"])
    if wrong:
        return errors + wrong
    return errors + _families_of(several, spec.get("ipFamilies") or [], field)


def _family_words(spec: Object) -> list[FieldError]:
    errors: list[FieldError] = []
    families = spec.get("ipFamilies") or []
    for index, family in enumerate(families):
        at = f"spec.ipFamilies[{index}]"
        errors += optional_choice(family, at, FAMILIES)
        if family in families[:index]:
            errors.append(FieldError.duplicate(at, family))
    return errors + optional_choice(
        spec.get("ipFamilyPolicy"), "spec.ipFamilyPolicy", FAMILY_POLICIES
    )


def _families_of(several: list[str], families: list[str], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    ip_families = ["IPv6" if ":" in address else "IPv4" for address in several]
    if len(several) > 1 and len(set(ip_families)) < 2:
        why = "may specify no more than one IP for each IP family"
        errors += invalid(field, several, [why])
    for index, (address, family) in enumerate(zip(several, families, strict=False)):
        if address != "None" and family in FAMILIES and family != ip_families[index]:
            why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            errors += invalid(f"{field}[{index}]", address, [why])
    return errors


def _balancing(spec: Object) -> list[FieldError]:
    """Check what only a load balancer has."""
    errors: list[FieldError] = []
    balanced, why = (
        spec.get("type") == "LoadBalancer",
        "may only be used when `type` is 'LoadBalancer'",
    )
    ranges, field = spec.get("loadBalancerSourceRanges") or [], "spec.LoadBalancerSourceRanges"
    if ranges and not balanced:
        errors.append(FieldError.forbidden(field, why))
    for index, network in enumerate(ranges):
        plain = network.strip()
        errors += invalid(f"{field}[{index}]", plain, texts.cidr(plain))
    key = "allocateLoadBalancerNodePorts"
    if spec.get(key) is not None and not balanced:
        errors.append(FieldError.forbidden(f"spec.{key}", why))
    return errors + _class(spec)


def _old_ranges(service: Object) -> list[FieldError]:
    """Check an annotation that was there before the field."""
    ranges = ((service.get("metadata") or {}).get("annotations") or {}).get(OLD_RANGES)
    if ranges is None:
        return []
    at, errors = f"metadata.annotations[{OLD_RANGES}]", []
    if (service.get("spec") or {}).get("type") != "LoadBalancer":
        why = "may only be used when `type` is 'LoadBalancer'"
        errors.append(FieldError.forbidden(at, why))
    for network in ranges.strip().split(",") if ranges.strip() else []:
        if texts.cidr(network.strip()):
            why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            errors.append(FieldError.invalid(at, ranges, why))
    return errors


def _class(spec: Object) -> list[FieldError]:
    name = spec.get(CLASS)
    if name is None:
        return []
    if spec.get("type") != "LoadBalancer":
        why = "may only be used when `type` is 'LoadBalancer'"
        return [FieldError.forbidden(f"spec.{CLASS}", why)]
    return invalid(f"spec.{CLASS}", name, texts.qualified_name(name))


def _external_name(spec: Object) -> list[FieldError]:
    why = "may not be set for ExternalName services"
    fields = ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
    errors = [
        FieldError.forbidden(f"spec.{key}", why)
        for key in fields
        if spec.get(key) not in (None, [])
    ]
    name = (spec.get("externalName") or "").removesuffix(".")
    return errors + required_text(name, "spec.externalName", texts.dns_subdomain)


def _port(port: Object, at: str, earlier: set[str | None], *, named: bool) -> list[FieldError]:
    name, number = port.get("name") or "", port.get("port") or 0
    check = required_text if named else optional_text
    errors = check(name, f"{at}.name", texts.dns_label)
    if name and name in earlier:
        errors.append(FieldError.duplicate(f"{at}.name", name))
    errors += invalid(f"{at}.port", number, texts.port_number(number))
    errors += choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    errors += port_or_name(port.get("targetPort"), f"{at}.targetPort")
    if port.get("appProtocol") is not None:
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
    if is_external(spec):
        errors += choice(policy, field, POLICIES)
    elif policy:
        why = "may only be set for externally-accessible services"
        errors.append(FieldError.invalid(field, policy, why))
    if spec.get("healthCheckNodePort") and not needs_health_check(spec):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        number = spec["healthCheckNodePort"]
        errors.append(FieldError.invalid("spec.healthCheckNodePort", number, why))
    for key, supported in (
        ("internalTrafficPolicy", POLICIES),
        ("trafficDistribution", DISTRIBUTIONS),
    ):
        errors += optional_choice(spec.get(key), f"spec.{key}", supported)
    return errors
