"""Rules for Services (ValidateService in pkg/apis/core/validation/validation.go).

Node ports and addresses that are taken or out of range are not judged here but where they are
given out.
"""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.defaults import is_external
from flashsale.embedded.types.resources import SERVICES
from flashsale.embedded.validation.field_checks import (
    Errors,
    choice,
    each,
    invalid,
    once,
    optional_choice,
    optional_text,
    required_text,
    validate_app_protocol,
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
BALANCED_ONLY = "may only be used when `type` is 'LoadBalancer'"
LONGEST_AFFINITY = 86400  # seconds


def validate_service(service: Object) -> Errors:
    yield from validate_metadata(SERVICES, service)
    yield from _spec(service.get("spec") or {})
    yield from _old_ranges(service)


def validate_service_update(new: Object, old: Object) -> Errors:
    """Check a changed Service: its address stays."""
    spec, before = new.get("spec") or {}, old.get("spec") or {}
    yield from validate_core_metadata_update(new, old)
    yield from _address_change(spec, before)
    kinds = {spec.get("type"), before.get("type")}
    if kinds == {"LoadBalancer"} and spec.get(CLASS) != before.get(CLASS):
        yield FieldError.invalid(f"spec.{CLASS}", spec.get(CLASS), "may not change once set")
    yield from _spec(spec)
    yield from _class(spec)


def validate_load_balancer(service: Object) -> Errors:
    """Check the status: only a load balancer has addresses outside."""
    balancer = (service.get("status") or {}).get("loadBalancer") or {}
    if balancer.get("ingress") and not is_balanced(service.get("spec") or {}):
        why = "may only be used when `spec.type` is 'LoadBalancer'"
        yield FieldError.forbidden("status.loadBalancer.ingress", why)
        return
    for at, entry in each(balancer, "ingress", "status.loadBalancer"):
        yield from optional_text(entry.get("ip"), f"{at}.ip", texts.ip_address)


def is_balanced(spec: Object) -> bool:
    return spec.get("type") == "LoadBalancer"


def has_node_ports(spec: Object) -> bool:
    if is_balanced(spec):
        return spec.get("allocateLoadBalancerNodePorts") is not False
    return spec.get("type") == "NodePort"


def needs_health_check(spec: Object) -> bool:
    """Whether a service needs a port on which a load balancer asks for the health of its pods."""
    return is_balanced(spec) and spec.get("externalTrafficPolicy") == "Local"


def _address_change(spec: Object, before: Object) -> Errors:
    """Check the cluster address, which stays but for a service that becomes external or was so."""
    given, kept = spec.get("clusterIPs") or [], before.get("clusterIPs") or []
    outside = "ExternalName" in (spec.get("type"), before.get("type"))
    if outside or not kept or given[:1] == kept[:1]:
        return
    field = "spec.clusterIPs[0]"
    if not given:
        yield FieldError.invalid(field, [], "primary clusterIP can not be unset")
        return
    contradictory = spec.get("clusterIP") == before.get("clusterIP")
    malformed = given[0] != "None" and texts.ip_address(given[0])
    if not contradictory and not malformed:  # which are found elsewhere
        yield FieldError.invalid(field, given, "may not change once set")


def _spec(spec: Object) -> Errors:
    kind, ports = spec.get("type"), spec.get("ports") or []
    headless = spec.get("clusterIP") == "None"
    if not ports and not headless and kind != "ExternalName":
        yield FieldError.required("spec.ports")
    if headless and kind in ("LoadBalancer", "NodePort"):
        why = f"may not be set to 'None' for {kind} services"
        yield FieldError.invalid("spec.clusterIPs[0]", "None", why)
    if kind == "ExternalName":
        yield from _external_name(spec)
    names: set[str] = set()
    for at, port in each(spec, "ports", "spec"):
        yield from _port(port, at, names, named=len(ports) > 1)
    yield from validate_labels(spec.get("selector"), "spec.selector")
    yield from _affinity(spec)
    yield from validate_service_addresses(spec)
    for at, address in each(spec, "externalIPs", "spec"):
        yield from invalid(at, address, texts.ip_address(address) or texts.endpoint_ip(address))
    yield from choice(kind, "spec.type", TYPES)
    yield from _port_conflicts(ports, kind)
    yield from _balancing(spec)
    yield from _traffic(spec)


def validate_service_addresses(spec: Object) -> Errors:
    """Check the cluster's addresses and families (ValidateServiceClusterIPsRelatedFields)."""
    if spec.get("type") == "ExternalName":
        return
    field, several = "spec.clusterIPs", spec.get("clusterIPs") or []
    if spec.get("clusterIP") and several and several[0] != spec["clusterIP"]:
        yield FieldError.invalid(field, several, "first value must match `clusterIP`")
    if not spec.get("clusterIP") and several:
        yield FieldError.invalid(field, several, "must be empty when `clusterIP` is not specified")
    yield from _family_words(spec)
    wrong: list[FieldError] = []
    for index, (at, address) in enumerate(each(spec, "clusterIPs", "spec")):
        if index or address != "None":
            wrong += invalid(at, address, texts.ip_address(address))
        elif len(several) > 1:
            why = "'None' must be the first and only value"
            wrong.append(FieldError.invalid(field, several, why))
    if len(several) > 2:
        yield FieldError.invalid(field, several, "may only hold up to 2 values")
    yield from wrong or _families_of(several, spec.get("ipFamilies") or [], field)


def _family_words(spec: Object) -> Errors:
    families: set[str] = set()
    for at, family in each(spec, "ipFamilies", "spec"):
        yield from optional_choice(family, at, FAMILIES)
        yield from once(family, at, families)
    policy = spec.get("ipFamilyPolicy")
    yield from optional_choice(policy, "spec.ipFamilyPolicy", FAMILY_POLICIES)


def _families_of(several: list[str], families: list[str], field: str) -> Errors:
    ip_families = ["IPv6" if ":" in address else "IPv4" for address in several]
    if len(several) > 1 and len(set(ip_families)) < 2:
        why = "may specify no more than one IP for each IP family"
        yield FieldError.invalid(field, several, why)
    for index, (address, family) in enumerate(zip(several, families, strict=False)):
        if address != "None" and family in FAMILIES and family != ip_families[index]:
            why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
            yield FieldError.invalid(f"{field}[{index}]", address, why)


def _balancing(spec: Object) -> Errors:
    """Check what only a load balancer has."""
    field, ranges = "spec.LoadBalancerSourceRanges", spec.get("loadBalancerSourceRanges") or []
    if ranges and not is_balanced(spec):
        yield FieldError.forbidden(field, BALANCED_ONLY)
    for index, network in enumerate(ranges):
        plain = network.strip()
        yield from invalid(f"{field}[{index}]", plain, texts.cidr(plain))
    key = "allocateLoadBalancerNodePorts"
    if spec.get(key) is not None and not is_balanced(spec):
        yield FieldError.forbidden(f"spec.{key}", BALANCED_ONLY)
    yield from _class(spec)


def _old_ranges(service: Object) -> Errors:
    """Check an annotation that was there before the field."""
    ranges = ((service.get("metadata") or {}).get("annotations") or {}).get(OLD_RANGES)
    if ranges is None:
        return
    at = f"metadata.annotations[{OLD_RANGES}]"
    if not is_balanced(service.get("spec") or {}):
        yield FieldError.forbidden(at, BALANCED_ONLY)
    for network in ranges.strip().split(",") if ranges.strip() else []:
        if texts.cidr(network.strip()):
            why = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"
            yield FieldError.invalid(at, ranges, why)


def _class(spec: Object) -> Errors:
    name, field = spec.get(CLASS), f"spec.{CLASS}"
    if name is not None and not is_balanced(spec):
        yield FieldError.forbidden(field, BALANCED_ONLY)
    elif name is not None:
        yield from invalid(field, name, texts.qualified_name(name))


def _external_name(spec: Object) -> Errors:
    for key in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if spec.get(key) not in (None, []):
            yield FieldError.forbidden(f"spec.{key}", "may not be set for ExternalName services")
    name = (spec.get("externalName") or "").removesuffix(".")
    yield from required_text(name, "spec.externalName", texts.dns_subdomain)


def _port(port: Object, at: str, names: set[str], *, named: bool) -> Errors:
    name, number = port.get("name") or "", port.get("port") or 0
    yield from (required_text if named else optional_text)(name, f"{at}.name", texts.dns_label)
    if name:
        yield from once(name, f"{at}.name", names)
    yield from invalid(f"{at}.port", number, texts.port_number(number))
    yield from choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    yield from port_or_name(port.get("targetPort"), f"{at}.targetPort")
    yield from validate_app_protocol(port, at)


def _affinity(spec: Object) -> Errors:
    affinity, config = spec.get("sessionAffinity"), spec.get("sessionAffinityConfig")
    field = "spec.sessionAffinityConfig"
    yield from choice(affinity, "spec.sessionAffinity", AFFINITIES)
    if affinity == "None" and config is not None:
        yield FieldError.forbidden(field, "must not be set when session affinity is None")
    if affinity == "ClientIP":
        seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds", 0)
        if not 0 < seconds <= LONGEST_AFFINITY:
            why = f"must be greater than 0 and less than {LONGEST_AFFINITY}"
            yield FieldError.invalid(f"{field}.clientIP.timeoutSeconds", seconds, why)


def _port_conflicts(ports: list[Object], kind: str | None) -> Errors:
    for index, port in enumerate(ports):
        if port.get("nodePort") and kind == "ClusterIP":
            why = "may not be used when `type` is 'ClusterIP'"
            yield FieldError.forbidden(f"spec.ports[{index}].nodePort", why)
    for index, port in enumerate(ports):
        number = port.get("nodePort")
        if number and any(_same(port, other, "nodePort") for other in ports[:index]):
            yield FieldError.duplicate(f"spec.ports[{index}].nodePort", number)
    for index, port in enumerate(ports):
        if any(_same(port, other, "port") for other in ports[:index]):
            # The pair that collides, as Kubernetes' inner type: all else is empty.
            key = {"Name": "", "Protocol": port.get("protocol"), "AppProtocol": None}
            key |= {"Port": port.get("port"), "TargetPort": 0, "NodePort": 0}
            yield FieldError.duplicate(f"spec.ports[{index}]", key)


def _same(port: Object, other: Object, key: str) -> bool:
    return (port.get("protocol"), port.get(key)) == (other.get("protocol"), other.get(key))


def _traffic(spec: Object) -> Errors:
    field, policy = "spec.externalTrafficPolicy", spec.get("externalTrafficPolicy")
    if is_external(spec):
        yield from choice(policy, field, POLICIES)
    elif policy:
        why = "may only be set for externally-accessible services"
        yield FieldError.invalid(field, policy, why)
    if (number := spec.get("healthCheckNodePort")) and not needs_health_check(spec):
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        yield FieldError.invalid("spec.healthCheckNodePort", number, why)
    for key, supported in (
        ("internalTrafficPolicy", POLICIES),
        ("trafficDistribution", DISTRIBUTIONS),
    ):
        yield from optional_choice(spec.get(key), f"spec.{key}", supported)
