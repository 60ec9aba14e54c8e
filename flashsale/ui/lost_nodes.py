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
                case Died(healing=healing) if healing.in_place and healing.victim_uid in self._pods:
                    self._note(f"{healing.victim} is restarted: its node came back in time")
                case Died(healing=healing) if healing.victim_uid in self._pods:
                    self._note(f"{healing.victim} is told to leave")
                case Replaced(healing=healing) if healing.victim_uid in self._pods:
                    self._note(f"{healing.replacement} replaces {healing.victim}")
                case Healed(healing=healing) if healing.victim_uid in self._pods:
                    self._note(f"{healing.replacement} is ready")
                case NotReplaced(healing=healing, why=why) if healing.victim_uid in self._pods:
                    self._note(f"{healing.victim} is not replaced: {why}")


def node_kill_view(killed: NodeKill, width: int | None) -> str:
    """Write what `kill-node` prints: a line a pod, where the time went, and how to undo it.

    Args:
        width: of the terminal; None leaves the sentences on one line.
    """
    from flashsale.sale.ready.explanation import node_line
    from flashsale.ui.console import filled
    from flashsale.ui.kubectl_tables import aligned

    rows = [
        [pod.victim, pod.replacement or "<none>", _cell(pod.seconds(pod.created)),
         _cell(pod.seconds(pod.started)), _cell(pod.seconds(pod.ready))]
        for pod in killed.pods
    ]  # fmt: skip
    head = ["NODE", "NOT-READY", "EVICTED", "REPLACED", "READY"]
    times = (killed.not_ready, killed.evicted, killed.replaced, killed.ready_again)
    shown = [aligned([head, [killed.node, *map(_cell, times)]])]
    if rows:
        shown.append(aligned([["VICTIM", "REPLACEMENT", "CREATED", "STARTED", "READY"], *rows]))
    why = node_line(len(killed.pods), times, killed.tolerated)
    back = f"Next:\n  flashsale start-node {killed.node}   bring the node back"
    return "\n\n".join([*shown, filled(why, width), *([back] if killed.not_ready else [])])


def _cell(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds:.2f}s"
