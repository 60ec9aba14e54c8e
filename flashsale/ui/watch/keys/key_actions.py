"""What keys of `watch` do to the sale: kill a pod, scale, read a log, describe a pod."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import partial

from flashsale.base.text import counted
from flashsale.kube import paths
from flashsale.objects.models import Pod
from flashsale.sale.kill.kill import kill_pods
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.kill.victims import choose_victims
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.replica_count import MOST_REPLICAS
from flashsale.sale.scale import request_replicas
from flashsale.ui.watch.keys.key_queue import Answer, KeyAction, Question
from flashsale.ui.watch.keys.navigation import END
from flashsale.ui.watch.pod_details import describe_pod
from flashsale.ui.watch.view_model import Board, Now, Panel, shown_events

LOG_LINES = 200
CHOOSE_FIRST = "choose a pod first, with the arrow keys"


def key_actions(monitor: SaleMonitor) -> Mapping[str, KeyAction]:
    scale = partial(_scale, monitor)
    more, describe = KeyAction(scale), KeyAction(_show_description)
    return {
        "k": KeyAction(partial(_kill, monitor)),
        "+": more,
        "=": more,
        "-": KeyAction(scale, -1),
        "l": KeyAction(partial(_show_log, monitor)),
        "d": describe,
        "enter": describe,
    }


async def _kill(monitor: SaleMonitor, board: Board, count: int) -> Answer:
    """Kill the chosen pod, else so many random ready ones, as far as there are any.

    A pod that was killed a moment ago, and does not say so yet, is left alone.
    """
    state = monitor.state
    owner = state.replicaset.uid if state.replicaset else ""
    row = board.rows.get(board.chosen)
    if board.chosen and (row is None or row.gone is not None):
        return "the chosen pod is gone: Esc, or choose another"
    if pod := _chosen(board):
        chosen = choose_victims([*state.own, pod], owner, name=pod.name, rng=random.Random())
    else:
        ready = [pod for pod in state.alive if pod.ready and pod.name not in state.marks]
        number = max(1, min(count, len(ready)))
        chosen = choose_victims(ready, owner, count=number, rng=random.Random())
    for mark in await kill_pods(monitor.sale, chosen, KillMethod()):
        monitor.add(mark)
    return f"{chosen[0].name if len(chosen) == 1 else counted(len(chosen), 'pod')} killed"


async def _scale(monitor: SaleMonitor, board: Board, by: int) -> Answer:
    """Scale up or down, as far as that goes; to none only after asking."""
    desired = monitor.state.desired or 0
    wanted = min(max(desired + by, 0), MOST_REPLICAS)
    if wanted == desired:
        return f"{wanted} is the most" if by > 0 else "there is no pod left to take away"

    async def scale(board: Board, by: int) -> Answer:
        await request_replicas(monitor, wanted)
        return f"scaled to {wanted}"

    if wanted == 0:
        return Question("Scale to 0? Nobody will sell until you scale up again.  y / n", scale)
    return await scale(board, by)


async def _show_log(monitor: SaleMonitor, board: Board, count: int) -> Answer:
    pod = _chosen(board)
    if pod is None:
        return CHOOSE_FIRST
    path = paths.pods(monitor.sale.namespace, pod.name, "log")
    query = {"tailLines": LOG_LINES, "container": pod.app_container["name"]}
    text = await monitor.sale.api.text(path, query)
    lines = text.splitlines() or ["nothing yet"]
    return Panel(f"Log of {pod.name}", tuple(f"   {line}" for line in lines), offset=END)


async def _show_description(board: Board, count: int) -> Answer:
    pod = _chosen(board)
    if pod is None:
        return CHOOSE_FIRST
    return Panel(pod.name, tuple(describe_pod(pod, shown_events(board), Now.read())))


def _chosen(board: Board) -> Pod | None:
    row = board.rows.get(board.chosen)
    return row.seen.pod if row else None
