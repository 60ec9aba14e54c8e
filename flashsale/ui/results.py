"""What `up`, `scale`, `kill-pod` and `down` say when they are done. State in, text out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flashsale.base.text import counted, spelled

if TYPE_CHECKING:
    from flashsale.objects.models import Pod
    from flashsale.sale.down import DownResult
    from flashsale.sale.observe.state import Happening, Healing
    from flashsale.sale.purge import Purged
    from flashsale.sale.ready.conditions import Sight
    from flashsale.sale.scale import Scaling
    from flashsale.sale.up.up import Opened

BACK_OFF = re.compile(r"back-off (\S+) restarting")  # the kubelet's words, its time as Go writes it
KILL = ("flashsale kill-pod", "kill a pod, and see Kubernetes replace it")
MANY = 90  # pods from which the next step leads down: 100 is the most


def opened_view(opened: Opened, now: float) -> str:
    """Write what `up` prints: what was done, the tables, the address and two next steps."""
    from flashsale.ui.kubectl_tables import status_view

    done = [f"{name} {outcome}" for name, outcome in opened.outcomes.items()]
    if replaced := opened.rolled.replaced:
        done.append(f"{counted(replaced, 'pod')} of the old version replaced")
    desired = opened.status.replicaset.desired
    steps = "\n".join(f"  {command:<20} {why}" for command, why in next_steps(desired))
    sale = status_view(opened.status, now)
    return "\n".join(done) + f"\n\n{sale}\n\n{_opened_line(opened)} Next:\n{steps}"


def next_steps(desired: int) -> list[tuple[str, str]]:
    """Choose what to try now, as commands and what they do; none kills where no pod is."""
    wanted = desired - 2 if desired >= MANY else max(desired + 2, 3)
    scale = f"flashsale scale {wanted}", f"{spelled(wanted)} pods instead of {spelled(desired)}"
    return [KILL, scale] if desired else [scale]


def _opened_line(opened: Opened) -> str:
    """Say when the sale was open; not waited for, it may not be open yet."""
    replicaset = opened.status.replicaset
    if replicaset.ready >= replicaset.desired:
        return f"Open after {opened.seconds:.1f} s."
    progress = f"{replicaset.ready} of {replicaset.desired} pods are ready"
    return f"Applied after {opened.seconds:.1f} s, {progress}."


def ready_line(sight: Sight, count: int) -> str:
    """Write how far the pods are, while somebody waits for them."""
    return f"{sum(pod.ready for pod in sight.alive)} of {count} ready"


def scaled_view(name: str, scaling: Scaling, *, waited: bool) -> str:
    """Write what `scale` prints."""
    change = f"replicaset.apps/{name} scaled from {scaling.before} to {scaling.after}"
    if not waited:
        return change
    pods = {0: "no pod is left in it", 1: "1 pod is ready"}.get(
        scaling.after, f"{scaling.after} pods are ready"
    )
    return f"{change}; {pods} after {scaling.seconds:.1f} s"


def healings_view(healings: Sequence[Healing]) -> str:
    """Write what `kill-pod` prints when all is whole: one line a victim, in seconds since."""
    from flashsale.ui.kubectl_tables import aligned

    rows = [
        [
            one.victim,
            one.replacement or "<none>",
            *(
                "" if moment is None else f"{moment:.2f}s"
                for moment in map(one.seconds, (one.created, one.started, one.ready, one.gone))
            ),
        ]
        for one in healings
    ]
    return aligned([["VICTIM", "REPLACEMENT", "CREATED", "STARTED", "READY", "GONE"], *rows])


def happening_line(happening: Happening) -> str:
    """Write one thing that happened as one line, for those who follow."""
    from flashsale.sale.observe import state

    match happening:
        case state.Died(healing=one):
            return f"{one.victim} {one.cause}"
        case state.Replaced(healing=one):
            return (
                f"{one.replacement} replaces {one.victim}, created after {_after(one.created, one)}"
            )
        case state.Healed(healing=one):
            return f"{one.replacement} is ready after {_after(one.ready, one)}"
        case state.Gone(healing=one):
            return f"{one.victim} is gone after {_after(one.gone, one)}"
        case state.Closed():
            return ""
        case state.NotReplaced(healing=one, why=why):
            return f"{one.victim} is not replaced: {why}"
        case state.Scaled(before=before, after=after):
            return f"somebody scales from {before} to {after}"
        case state.Adopted(pod=pod):
            return f"{pod} now belongs to the ReplicaSet"


def back_off_line(pod: Pod) -> str:
    """Say how long the kubelet waits before it restarts a container; empty if it does not."""
    found = BACK_OFF.match(pod.waiting)
    if pod.status != "CrashLoopBackOff" or not found:
        return ""
    time = re.sub(r"^(\d+)s$", r"\1 s", found[1])
    return f"Kubernetes waits {time} before it restarts a container that died before: {pod.status}"


def closed_view(closed: DownResult) -> str:
    """Write what `down` prints."""
    lines = [f"{name} deleted" for name in closed.removed]
    if not lines and not closed.kept:
        lines.append("Nothing of a sale was left.")
    if closed.stopped:
        lines.append("The cluster is stopped.")
    if closed.kept:
        lines.append("The sale is still in it: flashsale up brings it back, and down removes it.")
    return "\n".join(lines)


def purged_view(purged: Purged) -> str:
    """Write what `down --purge` removed, to the byte."""
    if not purged.files:
        return f"Nothing was kept in {purged.folder}."
    return f"{counted(purged.files, 'file')} removed from {purged.folder}: {purged.size:,} bytes."


def _after(moment: float | None, healing: Healing) -> str:
    seconds = healing.seconds(moment)
    return "" if seconds is None else f"{seconds:.2f} s"
