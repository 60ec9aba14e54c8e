"""The filters of the default profile, in their order: the first that refuses a node is named."""

from __future__ import annotations

from flashsale.embedded.scheduler import node_resources
from flashsale.embedded.scheduler.node_rules import (
    host_ports,
    is_wanted,
    ports_collide,
    tolerates,
    untolerated,
)
from flashsale.embedded.scheduler.pod_affinity import check_affinity
from flashsale.embedded.scheduler.snapshot import Filter, NodeCheck, Rejection, Snapshot
from flashsale.embedded.scheduler.topology_spread import check_spread
from flashsale.objects.models import Object

CORDONED = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


def node_unschedulable(pod: Object, snapshot: Snapshot) -> NodeCheck | None:
    """Refuse cordoned nodes."""
    if any(tolerates(toleration, CORDONED) for toleration in pod["spec"].get("tolerations") or []):
        return None
    refused = Rejection(("node(s) were unschedulable",), final=True)
    return lambda node: refused if (node.get("spec") or {}).get("unschedulable") else None


def taint_toleration(pod: Object, snapshot: Snapshot) -> NodeCheck | None:
    """Refuse nodes with a taint that the pod does not tolerate."""
    refused = Rejection(("node(s) had untolerated taint(s)",), final=True)
    return lambda node: refused if untolerated(pod, node, ("NoSchedule", "NoExecute")) else None


def node_affinity(pod: Object, snapshot: Snapshot) -> NodeCheck | None:
    """Refuse nodes that the pod's node selector or required node affinity does not want."""
    refused = Rejection(("node(s) didn't match Pod's node affinity/selector",), final=True)
    return lambda node: None if is_wanted(pod, node) else refused


def node_ports(pod: Object, snapshot: Snapshot) -> NodeCheck | None:
    """Refuse nodes where a host port that the pod wants is taken."""
    wanted = list(host_ports(pod))
    refused = Rejection(("node(s) didn't have free ports for the requested pod ports",))

    def check(node: Object) -> Rejection | None:
        taken = (port for other in snapshot.on(node) for port in host_ports(other))
        return refused if any(ports_collide(a, b) for b in taken for a in wanted) else None

    return check if wanted else None


def node_resources_fit(pod: Object, snapshot: Snapshot) -> NodeCheck | None:
    return lambda node: node_resources.check_resources(pod, snapshot, node)


FILTERS: tuple[Filter, ...] = (
    node_unschedulable, taint_toleration, node_affinity, node_ports, node_resources_fit,
    check_spread, check_affinity,
)  # fmt: skip
