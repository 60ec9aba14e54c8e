"""Tables exactly as kubectl prints them: capitals, three blanks, no lines. State in, text out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flashsale.objects.models import Pod, ReplicaSet, Service, human_duration
from flashsale.ui.console import filled

if TYPE_CHECKING:
    from flashsale.sale.status import SaleInNamespace, SaleStatus

GAP = 3
NONE = "<none>"
REPLICASET = ["NAME", "DESIRED", "CURRENT", "READY", "AGE"]


def aligned(rows: Sequence[Sequence[str]], *, gap: int = GAP) -> str:
    """Write rows with their columns aligned, ``gap`` blanks apart; the last one is not padded."""
    widths = [max(map(len, column)) + gap for column in zip(*rows, strict=True)]
    lines = (
        "".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


def replicaset_table(replicaset: ReplicaSet, now: float, *, wide: bool = False) -> str:
    """Write what `kubectl get rs` prints; ``now`` is unix seconds."""
    row, head = _replicaset_row(replicaset, now), [*REPLICASET]
    if wide:
        head += ["CONTAINERS", "IMAGES", "SELECTOR"]
        row += [",".join(replicaset.containers), ",".join(replicaset.images), replicaset.selector]
    return aligned([head, row])


def _replicaset_row(replicaset: ReplicaSet, now: float) -> list[str]:
    numbers = (replicaset.desired, replicaset.current, replicaset.ready)
    return [replicaset.name, *map(str, numbers), age(replicaset.created, now)]


def sales_table(sales: Sequence[SaleInNamespace], now: float) -> str:
    """Write what `kubectl get rs -A` prints of the sales; ``now`` is unix seconds."""
    rows = [[sale.namespace, *_replicaset_row(sale.replicaset, now)] for sale in sales]
    return aligned([["NAMESPACE", *REPLICASET], *rows])


def pods_table(pods: Sequence[Pod], now: float, *, wide: bool = False) -> str:
    """Write what `kubectl get pods` prints; ``now`` is unix seconds."""
    head = ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    if wide:
        head += ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
    return aligned([head, *(_pod_row(pod, now, wide) for pod in pods)])


def service_table(service: Service, now: float) -> str:
    """Write what `kubectl get service` prints; ``now`` is unix seconds."""
    pending = "<pending>" if service.type == "LoadBalancer" else NONE
    return aligned(
        [
            ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"],
            [
                service.name,
                service.type,
                service.cluster_ip or NONE,
                service.external or pending,
                service.ports,
                age(service.created, now),
            ],
        ]
    )


def status_view(
    status: SaleStatus, now: float, *, wide: bool = False, width: int | None = None
) -> str:
    """Write the whole sale: three tables, and where it is.

    Args:
        now: unix seconds.
        width: of the terminal, where the sentences are broken at words; tables never are.
    """
    pods = pods_table(status.pods, now, wide=wide) if status.pods else "No pods."
    service = service_table(status.service, now) if status.service else ""
    last = [status.url or status.no_url, whereabouts(status)]
    if wide and status.pods:
        last.append(spread(status.pods))
        states = [f"{node.name} is {node.state}" for node in status.nodes if node.state != "Ready"]
        last += [", ".join(states)] if states else []
        last += [status.node_times] if status.node_times else []
    parts = (
        replicaset_table(status.replicaset, now, wide=wide),
        pods,
        service,
        filled("\n".join(filter(None, last)), width),
    )
    return "\n\n".join(filter(None, parts))


def whereabouts(status: SaleStatus) -> str:
    """Say what the sale runs on; the embedded cluster says openly what it is."""
    where = {
        "embedded": "on the embedded cluster, an imitation of Kubernetes for one machine",
        "minikube": f"on minikube, profile {status.context}",
        "context": f"on the cluster of the context {status.context}",
    }[status.kind]
    return where + (f", namespace {status.namespace}" if status.namespace != "default" else "")


def spread(pods: Sequence[Pod]) -> str:
    """Say how the pods are spread over the nodes."""
    nodes = Counter(pod.node for pod in pods if pod.node and not pod.terminating)
    waiting = sum(not pod.node for pod in pods)
    each = ", ".join(f"{node} {count}" for node, count in sorted(nodes.items()))
    homeless = f"; {waiting} not on a node yet" if waiting else ""
    if len(nodes) < 2:
        return (f"all on one node, {next(iter(nodes))}" if nodes else "on no node") + homeless
    return f"spread over {len(nodes)} nodes: {each}{homeless}"


def age(created: float, now: float) -> str:
    """Write an AGE; both are unix seconds."""
    return human_duration(now - created) if created else "<unknown>"


def restarts(pod: Pod, now: float) -> str:
    """Write RESTARTS as `printPod` in kubectl's printers does: `2 (13s ago)`."""
    if pod.restarts and pod.restarted:
        return f"{pod.restarts} ({human_duration(now - pod.restarted)} ago)"
    return str(pod.restarts)


def seconds_cell(seconds: float | None) -> str:
    """Write seconds in a table of our own; what was not seen is empty."""
    return "" if seconds is None else f"{seconds:.2f}s"


def _pod_row(pod: Pod, now: float, wide: bool) -> list[str]:
    ready = f"{pod.containers_ready}/{pod.containers}"
    row = [pod.name, ready, pod.status, restarts(pod, now), age(pod.created, now)]
    return [*row, pod.ip or NONE, pod.node or NONE, NONE, NONE] if wide else row
