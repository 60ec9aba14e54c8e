"""Killing a node, and following what Kubernetes does about it and about the pods there."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flashsale.base.errors import NotReadyError, RefusedError
from flashsale.base.text import joined
from flashsale.clusters.base import Progress
from flashsale.objects.fields import sections
from flashsale.objects.models import Pod
from flashsale.objects.nodes import Node
from flashsale.sale.observe.healing import Died, Healed, Healing, NotReplaced, Replaced
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import Update
from flashsale.sale.sale_nodes import find_node, read_nodes
from flashsale.sale.session import Sale

UNREACHABLE = "node.kubernetes.io/unreachable"
UNHEALTHY = 0.55  # the share of lost nodes that stops evictions
POLL_SECONDS = 0.25  # between two looks at the nodes
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NodeKill:
    """A node's death and what came of it; seconds since the kill, None where it was not seen."""

    node: str
    not_ready: float | None = None
    evicted: float | None = None  # until the last of its pods was told to leave
    pods: tuple[Healing, ...] = ()
    tolerated: float | None = None  # seconds for which its pods tolerate a lost node

    @property
    def replaced(self) -> float | None:
        """Until the last replacement existed."""
        return _last([pod.seconds(pod.created) for pod in self.pods])

    @property
    def ready_again(self) -> float | None:
        """Until the last replacement was ready."""
        return _last([pod.seconds(pod.ready) for pod in self.pods])

    def as_json(self) -> dict[str, Any]:
        """Write it as `kill-node -o json` does."""
        return {
            "node": self.node,
            "not_ready_seconds": self.not_ready,
            "evicted_seconds": self.evicted,
            "pods": [pod.as_json() for pod in self.pods],
        }


@dataclass(slots=True)
class _Followed:
    """What is known so far of the pods of a node that was killed."""

    open: set[str]  # uids whose replacement is not ready yet
    deaths: dict[str, float] = field(default_factory=dict)  # when each was told to leave
    healings: dict[str, Healing] = field(default_factory=dict)

    def note(self, update: Update) -> None:
        for happening in update.happenings:
            match happening:
                case Died(at=at, healing=healing) if (
                    healing.victim_uid in self.open and not healing.in_place
                ):
                    self.deaths[healing.victim_uid] = at
                case Replaced(healing=healing) if healing.victim_uid in self.open:
                    self.healings[healing.victim_uid] = healing
                case Healed(healing=healing) | NotReplaced(healing=healing) if (
                    healing.victim_uid in self.open
                ):
                    self.healings[healing.victim_uid] = healing
                    self.open.discard(healing.victim_uid)


def killable_nodes(nodes: Iterable[Node]) -> list[Node]:
    """Return those that may be killed: ready ones, but for the only control plane."""
    ready = [node for node in nodes if node.ready]
    controlling = [node for node in ready if node.controls]
    return [node for node in ready if [node] != controlling]


def choose_node(
    nodes: Sequence[Node],
    pods: Sequence[Pod],
    *,
    name: str | None,
    rng: random.Random,
    stopped: Collection[str] = (),
) -> Node:
    """Choose the node to kill: the named one, else a random ready one, one with pods if any has.

    Args:
        stopped: nodes without power, which Kubernetes may not have noticed yet.

    Raises:
        BadInputError: there is no node of that name.
        RefusedError: it is the only control plane, or dead, or there is nothing else.
    """
    alive = [node for node in nodes if node.ready and node.name not in stopped]
    killable = killable_nodes(alive)
    if name is not None:
        chosen = find_node(nodes, name)
        if chosen not in alive:
            state = "has been stopped" if name in stopped else "is NotReady"
            raise RefusedError(
                f"The node '{name}' {state} already.", hint=f"flashsale start-node {name}"
            )
        if chosen not in killable:
            raise RefusedError(
                f"The node '{name}' is the only control plane: without it nothing is left that"
                " could replace a pod.",
                hint="flashsale kill-node" if killable else "flashsale up --nodes 3",
            )
        return chosen
    dead = [node.name for node in nodes if node not in alive]
    if not killable and dead:
        raise RefusedError(
            f"No node but the control plane's is left; {joined(dead)}"
            f" {'does' if len(dead) == 1 else 'do'} not run.",
            hint=f"flashsale start-node {dead[0]}",
        )
    if not killable:
        raise RefusedError(
            "There is no node to kill but the control plane's.", hint="flashsale up --nodes 3"
        )
    used = {pod.node for pod in pods if not pod.terminating}
    return rng.choice([node for node in killable if node.name in used] or killable)


async def kill_node(
    monitor: SaleMonitor, node: Node, progress: Progress, *, timeout: float
) -> NodeKill:
    """Kill a node and follow it until all pods that were there have a ready replacement.

    Raises:
        RefusedError: this cluster's nodes cannot be killed from here.
        NotReadyError: that took longer than ``timeout`` seconds.
    """
    sale = monitor.sale
    await monitor.until_synced()
    pods = staying_on(await sale.own_pods(), node.name)
    followed = _Followed({pod.uid for pod in pods})
    monitor.add_observer(followed.note)
    LOG.info("killing the node %s with %d pods of the sale", node.name, len(pods))
    await sale.cluster.kill_node(sale.api, node.name, progress)
    killed = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            noticed = await wait_until_not_ready(
                sale, node.name, is_over=lambda: bool(pods) and not followed.open
            )
            not_ready = None if noticed is None else round(noticed - killed, 3)
            if not_ready is not None:
                progress.note(f"{node.name} is not ready after {not_ready:.1f} s")
                if pods and (why := stopped_evictions_line(await read_nodes(sale.api))):
                    progress.note(why)
            await monitor.until(lambda _: not followed.open)
    except TimeoutError:
        left = len(followed.open)
        raise NotReadyError(
            f"{left} of {len(pods)} pods of the node {node.name} have no ready replacement"
            f" {timeout:g} s after the kill.",
            hint=f"flashsale start-node {node.name}",
        ) from None
    healings = [followed.healings[pod.uid] for pod in pods]
    return NodeKill(
        node.name,
        not_ready,
        _last([round(at - killed, 3) for at in followed.deaths.values()]),
        tuple(replace(healing, died=killed) for healing in healings),
        max(filter(None, map(tolerated_seconds, pods)), default=None),
    )


async def start_node(sale: Sale, name: str, progress: Progress) -> bool:
    """Give a node its power back; returns whether it had none.

    Raises:
        BadInputError: there is no such node.
        ClusterUnreachableError: it could not be started.
    """
    node = find_node(await read_nodes(sale.api), name)
    if node.ready and name not in await sale.cluster.stopped_nodes(sale.api):
        return False
    progress.step(f"Starting the node {name}")
    await sale.cluster.start_node(sale.api, name, progress)
    return True


async def check_node_death(sale: Sale) -> float:
    """Return the seconds for which pods stay on a dead node; RefusedError if none can be killed."""
    await choose_living_node(sale, await sale.own_pods(), name=None, rng=random.Random(0))
    timing = await sale.cluster.node_timing(sale.api)
    return timing.grace + timing.toleration


async def choose_living_node(
    sale: Sale, pods: Sequence[Pod], *, name: str | None, rng: random.Random
) -> Node:
    """Choose the node to kill among those that run.

    Raises:
        RefusedError: this cluster's nodes cannot be killed from here.
        BadInputError, RefusedError: as `choose_node` says.
    """
    await sale.cluster.check_node_kill()
    nodes, stopped = await read_nodes(sale.api), await sale.cluster.stopped_nodes(sale.api)
    return choose_node(nodes, pods, name=name, rng=rng, stopped=stopped)


def stopped_evictions_line(nodes: Sequence[Node]) -> str:
    """Say that nobody is evicted, if so many nodes are lost at once (--unhealthy-zone-threshold).

    Zones are not told apart: a cluster has one, unless somebody labels its nodes.
    """
    lost = sum(not node.ready for node in nodes)
    if lost <= 2 or lost / len(nodes) < UNHEALTHY:
        return ""
    return (
        f"{lost} of {len(nodes)} nodes are NotReady: while 55 % or more are, and more than 2,"
        " Kubernetes moves no pod; it may be the network."
    )


def tolerated_seconds(pod: Pod) -> float | None:
    """Return for how many seconds a pod stays on a lost node; None for ever."""
    tolerated = [
        float(seconds)
        for toleration in sections(pod.raw, "spec", "tolerations")
        if toleration.get("key") == UNREACHABLE
        and (seconds := toleration.get("tolerationSeconds")) is not None
    ]
    return min(tolerated, default=None)


def staying_on(pods: Iterable[Pod], node: str) -> list[Pod]:
    """Return the pods on a node that are not on their way out."""
    return [pod for pod in pods if pod.node == node and not pod.terminating]


async def wait_until_node_ready(sale: Sale, name: str, *, timeout: float) -> float:
    """Return the seconds until a node is ready; NotReadyError if they are over ``timeout``."""
    began = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            while True:
                if await _find_ready(sale, name):
                    return time.monotonic() - began
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise NotReadyError(
            f"The node {name} is not ready after {timeout:g} s.", hint="flashsale status -o wide"
        ) from None


async def wait_until_not_ready(
    sale: Sale, name: str, *, is_over: Callable[[], bool] = lambda: False
) -> float | None:
    """Wait until a node is not ready, and return that moment on the monotonic clock.

    None where it came back before anybody noticed, or the waiting ``is_over``.
    """
    last = ""
    while (node := await _find_ready(sale, name)) and not is_over():
        if last and node.heartbeat != last:  # a kubelet that starts writes its status at once
            return None
        last = node.heartbeat
        await asyncio.sleep(POLL_SECONDS)
    return None if node else time.monotonic()


async def _find_ready(sale: Sale, name: str) -> Node | None:
    nodes = await read_nodes(sale.api)
    return next((node for node in nodes if node.name == name and node.ready), None)


def _last(seconds: Sequence[float | None]) -> float | None:
    return max((moment for moment in seconds if moment is not None), default=None)
