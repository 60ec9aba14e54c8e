"""What caused each lost purchase. Pure: losses and causes in, each loss with its cause out.

A purchase on a connection of its own that gets no answer cannot say which pod it was meant for. But
a pod can cost purchases only in a window that is known, because everything else about it is:

- It begins when the kill or the scaling was asked for. The API has not answered yet then, but may
  have acted already.
- After a deletion it ends when the pod's object is gone, its process having ended before that, and
  ``LAG`` later at the latest nobody is sent there any more. (A Service stops choosing a pod when
  its deletion is accepted, but the rules on a node follow 0.05 to 0.15 s later: that race with
  SIGTERM is what costs purchases where no preStop sleep waits for it.)
- Without a grace period the object is gone at once, and the process lives on: the kubelet sends
  SIGTERM and, ``LINGER`` later, SIGKILL (`kuberuntime_container.go killContainer`).
- After a crash it ends when the kubelet must have noticed (``NOTICE``), and ``LAG`` later: until
  then buyers are sent to a process that is not there.
- After a node's death it ends when the node is not ready: its pods leave the Service then. Nobody
  can say which of them a purchase was sent to, so the loss is the node's.
- Where a cause left the Service with no pod at all, it ends when the Service has one again.
- What nobody asked for begins ``NEWS`` before it was seen.
- A pod that *came* for a kill or a scaling can cost purchases, too, from the moment at which the
  Service chooses it until it sold for the first time: a pod without a working readiness probe is
  chosen before its server listens. Such losses belong to what made the pod come.
- While the cluster itself does not answer, all its pods can.

A loss has a cause if the purchase was under way, from its planned start to the end of its wait, at
some moment of that cause's window. Several may fit: a kept connection names its pod, which decides;
else it is the cause that began last, as the newest change is the likeliest. A loss that no window
touches is unexplained.

Not every loss in a window has that cause. A sale that is overloaded or broken loses purchases when
nothing is done to it: so many of each class and second are its baseline
(:mod:`flashsale.drill.analysis.baseline`). Only those beyond have a cause; which of them these are
cannot be known, so the last ones are taken.

Windows that cover everything would explain everything. So :func:`coverage` says how much of the
run they cover, and :func:`is_doubtful` whether losses are nearly as dense outside them as inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import Literal

from flashsale.load.results import Loss

LAG = 1.0  # seconds until the last node sends nobody to a pod that is gone
NEWS = 0.25  # seconds by which news of the API's deeds may come after them
LINGER = 2.0  # seconds from SIGTERM to SIGKILL where there is no grace
NOTICE = 1.2  # seconds within which a kubelet notices a crash: it looks once a second
LISTENING = 1.0  # seconds after which a pod that was chosen but never sold is no suspect any more

CauseKind = Literal["kill", "scaling", "accident", "outage"]
CLUSTER = "cluster"  # stands for the pod where all of them are meant


@dataclass(frozen=True, slots=True)
class LossCause:
    """What may have cost purchases, and when; seconds of the run."""

    kind: CauseKind
    name: str  # `kill 3`, `scaling from 5 to 3`, `a crash`
    pod: str  # that left or came; the node where a node died
    began: float
    over: float
    why: str = ""  # "it was dying": what about that pod costs purchases
    pods: tuple[str, ...] = ()  # of a node that died

    def touches(self, loss: Loss) -> bool:
        """Whether the purchase was under way at some moment of this window."""
        return self.began <= loss.ended_seconds and loss.at_seconds <= self.over


@dataclass(frozen=True, slots=True)
class Attribution:
    """A loss and its cause; None where nothing explains it, or where it is the baseline's."""

    loss: Loss
    cause: LossCause | None
    baseline: bool = False  # the sale loses as many when nothing is done to it


def attribute(
    losses: Sequence[Loss],
    causes: Sequence[LossCause],
    baseline: Callable[[float, str], int] = lambda second, loss_class: 0,
) -> tuple[Attribution, ...]:
    """Find each loss's cause; ``baseline`` says how many of a class are usual around a second."""
    attributions = [Attribution(loss, likeliest_cause(loss, causes)) for loss in losses]
    groups: dict[tuple[int, str], list[int]] = {}
    for index, loss in enumerate(losses):
        groups.setdefault((floor(lost_at(loss)), loss.loss_class), []).append(index)
    for (second, loss_class), group in groups.items():
        group.sort(key=lambda at: (attributions[at].cause is not None, lost_at(losses[at])))
        for index in group[: baseline(second + 0.5, loss_class)]:
            attributions[index] = Attribution(losses[index], None, baseline=True)
    return tuple(attributions)


def lost_at(loss: Loss) -> float:
    """Say when a purchase was lost: with its connection, or from its start if no answer came."""
    return loss.at_seconds if loss.loss_class == "timeout" else loss.ended_seconds


def likeliest_cause(loss: Loss, causes: Sequence[LossCause]) -> LossCause | None:
    """Choose among the causes whose windows touch a loss."""
    fitting = [cause for cause in causes if cause.touches(loss)]
    named = [cause for cause in fitting if loss.pod and loss.pod in (cause.pod, *cause.pods)]
    return max(named or fitting, key=lambda cause: cause.began, default=None)


def until_served(over: float, empty: Sequence[tuple[float, float]]) -> float:
    """Extend a window's end over a time in which the Service had no pod, if it reaches into one.

    Args:
        empty: beginnings and ends of such times, in their order.
    """
    for began, ended in empty:
        if began <= over:
            over = max(over, ended + LAG)
    return over


def coverage(causes: Iterable[LossCause], seconds: float) -> float:
    """Return the share of the run, 0 to 1, that lies in at least one window."""
    if seconds <= 0:
        return 0.0
    covered = reached = 0.0
    for cause in sorted(causes, key=lambda cause: cause.began):
        began, over = max(cause.began, reached), min(cause.over, seconds)
        covered += max(0.0, over - began)
        reached = max(reached, over)
    return covered / seconds


def is_doubtful(attributions: Sequence[Attribution], covered: float) -> bool:
    """Whether losses are nearly as dense outside all windows as inside: causes mean little then.

    Nearly is a quarter; a few that are unexplained are no pattern.
    """
    inside = sum(attribution.cause is not None for attribution in attributions)
    outside = sum(not each.cause and not each.baseline for each in attributions)
    if outside < 5 or covered >= 1:
        return False
    return outside / (1 - covered) > 0.25 * inside / covered if covered else True


def empty_times(changes: Sequence[tuple[float, bool]], end: float) -> list[tuple[float, float]]:
    """Find when nobody served, from moments that say whether anybody does from there on."""
    ends = [*changes, (end, True)]
    return [(began, ended) for (began, served), (ended, _) in pairwise(ends) if not served]
