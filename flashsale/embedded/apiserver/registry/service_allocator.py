"""Cluster addresses, IP families and node ports for Services (pkg/registry/core/service)."""

from __future__ import annotations

import ipaddress
import itertools
import random
from collections.abc import Callable

from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.defaults import is_external
from flashsale.embedded.types.resources import SERVICES
from flashsale.embedded.validation.services import (
    has_node_ports,
    is_balanced,
    needs_health_check,
    validate_service_addresses,
)
from flashsale.objects.fields import with_value
from flashsale.objects.models import Object

CLUSTER_NETWORK = ipaddress.ip_network("10.96.0.0/12")  # minikube's
NODE_PORTS = range(30000, 32768)
DYNAMIC_FROM = 30086  # below are ports to ask for by number; only used when the rest is exhausted
FIRST_DUMMY = 32769  # of the node ports that a dry run shows
TAKEN = "provided port is already allocated"
OUT_OF_RANGE = (
    "provided port is not in the valid range. "
    f"The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
)
FAMILY = "IPv4"
HEADLESS = "None"


class ServiceAllocator:
    """Hands out what a Service asks for, or says why not.

    What is taken is read from the store each time: there is no second book to keep in step.
    """

    def __init__(
        self, store: Store, rng: random.Random, port_is_free: Callable[[int], bool]
    ) -> None:
        self._store = store
        self._rng = rng
        self._port_is_free = port_is_free  # on this machine, where foreign programs listen too

    def allocate(
        self, service: Object, old: Object | None, *, dry_run: bool = False
    ) -> tuple[Object, list[FieldError]]:
        """Return the service with addresses and ports filled in, and what is wrong with it.

        A dry run takes any address and port of the right form, as a real one does.
        """
        spec, before = dict(service["spec"]), (old or {}).get("spec") or {}
        if errors := _families(spec, before):
            return service, errors
        uid = service["metadata"].get("uid")
        others = [s for s in self._store.all(SERVICES) if s["metadata"]["uid"] != uid]
        errors = self._cluster_ip(spec, others, before, dry_run=dry_run)
        errors += self._node_ports(spec, others, before, dry_run=dry_run)
        return service | {"spec": spec}, errors

    def _cluster_ip(
        self, spec: Object, others: list[Object], old: Object, *, dry_run: bool
    ) -> list[FieldError]:
        if spec.get("type") == "ExternalName":
            return []
        wanted = spec.get("clusterIP") or ""
        taken = {other["spec"].get("clusterIP") for other in others}
        if not wanted:
            wanted = self._free_ip(taken)
        elif wanted not in (HEADLESS, old.get("clusterIP")):
            why = _bad_ip(wanted, taken, dry_run=dry_run)
            if why:
                why = f"failed to allocate IP {wanted}: {why}"
                return [FieldError.invalid("spec.clusterIPs", [wanted], why)]
        spec |= {"clusterIP": wanted, "clusterIPs": [wanted]}
        return []

    def _free_ip(self, taken: set[str | None]) -> str:
        while True:
            offset = self._rng.randrange(2, CLUSTER_NETWORK.num_addresses - 1)
            address = str(CLUSTER_NETWORK[offset])
            if address not in taken:
                return address

    def _node_ports(
        self, spec: Object, others: list[Object], old: Object, *, dry_run: bool
    ) -> list[FieldError]:
        taken = {port.get("nodePort") for o in others for port in o["spec"].get("ports") or []}
        taken |= {other["spec"].get("healthCheckNodePort") for other in others}
        dummies = itertools.count(FIRST_DUMMY)

        def allocate() -> int:
            return next(dummies) if dry_run else self._free_port(taken)

        errors: list[FieldError] = []
        if has_node_ports(spec):
            kept = [port.get("nodePort") for port in old.get("ports") or []]
            ports: list[Object] = []
            for index, port in enumerate(spec.get("ports") or []):
                number = port.get("nodePort")
                if not number and not has_node_ports(old):
                    number = _shared_port(port, [*ports, *spec["ports"]])
                elif number and number not in kept and not dry_run:
                    if number not in NODE_PORTS:
                        errors.append(_port_error(index, number, OUT_OF_RANGE))
                    elif number in taken:
                        errors.append(_port_error(index, number, TAKEN))
                number = number or allocate()
                taken.add(number)
                ports.append(port | {"nodePort": number})
            spec["ports"] = ports
        if needs_health_check(spec) and not spec.get("healthCheckNodePort"):
            spec["healthCheckNodePort"] = allocate()
        return errors

    def _free_port(self, taken: set[int | None]) -> int:
        """Pick at random, from the upper band first (portallocator's calculateRangeOffset)."""
        upper, lower = range(DYNAMIC_FROM, NODE_PORTS.stop), range(NODE_PORTS.start, DYNAMIC_FROM)
        for band in (upper, lower):
            for port in self._rng.sample(band, len(band)):
                if port not in taken and self._port_is_free(port):
                    return port
        return 0


def _shared_port(port: Object, others: list[Object]) -> int:
    """Return the node port of the same port with another protocol (DNS); 0 if there is none."""
    numbers = [o.get("nodePort") for o in others if o.get("port") == port.get("port")]
    return next(filter(None, numbers), 0)


def with_both_addresses(service: Object) -> Object:
    """Return a new service whose clusterIPs follow its clusterIP (normalizeClusterIPs)."""
    spec = service["spec"]
    if not spec.get("clusterIP") or spec.get("clusterIPs"):
        return service
    return service | {"spec": spec | {"clusterIPs": [spec["clusterIP"]]}}


def carried_over(new: Object, old: Object) -> Object:
    """Return a changed service with what was allocated, or without it if its type needs none.

    After patchAllocatedValues, normalizeClusterIPs and dropTypeDependentFields: a value goes only
    if the user left it as it was.
    """
    spec, before = dict(new["spec"]), old.get("spec") or {}
    _keep_allocated(spec, before)
    _follow_address(spec, before)
    _drop_unneeded(spec, before)
    status = new.get("status") or {}
    if not is_balanced(spec):
        status = status | {"loadBalancer": {}}
    return new | {"spec": spec, "status": status}


def _keep_allocated(spec: Object, before: Object) -> None:
    if "ExternalName" not in (spec.get("type"), before.get("type")):
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if not spec.get(key) and before.get(key):
                spec[key] = before[key]
    if has_node_ports(spec) and has_node_ports(before):
        ours = {port.get("nodePort") for port in spec.get("ports") or []}
        known = {port.get("name", ""): port.get("nodePort") for port in before.get("ports") or []}
        spec["ports"] = [
            port
            if port.get("nodePort") or known.get(port.get("name", "")) in (None, *ours)
            else port | {"nodePort": known[port.get("name", "")]}
            for port in spec.get("ports") or []
        ]
    key = "healthCheckNodePort"
    if needs_health_check(spec) and needs_health_check(before) and not spec.get(key):
        spec[key] = before.get(key, 0)


def _follow_address(spec: Object, before: Object) -> None:
    """Keep clusterIP and clusterIPs in step: what was changed leads the other."""
    ip, several = spec.get("clusterIP") or "", spec.get("clusterIPs") or []
    if ip != (before.get("clusterIP") or "") and several == (before.get("clusterIPs") or []):
        spec["clusterIPs"] = [ip] if ip else []
    if not spec.get("clusterIPs"):
        spec.pop("clusterIPs", None)


def _drop_unneeded(spec: Object, before: Object) -> None:
    kind, old_kind = spec.get("type"), before.get("type")
    if kind == "ExternalName" != old_kind:
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if spec.get(key) == before.get(key):
                spec.pop(key, None)
    if has_node_ports(before) and not has_node_ports(spec):
        numbers = [port.get("nodePort") for port in before.get("ports") or []]
        if all(port.get("nodePort") in (None, 0, *numbers) for port in spec.get("ports") or []):
            spec["ports"] = [with_value(port, "nodePort", 0) for port in spec.get("ports") or []]
    for key, needs in (
        ("healthCheckNodePort", needs_health_check),
        ("allocateLoadBalancerNodePorts", is_balanced),
        ("loadBalancerClass", is_balanced),
        ("externalTrafficPolicy", is_external),
    ):
        if needs(before) and not needs(spec) and spec.get(key) == before.get(key):
            spec.pop(key, None)


def _families(spec: Object, before: Object) -> list[FieldError]:
    """Fill in the IP families, of which this cluster has one (initIPFamilyFields)."""
    if spec.get("type") == "ExternalName":
        return []
    if not before and (errors := list(validate_service_addresses(spec))):
        return errors  # of a new one, before all else is looked at
    loose = spec.get("clusterIP") == HEADLESS and not spec.get("selector")
    policy = spec.get("ipFamilyPolicy") or before.get("ipFamilyPolicy")
    spec["ipFamilyPolicy"] = policy or ("RequireDualStack" if loose else "SingleStack")
    families = list(spec.get("ipFamilies") or [])
    if errors := _too_many_for_one(spec, families) + _inferred(spec, families):
        return errors
    families = families or [FAMILY]
    spec["ipFamilies"] = families
    if not loose:
        return _unavailable(spec, families)
    if len(families) < 2 and spec["ipFamilyPolicy"] != "SingleStack":
        families.append("IPv6" if families[0] == FAMILY else FAMILY)
    return []


def _too_many_for_one(spec: Object, families: list[str]) -> list[FieldError]:
    policy, why = spec["ipFamilyPolicy"], "must be 'RequireDualStack' or 'PreferDualStack' when"
    if policy != "SingleStack":
        return []
    counted = {"cluster IPs": spec.get("clusterIPs") or [], "IP families": families}
    return [
        FieldError.invalid("spec.ipFamilyPolicy", policy, f"{why} multiple {what} are specified")
        for what, several in counted.items()
        if len(several) == 2
    ]


def _inferred(spec: Object, families: list[str]) -> list[FieldError]:
    """Add the families of addresses that were asked for."""
    addresses, errors = spec.get("clusterIPs") or [], []
    for index, address in enumerate(addresses):
        if address == HEADLESS:
            break
        if index < len(families):
            continue
        if ":" in address:
            what = "IPv6 is not configured on this cluster"
            errors.append(FieldError.invalid(f"spec.clusterIPs[{index}]", addresses, what))
        else:
            families.append(FAMILY)
    return errors


def _unavailable(spec: Object, families: list[str]) -> list[FieldError]:
    errors, policy = [], spec["ipFamilyPolicy"]
    if policy == "RequireDualStack":
        what = "this cluster is not configured for dual-stack services"
        errors.append(FieldError.invalid("spec.ipFamilyPolicy", policy, what))
    for index, family in enumerate(families):
        if family != FAMILY:
            what = "not configured on this cluster"
            errors.append(FieldError.invalid(f"spec.ipFamilies[{index}]", family, what))
    return errors


def _bad_ip(wanted: str, taken: set[str | None], *, dry_run: bool) -> str:
    """Say why an address cannot be had. A dry run looks at the range only, in other words."""
    address = ipaddress.ip_address(wanted)
    ends = (CLUSTER_NETWORK.network_address, CLUSTER_NETWORK.broadcast_address)
    if address not in CLUSTER_NETWORK or address in ends:
        if not dry_run:
            return "the provided network does not match the current range"
        return (
            f"the provided IP ({wanted}) is not in the valid range. "
            f"The range of valid IPs is {CLUSTER_NETWORK}"
        )
    return "provided IP is already allocated" if wanted in taken and not dry_run else ""


def _port_error(index: int, number: int, why: str) -> FieldError:
    return FieldError.invalid(f"spec.ports[{index}].nodePort", number, why)
