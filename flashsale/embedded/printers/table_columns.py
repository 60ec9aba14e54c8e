"""The columns of each kind's table: names, types and priorities as Kubernetes has them.

Those of priority 1 are shown by `kubectl get -o wide` only. A description is a text, or the
field of a type whose description it is (pkg/printers/internalversion/printers.go).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Described = str | tuple[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    description: Described
    type: str = "string"
    format: str = ""
    priority: int = 0


def _wide(name: str, description: Described) -> Column:
    return Column(name, description, priority=1)


def _integer(name: str, description: Described) -> Column:
    return Column(name, description, type="integer")


NAME = Column("Name", ("meta.ObjectMeta", "name"), format="name")
AGE = Column("Age", ("meta.ObjectMeta", "creationTimestamp"))
COLUMNS: Mapping[str, tuple[Column, ...]] = {  # by kind
    "ConfigMap": (NAME, Column("Data", ("core.ConfigMap", "data")), AGE),
    "EndpointSlice": (
        NAME,
        Column("AddressType", ("discovery.EndpointSlice", "addressType")),
        Column("Ports", ("discovery.EndpointSlice", "ports")),
        Column("Endpoints", ("discovery.EndpointSlice", "endpoints")),
        AGE,
    ),
    "Endpoints": (NAME, Column("Endpoints", ("core.Endpoints", "subsets")), AGE),
    "Event": (
        Column("Last Seen", ("core.Event", "lastTimestamp")),
        Column("Type", ("core.Event", "type")),
        Column("Reason", ("core.Event", "reason")),
        Column("Object", ("core.Event", "involvedObject")),
        _wide("Subobject", ("core.ObjectReference", "fieldPath")),
        _wide("Source", ("core.Event", "source")),
        Column("Message", ("core.Event", "message")),
        _wide("First Seen", ("core.Event", "firstTimestamp")),
        _wide("Count", ("core.Event", "count")),
        Column("Name", ("meta.ObjectMeta", "name"), format="name", priority=1),
    ),
    "Lease": (NAME, Column("Holder", ("coordination.LeaseSpec", "holderIdentity")), AGE),
    "PodDisruptionBudget": (
        NAME,
        Column("Min Available", "The minimum number of pods that must be available."),
        Column("Max Unavailable", "The maximum number of pods that may be unavailable."),
        _integer(
            "Allowed Disruptions", "Calculated number of pods that may be disrupted at this time."
        ),
        AGE,
    ),
    "PriorityClass": (
        NAME,
        _integer("Value", ("scheduling.PriorityClass", "value")),
        Column("Global-Default", ("scheduling.PriorityClass", "globalDefault"), type="boolean"),
        AGE,
        Column("PreemptionPolicy", ("scheduling.PriorityClass", "preemptionPolicy")),
    ),
    "Namespace": (NAME, Column("Status", "The status of the namespace"), AGE),
    "Node": (
        NAME,
        Column("Status", "The status of the node"),
        Column("Roles", "The roles of the node"),
        AGE,
        Column("Version", ("core.NodeSystemInfo", "kubeletVersion")),
        _wide("Internal-IP", ("core.NodeStatus", "addresses")),
        _wide("External-IP", ("core.NodeStatus", "addresses")),
        _wide("OS-Image", ("core.NodeSystemInfo", "osImage")),
        _wide("Kernel-Version", ("core.NodeSystemInfo", "kernelVersion")),
        _wide("Container-Runtime", ("core.NodeSystemInfo", "containerRuntimeVersion")),
    ),
    "Pod": (
        NAME,
        Column("Ready", "The aggregate readiness state of this pod for accepting traffic."),
        Column("Status", "The aggregate status of the containers in this pod."),
        Column(
            "Restarts",
            "The number of times the containers in this pod have been restarted and when the "
            "last container in this pod has restarted.",
        ),
        AGE,
        _wide("IP", ("core.PodStatus", "podIP")),
        _wide("Node", ("core.PodSpec", "nodeName")),
        _wide("Nominated Node", ("core.PodStatus", "nominatedNodeName")),
        _wide("Readiness Gates", ("core.PodSpec", "readinessGates")),
    ),
    "ReplicaSet": (
        NAME,
        _integer("Desired", ("apps.ReplicaSetSpec", "replicas")),
        _integer("Current", ("apps.ReplicaSetStatus", "replicas")),
        _integer("Ready", ("apps.ReplicaSetStatus", "readyReplicas")),
        AGE,
        _wide("Containers", "Names of each container in the template."),
        _wide("Images", "Images referenced by each container in the template."),
        _wide("Selector", ("apps.ReplicaSetSpec", "selector")),
    ),
    "Scale": (
        Column("Name", ("meta.ObjectMeta", "name")),
        _integer("Desired", ("autoscaling.ScaleSpec", "replicas")),
        _integer("Available", ("autoscaling.ScaleStatus", "replicas")),
        AGE,
    ),
    "Service": (
        NAME,
        Column("Type", ("core.ServiceSpec", "type")),
        Column("Cluster-IP", ("core.ServiceSpec", "clusterIP")),
        Column("External-IP", ("core.ServiceSpec", "externalIPs")),
        Column("Port(s)", ("core.ServiceSpec", "ports")),
        AGE,
        _wide("Selector", ("core.ServiceSpec", "selector")),
    ),
    "ServiceAccount": (NAME, AGE),
}
