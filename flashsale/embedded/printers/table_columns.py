"""The columns of each kind's table: names, types and priorities as Kubernetes has them.

Those of priority 1 are shown by `kubectl get -o wide` only. The descriptions are our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    description: str
    type: str = "string"
    format: str = ""
    priority: int = 0


def _wide(name: str, description: str) -> Column:
    return Column(name, description, priority=1)


def _integer(name: str, description: str) -> Column:
    return Column(name, description, type="integer")


NAME = Column("Name", "Unique among the objects of its kind in its namespace.", format="name")
AGE = Column("Age", "Time since the object was created.")
POD_COLUMNS = (
    NAME,
    Column("Ready", "Containers that are ready, and how many there are."),
    Column("Status", "What the pod is at, from its phase and its containers' states."),
    Column("Restarts", "How often its containers were restarted, and when last."),
    AGE,
    _wide("IP", "The pod's address."),
    _wide("Node", "The node that it runs on."),
    _wide("Nominated Node", "The node where others must give way to it first."),
    _wide("Readiness Gates", "Further conditions of its readiness, and how many hold."),
)
REPLICA_SET_COLUMNS = (
    NAME,
    _integer("Desired", "Pods that are wanted."),
    _integer("Current", "Pods that exist."),
    _integer("Ready", "Pods that are ready."),
    AGE,
    _wide("Containers", "Names of the template's containers."),
    _wide("Images", "Images of the template's containers."),
    _wide("Selector", "Labels of the pods that it looks after."),
)
SERVICE_COLUMNS = (
    NAME,
    Column("Type", "How the service is exposed: ClusterIP, NodePort, LoadBalancer, ExternalName."),
    Column("Cluster-IP", "Its address inside the cluster."),
    Column("External-IP", "Its addresses outside of the cluster."),
    Column("Port(s)", "Port, node port and protocol of each of its ports."),
    AGE,
    _wide("Selector", "Labels of the pods that it sends traffic to."),
)
NODE_COLUMNS = (
    NAME,
    Column("Status", "Whether the node is ready, and whether pods may be scheduled to it."),
    Column("Roles", "Its roles, from its labels."),
    AGE,
    Column("Version", "Version of its kubelet."),
    _wide("Internal-IP", "Its address inside the cluster."),
    _wide("External-IP", "Its address outside of the cluster."),
    _wide("OS-Image", "Its operating system."),
    _wide("Kernel-Version", "Its kernel and architecture."),
    _wide("Container-Runtime", "What runs its containers, and in which version."),
)
EVENT_COLUMNS = (
    Column("Last Seen", "Time since it happened last."),
    Column("Type", "Normal or Warning."),
    Column("Reason", "Why the object changed, in one word."),
    Column("Object", "What it is about."),
    _wide("Subobject", "Which part of the object it is about."),
    _wide("Source", "The component that reports it."),
    Column("Message", "What happened, in a sentence."),
    _wide("First Seen", "Time since it happened first."),
    _wide("Count", "How often it happened."),
    Column(NAME.name, NAME.description, format=NAME.format, priority=1),
)
ENDPOINT_SLICE_COLUMNS = (
    NAME,
    Column("AddressType", "What its addresses are: IPv4, IPv6 or FQDN."),
    Column("Ports", "Ports of all its endpoints."),
    Column("Endpoints", "Addresses, ready or not."),
    AGE,
)
ENDPOINTS_COLUMNS = (NAME, Column("Endpoints", "Ready addresses with their ports."), AGE)
NAMESPACE_COLUMNS = (NAME, Column("Status", "Active or Terminating."), AGE)
CONFIG_MAP_COLUMNS = (NAME, Column("Data", "How many values it holds."), AGE)
SERVICE_ACCOUNT_COLUMNS = (NAME, Column("Secrets", "How many secrets it names."), AGE)
LEASE_COLUMNS = (NAME, Column("Holder", "Who holds it."), AGE)
SCALE_COLUMNS = (
    NAME,
    _integer("Desired", "Pods that are wanted."),
    _integer("Available", "Pods that exist."),
    AGE,
)

COLUMNS: Mapping[str, tuple[Column, ...]] = {  # by kind
    "ConfigMap": CONFIG_MAP_COLUMNS,
    "EndpointSlice": ENDPOINT_SLICE_COLUMNS,
    "Endpoints": ENDPOINTS_COLUMNS,
    "Event": EVENT_COLUMNS,
    "Lease": LEASE_COLUMNS,
    "Namespace": NAMESPACE_COLUMNS,
    "Node": NODE_COLUMNS,
    "Pod": POD_COLUMNS,
    "ReplicaSet": REPLICA_SET_COLUMNS,
    "Scale": SCALE_COLUMNS,
    "Service": SERVICE_COLUMNS,
    "ServiceAccount": SERVICE_ACCOUNT_COLUMNS,
}
