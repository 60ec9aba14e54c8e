"""One printer a kind: the cells of an object's row (pkg/printers/internalversion/printers.go).

A printer takes any JSON object: what is missing or misshapen prints as `<none>`, `<unknown>` or
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flashsale.embedded.selectors.label_selectors import format_label_selector
from flashsale.objects.columns import find_condition, human_duration, pod_columns, service_ports
from flashsale.objects.fields import Section, moment, number, section, sections, text, texts

NONE, UNKNOWN, UNSET = "<none>", "<unknown>", "<unset>"
MOST = 3  # addresses and ports that are listed before `+ N more...`
ROLE, ROLES = "kubernetes.io/role", "node-role.kubernetes.io/"
Thing = Mapping[str, Any]
Cells = list[str | int]

Printer = Callable[[Thing, float], Cells]  # with the time in unix seconds, for ages


def pod_row(thing: Thing, now: float) -> Cells:
    """NAME READY STATUS RESTARTS AGE IP NODE NOMINATED-NODE READINESS-GATES."""
    shown = pod_columns(thing)
    restarts = str(shown.restarts)
    if shown.restarts and shown.restarted:
        restarts += f" ({human_duration(now - shown.restarted)} ago)"
    addresses = [text(section, "ip") for section in sections(thing, "status", "podIPs")]
    return [
        _name(thing),
        f"{shown.ready}/{shown.total}",
        shown.status,
        restarts,
        _age(thing, now),
        (addresses[0] if addresses else text(thing, "status", "podIP")) or NONE,
        text(thing, "spec", "nodeName") or NONE,
        text(thing, "status", "nominatedNodeName") or NONE,
        _readiness_gates(thing),
    ]


def disruption_budget_row(thing: Thing, now: float) -> Cells:
    """NAME MIN-AVAILABLE MAX-UNAVAILABLE ALLOWED-DISRUPTIONS AGE."""
    spec = section(thing, "spec")
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    return [
        _name(thing),
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        number(thing, "status", "disruptionsAllowed"),
        _age(thing, now),
    ]


def priority_class_row(thing: Thing, now: float) -> Cells:
    """NAME VALUE GLOBAL-DEFAULT AGE PREEMPTIONPOLICY."""
    return [
        _name(thing),
        number(thing, "value"),
        "true" if thing.get("globalDefault") else "false",
        _age(thing, now),
        text(thing, "preemptionPolicy"),
    ]


def replica_set_row(thing: Thing, now: float) -> Cells:
    """NAME DESIRED CURRENT READY AGE CONTAINERS IMAGES SELECTOR."""
    containers = sections(thing, "spec", "template", "spec", "containers")
    return [
        _name(thing),
        number(thing, "spec", "replicas"),
        number(thing, "status", "replicas"),
        number(thing, "status", "readyReplicas"),
        _age(thing, now),
        ",".join(text(container, "name") for container in containers),
        ",".join(text(container, "image") for container in containers),
        format_label_selector(section(thing, "spec").get("selector")),
    ]


def service_row(thing: Thing, now: float) -> Cells:
    """NAME TYPE CLUSTER-IP EXTERNAL-IP PORT(S) AGE SELECTOR."""
    addresses, labels = texts(thing, "spec", "clusterIPs"), section(thing, "spec", "selector")
    return [
        _name(thing),
        text(thing, "spec", "type"),
        (addresses[0] if addresses else text(thing, "spec", "clusterIP")) or NONE,
        _external_ip(thing),
        service_ports(sections(thing, "spec", "ports")),
        _age(thing, now),
        ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or NONE,
    ]


def node_row(thing: Thing, now: float) -> Cells:
    """NAME STATUS ROLES AGE VERSION INTERNAL-IP EXTERNAL-IP OS-IMAGE KERNEL CONTAINER-RUNTIME."""
    info = section(thing, "status", "nodeInfo")
    kernel, architecture = text(info, "kernelVersion"), text(info, "architecture")
    if kernel and architecture:
        kernel += f" ({architecture})"
    return [
        _name(thing),
        _node_status(thing),
        _roles(section(thing, "metadata", "labels")),
        _age(thing, now),
        text(info, "kubeletVersion"),
        _address(thing, "InternalIP"),
        _address(thing, "ExternalIP"),
        text(info, "osImage") or UNKNOWN,
        kernel or UNKNOWN,
        text(info, "containerRuntimeVersion") or UNKNOWN,
    ]


def event_row(thing: Thing, now: float) -> Cells:
    """LAST-SEEN TYPE REASON OBJECT SUBOBJECT SOURCE MESSAGE FIRST-SEEN COUNT NAME."""
    first = moment(thing, "firstTimestamp") or moment(thing, "eventTime")
    last = moment(thing, "lastTimestamp") or first
    count = number(thing, "count") or 1  # those of the newer API have none, or a series
    if section(thing, "series"):
        last, count = moment(thing, "series", "lastObservedTime"), number(thing, "series", "count")
    about = text(thing, "involvedObject", "kind").lower()
    name = text(thing, "involvedObject", "name")
    return [
        _since(last, now),
        text(thing, "type"),
        text(thing, "reason"),
        f"{about}/{name}" if name else about,
        text(thing, "involvedObject", "fieldPath"),
        _source(thing),
        text(thing, "message").strip(),
        _since(first, now),
        count,
        _name(thing),
    ]


def endpoint_slice_row(thing: Thing, now: float) -> Cells:
    """NAME ADDRESSTYPE PORTS ENDPOINTS AGE."""
    ports = sections(thing, "ports")
    addresses = (texts(section, "addresses") for section in sections(thing, "endpoints"))
    return [
        _name(thing),
        text(thing, "addressType"),
        _listed(str(number(port, "port") or text(port, "name") or "*") for port in ports) or UNSET,
        _listed(address for several in addresses for address in several) or UNSET,
        _age(thing, now),
    ]


def endpoints_row(thing: Thing, now: float) -> Cells:
    """NAME ENDPOINTS AGE."""
    subsets = sections(thing, "subsets")
    listed = _listed(address for subset in subsets for address in _addresses(subset))
    return [_name(thing), listed if subsets else NONE, _age(thing, now)]


def namespace_row(thing: Thing, now: float) -> Cells:
    """NAME STATUS AGE."""
    return [_name(thing), text(thing, "status", "phase"), _age(thing, now)]


def config_map_row(thing: Thing, now: float) -> Cells:
    """NAME DATA AGE."""
    size = len(section(thing, "data")) + len(section(thing, "binaryData"))
    return [_name(thing), size, _age(thing, now)]


def service_account_row(thing: Thing, now: float) -> Cells:
    """NAME AGE."""
    return [_name(thing), _age(thing, now)]


def lease_row(thing: Thing, now: float) -> Cells:
    """NAME HOLDER AGE."""
    return [_name(thing), text(thing, "spec", "holderIdentity"), _age(thing, now)]


def scale_row(thing: Thing, now: float) -> Cells:
    """NAME DESIRED AVAILABLE AGE."""
    desired, available = number(thing, "spec", "replicas"), number(thing, "status", "replicas")
    return [_name(thing), desired, available, _age(thing, now)]


PRINTERS: Mapping[str, Printer] = {  # by kind
    "ConfigMap": config_map_row,
    "EndpointSlice": endpoint_slice_row,
    "Endpoints": endpoints_row,
    "Event": event_row,
    "Lease": lease_row,
    "PodDisruptionBudget": disruption_budget_row,
    "PriorityClass": priority_class_row,
    "Namespace": namespace_row,
    "Node": node_row,
    "Pod": pod_row,
    "ReplicaSet": replica_set_row,
    "Scale": scale_row,
    "Service": service_row,
    "ServiceAccount": service_account_row,
}


def _name(thing: Thing) -> str:
    return text(thing, "metadata", "name")


def _age(thing: Thing, now: float) -> str:
    return _since(moment(thing, "metadata", "creationTimestamp"), now)


def _since(then: float, now: float) -> str:
    return human_duration(now - then) if then else UNKNOWN


def _readiness_gates(thing: Thing) -> str:
    gates = sections(thing, "spec", "readinessGates")
    kept = [gate for gate in gates if _holds(thing, text(gate, "conditionType"))]
    return f"{len(kept)}/{len(gates)}" if gates else NONE


def _holds(thing: Thing, condition: str) -> bool:
    return find_condition(thing, condition).get("status") == "True"


def _external_ip(thing: Thing) -> str:
    kind, manual = text(thing, "spec", "type"), texts(thing, "spec", "externalIPs")
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(manual) or NONE
    if kind == "LoadBalancer":
        ingress = sections(thing, "status", "loadBalancer", "ingress")
        given = sorted(
            {text(address, "ip") or text(address, "hostname") for address in ingress} - {""}
        )
        return ",".join([*given, *manual]) or "<pending>"
    return text(thing, "spec", "externalName") if kind == "ExternalName" else UNKNOWN


def _node_status(thing: Thing) -> str:
    ready = find_condition(thing, "Ready")  # conditions of nodes are like those of pods
    words = ["Unknown"]
    if ready:
        words = ["Ready" if ready.get("status") == "True" else "NotReady"]
    if section(thing, "spec").get("unschedulable") is True:
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(labels: Section) -> str:
    roles = {key[len(ROLES) :] for key in labels if key.startswith(ROLES)} | {text(labels, ROLE)}
    return ",".join(sorted(roles - {""})) or NONE


def _address(thing: Thing, kind: str) -> str:
    for address in sections(thing, "status", "addresses"):
        if address.get("type") == kind:
            return text(address, "address")
    return NONE


def _source(thing: Thing) -> str:
    component = text(thing, "source", "component") or text(thing, "reportingComponent")
    instance = text(thing, "source", "host") or text(thing, "reportingInstance")
    return f"{component}, {instance}" if instance else component


def _addresses(subset: Section) -> list[str]:
    """Join each address with each port; only addresses where there are no ports."""
    addresses = [text(address, "ip") for address in sections(subset, "addresses")]
    ports = [number(port, "port") for port in sections(subset, "ports")]
    if not ports:
        return addresses
    hosts = [f"[{address}]" if ":" in address else address for address in addresses]
    return [f"{host}:{port}" for port in ports for host in hosts]


def _listed(words: Iterable[str]) -> str:
    """Write the first few words: `a,b,c + 2 more...`."""
    several = list(words)
    more = f" + {len(several) - MOST} more..." if len(several) > MOST else ""
    return ",".join(several[:MOST]) + more
