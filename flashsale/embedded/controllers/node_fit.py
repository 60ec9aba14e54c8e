"""Whether a pod fits on a node beside the others: the scheduler's filters, in their order.

After pkg/scheduler/framework/plugins: NodeUnschedulable, NodeAffinity, NodePorts, NodeResourcesFit,
VolumeBinding and InterPodAffinity. The first filter that refuses is the one that is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.embedded.types import quantities
from flashsale.objects.models import Object

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
OWN_RESOURCES = ("cpu", "memory", "ephemeral-storage")
EVERYWHERE = ("", "0.0.0.0")  # addresses that stand for all of a node's
AFFINITY = "node(s) didn't match Pod's node affinity/selector"


@dataclass(frozen=True, slots=True)
class Misfit:
    """Why a pod does not fit; ``fixed`` if it would not even on an empty node."""

    reason: str
    fixed: bool = False


def misfits(pod: Object, node: Object, others: Sequence[Object]) -> list[Misfit]:
    """Return why a pod does not fit on a node beside the others, empty if it does."""
    here = [other for other in others if _occupies(other, node)]
    for check in FILTERS:
        found = check(pod, node, here)
        if found:
            return found
    return []


def missing_claim(pod: Object) -> str:
    """Return the first PersistentVolumeClaim that a pod names; there are none here."""
    for volume in pod["spec"].get("volumes") or []:
        claim = volume.get("persistentVolumeClaim")
        if claim is not None:
            return str(claim.get("claimName", ""))
    return ""


def requested(pod: Object, resource: str) -> float:
    """Return what a pod asks for: its containers together, or its largest init container."""
    spec = pod["spec"]
    return max(
        sum(_request(container, resource) for container in spec.get("containers") or []),
        max((_request(c, resource) for c in spec.get("initContainers") or []), default=0.0),
    )


def _schedulable(pod: Object, node: Object, here: Sequence[Object]) -> list[Misfit]:
    unschedulable = node.get("spec", {}).get("unschedulable")
    return [Misfit("node(s) were unschedulable", fixed=True)] if unschedulable else []


def _node_affinity(pod: Object, node: Object, here: Sequence[Object]) -> list[Misfit]:
    labels = node["metadata"].get("labels") or {}
    wanted = (pod["spec"].get("nodeSelector") or {}).items() <= labels.items()
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get(REQUIRED) or {}).get("nodeSelectorTerms")
    if wanted and (terms is None or any(_term_matches(term, node) for term in terms)):
        return []
    return [Misfit(AFFINITY, fixed=True)]


def _term_matches(term: Object, node: Object) -> bool:
    """Whether a node fulfils all of a term; an empty term is fulfilled by none."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    labels = node["metadata"].get("labels") or {}
    named = {"metadata.name": node["metadata"]["name"]}
    return bool(expressions or fields) and (
        all(_fulfilled(wanted, labels) for wanted in expressions)
        and all(_fulfilled(wanted, named) for wanted in fields)
    )


def _fulfilled(wanted: Object, labels: dict[str, str]) -> bool:
    key, operator, values = wanted.get("key", ""), wanted["operator"], wanted.get("values") or []
    value = labels.get(key)
    if operator in ("Exists", "DoesNotExist"):
        return (value is not None) is (operator == "Exists")
    if operator in ("In", "NotIn"):
        return (value in values) is (operator == "In")
    try:
        have, limit = int(value or ""), int(values[0])
    except ValueError:
        return False
    return have > limit if operator == "Gt" else have < limit


def _host_ports(pod: Object, node: Object, here: Sequence[Object]) -> list[Misfit]:
    taken = [port for other in here for port in _ports(other)]
    for address, protocol, number in _ports(pod):
        for other, its_protocol, its_number in taken:
            shared = address == other or {address, other} & set(EVERYWHERE)
            if shared and (protocol, number) == (its_protocol, its_number):
                return [Misfit("node(s) didn't have free ports for the requested pod ports")]
    return []


def _ports(pod: Object) -> Iterable[tuple[str, str, int]]:
    for container in pod["spec"].get("containers") or []:
        for port in container.get("ports") or []:
            if port.get("hostPort"):
                yield port.get("hostIP", ""), port.get("protocol", "TCP"), port["hostPort"]


def _resources(pod: Object, node: Object, here: Sequence[Object]) -> list[Misfit]:
    allocatable = (node.get("status") or {}).get("allocatable") or {}
    found = []
    if len(here) + 1 > _amount(allocatable, "pods"):
        found.append(Misfit("Too many pods"))
    containers = pod["spec"].get("containers") or []
    requests = [(c.get("resources") or {}).get("requests") or {} for c in containers]
    extended = sorted({name for wanted in requests for name in wanted} - set(OWN_RESOURCES))
    for resource in (*OWN_RESOURCES, *extended):
        wanted, there = requested(pod, resource), _amount(allocatable, resource)
        used = sum(requested(other, resource) for other in here)
        if wanted and wanted + used > there:
            found.append(Misfit(f"Insufficient {resource}", fixed=wanted > there))
    return found


def _neighbours(pod: Object, node: Object, here: Sequence[Object]) -> list[Misfit]:
    """Look at required pod affinity, of this pod and of those that are there."""
    labels = node["metadata"].get("labels") or {}
    for term in _terms(pod, "podAffinity"):
        alone = not here and _chosen(term, pod, pod)  # the first of its kind may go anywhere
        if term["topologyKey"] not in labels or not (
            alone or any(_chosen(term, pod, other) for other in here)
        ):
            return [Misfit("node(s) didn't match pod affinity rules", fixed=True)]
    for term in _terms(pod, "podAntiAffinity"):
        if term["topologyKey"] in labels and any(_chosen(term, pod, other) for other in here):
            return [Misfit("node(s) didn't match pod anti-affinity rules")]
    for other in here:
        for term in _terms(other, "podAntiAffinity"):
            if term["topologyKey"] in labels and _chosen(term, other, pod):
                return [Misfit("node(s) didn't satisfy existing pods anti-affinity rules")]
    return []


def _terms(pod: Object, kind: str) -> list[Object]:
    wanted = (pod["spec"].get("affinity") or {}).get(kind) or {}
    terms: list[Object] = wanted.get(REQUIRED) or []
    return terms


def _chosen(term: Object, owner: Object, other: Object) -> bool:
    """Whether a term of a pod means another pod."""
    namespaces = term.get("namespaces") or [owner["metadata"].get("namespace")]
    selector = term.get("labelSelector")
    if selector is None or other["metadata"].get("namespace") not in namespaces:
        return False
    return from_label_selector(selector).matches(other["metadata"].get("labels") or {})


def _request(container: Object, resource: str) -> float:
    return _amount((container.get("resources") or {}).get("requests") or {}, resource)


def _amount(resources: Object, resource: str) -> float:
    return float(quantities.parse_quantity(resources[resource])) if resource in resources else 0.0


def _occupies(pod: Object, node: Object) -> bool:
    ended = pod.get("status", {}).get("phase") in ("Succeeded", "Failed")
    return not ended and pod["spec"].get("nodeName") == node["metadata"]["name"]


Filter = Callable[[Object, Object, Sequence[Object]], list[Misfit]]
FILTERS: tuple[Filter, ...] = (
    _schedulable,
    _node_affinity,
    _host_ports,
    _resources,
    _neighbours,
)
