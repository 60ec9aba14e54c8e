"""Which pods die. Pure: the random generator is an argument."""

from __future__ import annotations

import random
from collections.abc import Sequence

from flashsale.base.errors import BadInputError, NotReadyError, RefusedError
from flashsale.objects.models import Pod
from flashsale.sale.pod_names import find_pod_name


def choose_victims(
    pods: Sequence[Pod],
    owner: str,
    *,
    name: str | None = None,
    count: int = 1,
    everyone: bool = False,
    node: str | None = None,
    rng: random.Random,
) -> tuple[Pod, ...]:
    """Choose the pods to kill: a named one, all, all of a node, or ``count`` random ready ones.

    Args:
        pods: whatever the sale's selector finds, others' pods included.
        owner: uid of the ReplicaSet; only its pods are ever chosen.

    Raises:
        BadInputError: there is no pod of that name, or not so many.
        RefusedError: the named pod is not the ReplicaSet's.
        NotReadyError: no pod is ready.
    """
    own = sorted(
        (pod for pod in pods if owner and pod.owner_uid == owner), key=lambda pod: pod.name
    )
    alive = [pod for pod in own if not pod.terminating]
    if name is not None:
        return (_named(name, pods, own),)
    if node is not None:
        return _on(node, alive)
    if everyone:
        return tuple(alive) or _none_ready()
    ready = [pod for pod in alive if pod.ready]
    if not ready:
        return _none_ready()
    if count > len(ready):
        pods_are = "pod is" if len(ready) == 1 else "pods are"
        raise BadInputError(
            f"Only {len(ready)} {pods_are} ready; {count} cannot be killed.",
            hint=f"flashsale kill-pod --count {len(ready)}",
        )
    return tuple(rng.sample(ready, count))


def _named(name: str, pods: Sequence[Pod], own: Sequence[Pod]) -> Pod:
    known = {pod.name: pod for pod in pods}
    if name not in known:  # pods of others are known by their whole names alone
        name = find_pod_name(name, [pod.name for pod in own], command="flashsale kill-pod")
    match = known[name]
    if match not in own:
        raise RefusedError(
            f"The pod '{name}' does not belong to the sale's ReplicaSet, so it is left alone.",
            hint="flashsale status",
        )
    if match.terminating:
        raise BadInputError(f"The pod '{name}' is on its way out already.", hint="flashsale status")
    return match


def _on(node: str, alive: Sequence[Pod]) -> tuple[Pod, ...]:
    pods = tuple(pod for pod in alive if pod.node == node)
    if not pods:
        used = sorted({pod.node for pod in alive if pod.node})
        where = f"; they are on {', '.join(used)}" if used else ""
        raise BadInputError(
            f"No pod of the sale is on a node '{node}'{where}.", hint="flashsale status -o wide"
        )
    return pods


def _none_ready() -> tuple[Pod, ...]:
    raise NotReadyError("No pod is ready, so there is none to kill.", hint="flashsale status")
