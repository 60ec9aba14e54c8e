"""What buttons do: each calls the code of the command of the same name, and fails as it does."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from flashsale.base.errors import BadInputError
from flashsale.base.text import counted
from flashsale.clusters.base import SilentProgress
from flashsale.dashboard.follow import SaleFollower
from flashsale.dashboard.runs import ActionArguments, Runs, asked_kill_method
from flashsale.sale.kill.kill import kill_pods
from flashsale.sale.kill.kill_node import choose_living_node, start_node, staying_on
from flashsale.sale.kill.victims import choose_victims
from flashsale.sale.replica_count import replica_count
from flashsale.sale.scale import request_replicas

# Does one thing and says what was done; its FlashsaleError has the command's sentence and hint.
Action = Callable[[ActionArguments], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class SaleActions:
    """What is done to the sale that is shown, and to its nodes."""

    follower: SaleFollower

    async def kill(self, arguments: ActionArguments) -> str:
        """Kill the named pod, or a random ready one: `flashsale kill-pod`."""
        name, method = arguments.get("pod"), asked_kill_method(arguments)
        if not isinstance(name, str | None):
            raise BadInputError(f"'{name}' is no name of a pod.", hint="flashsale kill-pod")
        monitor = await self.follower.current()
        state = monitor.state
        owner = state.replicaset.uid if state.replicaset else ""
        pods = [row.pod for row in state.pods.values()]
        if name is None:  # one that was killed a moment ago does not say so yet
            pods = [pod for pod in pods if pod.name not in state.marks]
        chosen = choose_victims(pods, owner, name=name, rng=random.Random())
        differs = await monitor.sale.cluster.crashing() if method.process else ""
        for mark in await kill_pods(monitor.sale, chosen, method):
            monitor.add(mark)
        return " ".join(filter(None, [f"{chosen[0].name} was killed.", differs]))

    async def scale(self, arguments: ActionArguments) -> str:
        """Set the number of pods: `flashsale scale N --no-wait`."""
        count = replica_count(str(arguments.get("replicas", "")))
        monitor = await self.follower.current()
        before = monitor.state.desired
        await request_replicas(monitor, count)
        return f"{monitor.sale.name} is scaled from {before} to {count}."

    async def kill_node(self, arguments: ActionArguments) -> str:
        """Kill the named node, or a random one: `flashsale kill-node --no-wait`."""
        monitor = await self.follower.current()
        sale, name = monitor.sale, _node_name(arguments)
        own = await sale.own_pods()
        node = (await choose_living_node(sale, own, name=name, rng=random.Random())).name
        pods = counted(len(staying_on(own, node)), "pod")
        timing = await sale.cluster.node_timing(sale.api)
        await sale.cluster.kill_node(sale.api, node, SilentProgress())
        self.follower.note(f"{node} loses its power, with {pods}")
        return (
            f"{node} was killed, with {pods}. Kubernetes misses it after {timing.grace:g} s,"
            f" and replaces its pods {timing.toleration} s later."
        )

    async def start_node(self, arguments: ActionArguments) -> str:
        """Start the named node: `flashsale start-node NODE --no-wait`."""
        monitor = await self.follower.current()
        sale, name = monitor.sale, _node_name(arguments)
        await sale.cluster.check_node_kill()
        if name is None or name not in monitor.state.nodes:
            raise BadInputError(f"There is no node '{name}'.", hint="flashsale status -o wide")
        if not await start_node(sale, name, SilentProgress()):
            return f"{name} runs already."
        self.follower.note(f"{name} gets its power back")
        return f"{name} was started."


def _node_name(arguments: ActionArguments) -> str | None:
    name = arguments.get("node")
    if not isinstance(name, str | None):
        raise BadInputError(f"'{name}' is no name of a node.", hint="flashsale status -o wide")
    return name


def all_actions(follower: SaleFollower, runs: Runs) -> Mapping[str, Action]:
    sale = SaleActions(follower)
    return {
        "kill": sale.kill,
        "scale": sale.scale,
        "kill-node": sale.kill_node,
        "start-node": sale.start_node,
        "load": runs.start_load,
        "stop-load": runs.stop_load,
        "drill": runs.start_drill,
        "stop-drill": runs.stop_drill,
    }
