"""What `up`, `scale`, `kill-pod`, `kill-node` and `down` say of what they did."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from flashsale.base.text import counted, spelled

if TYPE_CHECKING:
    from flashsale.objects.models import Pod
    from flashsale.sale.down import DownResult
    from flashsale.sale.kill.kill_node import NodeKill
    from flashsale.sale.observe.healing import Happening, Healing
    from flashsale.sale.observe.state import Update
    from flashsale.sale.purge import Purged
    from flashsale.sale.scale import Scaling
    from flashsale.sale.up.up import Opened

LEFT_IMAGES = "docker image ls --filter label=flashsale.digest"
BACK_OFF = re.compile(r"back-off (\S+) restarting")  # the kubelet's words, its time as Go writes it
KILL = ("flashsale kill-pod", "kill a pod, and see Kubernetes replace it")
LOOK = (
    ("flashsale open", "buy something in the browser"),
    ("flashsale watch", "see the pods live, in another terminal"),
)
MANY = 90  # pods from which the next step leads down: 100 is the most


def opened_view(opened: Opened, now: float, width: int | None = None) -> str:
    """Write what `up` prints: what was done, the tables, the address and two next steps."""
    from flashsale.ui.console import filled
    from flashsale.ui.kubectl_tables import status_view

    done = [f"{name} {outcome}" for name, outcome in opened.outcomes.items()]
    if replaced := opened.rolled.replaced:
        done.append(f"{counted(replaced, 'pod')} of the old version replaced")
    desired = opened.status.replicaset.desired
    steps = "\n".join(f"  {command:<20} {why}" for command, why in next_steps(desired))
    sale = status_view(opened.status, now, width=width)
    done += [filled(opened.why, width)] if opened.why else []
    return "\n".join(done) + f"\n\n{sale}\n\n{_opened_line(opened)} Next:\n{steps}"


def next_steps(desired: int) -> list[tuple[str, str]]:
    """Choose what to try now, as commands and what they do; none kills where no pod is."""
    wanted = desired - 2 if desired >= MANY else max(desired + 2, 3)
    scale = f"flashsale scale {wanted}", f"{spelled(wanted)} pods instead of {spelled(desired)}"
    return [*LOOK, KILL, scale] if desired else [scale]


def _opened_line(opened: Opened) -> str:
    """Say when the sale was open; not waited for, it may not be open yet, and without pods not."""
    replicaset = opened.status.replicaset
    if not replicaset.desired:
        return f"Applied after {opened.seconds:.1f} s. No pod is wanted, so the sale is not open."
    if replicaset.ready >= replicaset.desired:
        return f"Open after {opened.seconds:.1f} s."
    progress = f"{replicaset.ready} of {replicaset.desired} pods are ready"
    return f"Applied after {opened.seconds:.1f} s, {progress}."


def scaled_view(name: str, scaling: Scaling, *, waited: bool, width: int | None = None) -> str:
    from flashsale.ui.console import filled

    change = f"replicaset.apps/{name} scaled from {scaling.before} to {scaling.after}"
    if scaling.before == scaling.after:
        change = f"replicaset.apps/{name} not changed: it has {scaling.after} already"
    if not waited:
        return change
    pods = {0: "no pod is left in it", 1: "1 pod is ready"}.get(
        scaling.after, f"{scaling.after} pods are ready"
    )
    why = f"\n{scaling.why}" if scaling.why else ""
    return filled(f"{change}; {pods} after {scaling.seconds:.1f} s{why}", width)


def healings_view(healings: Sequence[Healing]) -> str:
    """Write what `kill-pod` prints when all is whole: one line a victim, in seconds since."""
    from flashsale.ui.kubectl_tables import aligned, seconds_cell

    rows = [["VICTIM", "REPLACEMENT", "CREATED", "STARTED", "READY", "GONE"]]
    for healing in healings:
        moments = (healing.created, healing.started, healing.ready, healing.gone)
        cells = map(seconds_cell, map(healing.seconds, moments))
        rows.append([healing.victim, healing.replacement or "<none>", *cells])
    return aligned(rows)


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


def happening_line(happening: Happening) -> str:
    """Write one thing that happened as one line, for those who follow."""
    from flashsale.sale.observe import healing as healings

    match happening:
        case healings.Died(healing=healing):
            return f"{healing.victim} {healing.cause}"
        case healings.Replaced(healing=healing):
            created = _after(healing.created, healing)
            return f"{healing.replacement} replaces {healing.victim}, created after {created}"
        case healings.Healed(healing=healing):
            return f"{healing.replacement} is ready after {_after(healing.ready, healing)}"
        case healings.Gone(healing=healing):
            return f"{healing.victim} is gone after {_after(healing.gone, healing)}"
        case healings.Closed():
            return ""
        case healings.NotReplaced(healing=healing, why=why):
            return f"{healing.victim} is not replaced: {why}"
        case healings.Scaled(before=before, after=after):
            return f"somebody scales from {before} to {after}"
        case healings.Adopted(pod=pod):
            return f"{pod} now belongs to the ReplicaSet"


class KillNotes:
    """Notes what happens after a kill, one line each; an observer of the sale's monitor."""

    def __init__(self, note: Callable[[str], None], killed: Collection[str]) -> None:
        self._note, self._killed = note, killed  # uids
        self._noted: set[str] = set()

    def see(self, update: Update) -> None:
        from flashsale.sale.observe.observations import PodSeen

        seen = update.observation
        lines = [self._line(happening, update) for happening in update.happenings]
        if isinstance(seen, PodSeen) and seen.pod.uid in self._killed:
            line = back_off_line(seen.pod)
            lines += [] if line in self._noted else [line]
            self._noted.add(line)
        for line in filter(None, lines):
            self._note(line)

    def _line(self, happening: Happening, update: Update) -> str:
        """Write one thing that happened; a pod that is ready again with the reason for its time."""
        from flashsale.sale.observe.healing import Healed
        from flashsale.sale.ready.explanation import healing_line

        if not isinstance(happening, Healed):
            return happening_line(happening)
        return healing_line(happening.healing, update.state.pods)


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


def back_off_line(pod: Pod) -> str:
    """Say how long the kubelet waits before it restarts a container; empty if it does not."""
    match = BACK_OFF.match(pod.waiting)
    if pod.status != "CrashLoopBackOff" or not match:
        return ""
    time = re.sub(r"^(\d+)s$", r"\1 s", match[1])
    return f"Kubernetes waits {time} before it restarts a container that died before: {pod.status}"


def closed_view(closed: DownResult) -> str:
    lines = [f"{name} deleted" for name in closed.removed]
    if not lines and not closed.kept and not closed.stopped:
        lines.append("Nothing of a sale was left.")
    if closed.stopped:
        lines.append("The cluster is stopped.")
    if closed.kept:
        lines.append("The sale is still in it: flashsale up brings it back, and down removes it.")
    return "\n".join(lines)


def purged_view(purged: Purged) -> str:
    """Write what `down --purge` removed, to the byte."""
    line = f"{counted(purged.files, 'file')} removed from {purged.folder}: {purged.size:,} bytes."
    if not purged.files:
        line = f"Nothing was kept in {purged.folder}."
    if purged.images.count:
        images = counted(purged.images.count, "image")
        line += f"\n{images} removed from Docker: {purged.images.size:,} bytes."
    if purged.images.left:
        images = counted(purged.images.left, "image")
        line += f"\nStill in Docker, for other state folders: {images} ({LEFT_IMAGES})."
    return line


def _after(moment: float | None, healing: Healing) -> str:
    seconds = healing.seconds(moment)
    return "" if seconds is None else f"{seconds:.2f} s"
