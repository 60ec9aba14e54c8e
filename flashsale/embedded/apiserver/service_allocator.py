"""Cluster addresses and node ports for Services (pkg/registry/core/service)."""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable

from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.resources import SERVICES
from flashsale.objects.models import Object

CLUSTER_NETWORK = ipaddress.ip_network("10.96.0.0/12")  # minikube's
NODE_PORTS = range(30000, 32768)
DYNAMIC_FROM = 30086  # below are ports to ask for by number; only used when the rest is exhausted
TAKEN = "provided port is already allocated"
OUT_OF_RANGE = (
    "provided port is not in the valid range. "
    f"The range of valid ports is {NODE_PORTS[0]}-{NODE_PORTS[-1]}"
)
WITH_NODE_PORTS = ("NodePort", "LoadBalancer")


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

    def allocate(self, service: Object, old: Object | None) -> tuple[Object, list[FieldError]]:
        """Return the service with addresses and ports filled in, and what is wrong with it."""
        spec = dict(service["spec"])
        uid = service["metadata"].get("uid")
        others = [s for s in self._store.all(SERVICES) if s["metadata"]["uid"] != uid]
        errors = self._cluster_ip(spec, others, (old or {}).get("spec") or {})
        errors += self._node_ports(spec, others, (old or {}).get("spec") or {})
        return service | {"spec": spec}, errors

    def _cluster_ip(self, spec: Object, others: list[Object], old: Object) -> list[FieldError]:
        if spec.get("type") == "ExternalName":
            return []
        wanted = spec.get("clusterIP") or next(iter(spec.get("clusterIPs") or []), "")
        wanted = wanted or old.get("clusterIP", "")
        taken = {other["spec"].get("clusterIP") for other in others}
        if not wanted:
            wanted = self._free_ip(taken)
        elif wanted != "None" and wanted != old.get("clusterIP"):
            why = _bad_ip(wanted, taken)
            if why:
                return [FieldError.invalid("spec.clusterIPs", [wanted], why)]
        spec |= {"clusterIP": wanted, "clusterIPs": [wanted]}
        return []

    def _free_ip(self, taken: set[str | None]) -> str:
        while True:
            offset = self._rng.randrange(2, CLUSTER_NETWORK.num_addresses - 1)
            address = str(CLUSTER_NETWORK[offset])
            if address not in taken:
                return address

    def _node_ports(self, spec: Object, others: list[Object], old: Object) -> list[FieldError]:
        if spec.get("type") not in WITH_NODE_PORTS:
            return []
        taken = {port.get("nodePort") for o in others for port in o["spec"].get("ports") or []}
        before = {_key(port): port.get("nodePort") for port in old.get("ports") or []}
        ports, errors = [], []
        for index, port in enumerate(spec.get("ports") or []):
            number = port.get("nodePort") or before.get(_key(port))
            if not number:
                number = self._free_port(taken)
            elif number not in NODE_PORTS:
                errors.append(_port_error(index, number, OUT_OF_RANGE))
            elif number in taken:
                errors.append(_port_error(index, number, TAKEN))
            taken.add(number)
            ports.append(port | {"nodePort": number})
        spec["ports"] = ports
        return errors

    def _free_port(self, taken: set[int | None]) -> int:
        """Pick at random, from the upper band first (portallocator's calculateRangeOffset)."""
        upper, lower = range(DYNAMIC_FROM, NODE_PORTS.stop), range(NODE_PORTS.start, DYNAMIC_FROM)
        for band in (upper, lower):
            for port in self._rng.sample(band, len(band)):
                if port not in taken and self._port_is_free(port):
                    return port
        return 0


def _bad_ip(wanted: str, taken: set[str | None]) -> str:
    try:
        inside = ipaddress.ip_address(wanted) in CLUSTER_NETWORK
    except ValueError:
        return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    if not inside:
        return (
            "failed to allocate IP: the provided network does not match the current range: "
            f"the provided IP ({wanted}) is not in the valid range. "
            f"The range of valid IPs is {CLUSTER_NETWORK}"
        )
    return "failed to allocate IP: provided IP is already allocated" if wanted in taken else ""


def _key(port: Object) -> tuple[str, int]:
    return port.get("protocol", "TCP"), port.get("port", 0)


def _port_error(index: int, number: int, why: str) -> FieldError:
    return FieldError.invalid(f"spec.ports[{index}].nodePort", number, why)
