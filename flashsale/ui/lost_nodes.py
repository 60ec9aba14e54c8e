"""What a lost node cost, as text."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flashsale.sale.kill.kill_node import NodeKill
    from flashsale.sale.observe.state import Update


class NodeNotes:
    """Notes what becomes of a killed node's pods, one line each; an observer of the monitor."""

    def __init__(self, note: Callable[[str], None], pods: Collection[str]) -> None:
        self._note, self._pods = note, pods  # uids

    def see(self, update: Update) -> None:
        from flashsale.sale.observe.healing import Died, Healed, NotReplaced, Replaced

        for happening in update.happenings:
            match happening:
                case Died(healing=healing) if healing.in_place:
                    line = f"{healing.victim} is restarted: its node came back in time"
                case Died(healing=healing):
                    line = f"{healing.victim} is told to leave"
                case Replaced(healing=healing):
                    line = f"{healing.replacement} replaces {healing.victim}"
                case Healed(healing=healing):
                    line = f"{healing.replacement} is ready"
                case NotReplaced(healing=healing, why=why):
                    line = f"{healing.victim} is not replaced: {why}"
                case _:
                    continue
            if healing.victim_uid in self._pods:
                self._note(line)


def node_kill_view(killed: NodeKill, width: int | None) -> str:
    """Write what `kill-node` prints: a line a pod, where the time went, and how to undo it.

    Args:
        width: of the terminal; None leaves the sentences on one line.
    """
    from flashsale.sale.ready.explanation import node_line
    from flashsale.ui.console import filled
    from flashsale.ui.kubectl_tables import aligned, seconds_cell

    rows = [["VICTIM", "REPLACEMENT", "CREATED", "STARTED", "READY"]]
    for pod in killed.pods:
        cells = map(seconds_cell, map(pod.seconds, (pod.created, pod.started, pod.ready)))
        rows.append([pod.victim, pod.replacement or "<none>", *cells])
    head = ["NODE", "NOT-READY", "EVICTED", "REPLACED", "READY"]
    times = (killed.not_ready, killed.evicted, killed.replaced, killed.ready_again)
    shown = [aligned([head, [killed.node, *map(seconds_cell, times)]])]
    if killed.pods:
        shown.append(aligned(rows))
    why = node_line(len(killed.pods), times, killed.tolerated)
    back = f"Next:\n  flashsale start-node {killed.node}   bring the node back"
    return "\n\n".join([*shown, filled(why, width), *([back] if killed.not_ready else [])])
