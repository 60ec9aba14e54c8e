"""What the dashboard knows: the board of the sale, and what happened on it lately. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.load.results import Figures, LoadProgress, loss_counts
from flashsale.objects.nodes import Node
from flashsale.sale.observe.healing import (
    REMOVED,
    SCALED,
    Adopted,
    Died,
    Happening,
    Healed,
    Healing,
    NotReplaced,
    Replaced,
    Scaled,
)
from flashsale.sale.observe.observations import NodeSeen
from flashsale.sale.observe.state import KEPT_HEALINGS, Update
from flashsale.ui.command_results import happening_line
from flashsale.ui.watch.load_status import shares
from flashsale.ui.watch.view_model import Board, Place, add_update

KEPT = 180.0  # seconds of the time line
MOMENTS = 120  # of them, at most
RECENT = 3.0  # seconds whose purchases make a pod's share
CLOSING = 2.0  # seconds by which the word that the sale was closed may be later than its pods'
TOGETHER = 10.0  # seconds of losses that are said as one
AWAY = 3.0  # seconds without an answer after which a cluster counts as lost
OPEN_AGAIN, CLOSED = "the sale is open again", "the sale was closed"
LOST, FOUND = "the cluster does not answer", "the cluster answers again"

MomentKind = Literal["died", "replaced", "ready", "scaled", "lost", "note", "sale", "node"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on the time line."""

    at: float  # monotonic seconds
    kind: MomentKind
    text: str
    losses: Mapping[str, int] = field(default_factory=dict)  # purchases by what befell them
    uid: str = ""  # of a victim


@dataclass(frozen=True, slots=True)
class Sample:
    """One second of the time line."""

    confirmed: int
    lost: int
    desired: int | None  # None while nobody knows
    ready: int | None


@dataclass(frozen=True, slots=True)
class Crowd:
    """Buyers that were sent from here, or by a drill; ``progress`` is the last that was heard."""

    rate: float  # wanted, a second
    running: bool = True
    progress: LoadProgress | None = None
    recent: tuple[tuple[float, Mapping[str, int]], ...] = ()  # elapsed, confirmed by pod
    ended: str = ""  # what came of it

    def with_progress(self, progress: LoadProgress) -> Crowd:
        kept = [second for second in self.recent if progress.elapsed - second[0] <= RECENT]
        pods = dict(progress.figures.pods)
        return replace(self, progress=progress, recent=(*kept, (progress.elapsed, pods)))

    @property
    def shares(self) -> Mapping[str, float]:
        """Each pod's share of the latest purchases, 0 to 1."""
        if not self.running or not self.recent:
            return {}
        before = self.recent[0][1] if len(self.recent) > 1 else {}
        return shares(before, self.recent[-1][1])


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is nothing to see, as the command line would say it."""

    text: str
    hint: Hint

    @classmethod
    def of(cls, error: FlashsaleError) -> Trouble:
        """Keep an error's sentence and hint."""
        return cls(str(error), error.hint)


@dataclass(frozen=True, slots=True)
class DrillView:
    """A drill that was started from here."""

    planned_kills: int
    running: bool = True
    step: str = ""
    kills: int = 0
    verdict: str = ""
    reason: str = ""
    summary: tuple[str, ...] = ()
    failure: Trouble | None = None  # what ended it early


@dataclass(frozen=True, slots=True)
class DashboardState:
    """Everything that the page shows."""

    board: Board = field(default_factory=lambda: Board(Place("", "")))
    connected: bool = False  # a sale was found, and its cluster answered at least once
    trouble: Trouble | None = None
    earlier: tuple[Healing, ...] = ()  # the youngest death first; of this sale, seen before a gap
    kills_nodes: bool = False  # the place lets nodes be killed and started
    away: bool = False  # the cluster does not answer, and that was said
    moments: tuple[Moment, ...] = ()
    losses: Mapping[int, int] = field(default_factory=dict)  # purchases, by monotonic second
    samples: Mapping[int, Sample] = field(default_factory=dict)  # by monotonic second
    crowd: Crowd | None = None
    drill: DrillView | None = None


def with_sale(state: DashboardState, place: Place, at: float) -> DashboardState:
    """Begin to show a sale anew. What happened before goes on if it is the same one."""
    old, board = state.board, Board(place)
    state = replace(state, kills_nodes=False)
    if (old.place.cluster, old.place.namespace) != (place.cluster, place.namespace):
        return DashboardState(board, connected=True, crowd=state.crowd, drill=state.drill)
    over = [healing for healing in old.healings if healing.ready is not None]
    earlier = (*over, *state.earlier)[:KEPT_HEALINGS]
    if old.closed is not None:
        state = with_moment(state, Moment(at, "sale", OPEN_AGAIN))
    return replace(state, board=board, connected=True, trouble=None, earlier=earlier)


def with_update(state: DashboardState, update: Update) -> DashboardState:
    """Add one update of the sale's monitor."""
    before, at = state.board, update.observation.at
    state = replace(state, board=add_update(before, update))
    if not update.state.synced:
        return state
    if isinstance(update.observation, NodeSeen):
        state = _with_node(state, before.state.nodes, update.observation)
    for happening in update.happenings:
        if isinstance(happening, NotReplaced):
            if _no_death(happening):
                state = _without_death(state, happening.healing.victim_uid)
            if happening.why == REMOVED:  # that the sale was closed is said once
                continue
        if moment := _moment(happening):
            state = with_moment(state, moment)
    if (before.closed is None) != (state.board.closed is None):
        words = OPEN_AGAIN if state.board.closed is None else CLOSED
        state = with_moment(state, Moment(at, "sale", words))
    return state


def _with_node(state: DashboardState, before: Mapping[str, Node], seen: NodeSeen) -> DashboardState:
    """Say that a node came, went, or changed between ready and not ready."""
    name, old, now = seen.node.name, before.get(seen.node.name), seen.node.ready
    if seen.change == "gone":
        words = "is not part of the cluster any more"
    elif old is None:
        words = "is a new node"
    elif old.ready != now:
        words = "is ready again" if now else "is not ready: nobody is sent to its pods any more"
    else:
        return state
    return with_moment(state, Moment(seen.at, "node", f"{name} {words}"))


def with_closed(state: DashboardState, at: float) -> DashboardState:
    """Note that the sale is not there any more, where its cluster was gone before it said so."""
    if not state.connected or state.board.closed is not None:
        return state
    closed = replace(state, board=replace(state.board, closed=at))
    return with_moment(closed, Moment(at, "sale", CLOSED))


def _no_death(end: NotReplaced) -> bool:
    """Whether a pod left because fewer are wanted, or none: its own end is heard of first."""
    recent = end.at - end.healing.died < CLOSING
    closing = end.why == REMOVED and recent and end.healing.waiting and not end.healing.marked
    return closing or end.why == SCALED


def _without_death(state: DashboardState, uid: str) -> DashboardState:
    """Withdraw that a pod died."""
    kept = [moment for moment in state.moments if moment.kind != "died" or moment.uid != uid]
    return replace(state, moments=tuple(kept))


def with_moment(state: DashboardState, moment: Moment) -> DashboardState:
    """Add one thing to the time line."""
    return replace(state, moments=(*state.moments, moment)[-MOMENTS:])


def with_progress(state: DashboardState, progress: LoadProgress, at: float) -> DashboardState:
    """Add what a load reports; losses are a thing on the time line."""
    crowd = state.crowd or Crowd(0.0)
    now, before = (
        Counter(loss_counts(figures.errors, figures.other_errors))
        for figures in (progress.figures, crowd.progress.figures if crowd.progress else Figures())
    )
    if lost := now - before:
        state = _with_losses(state, lost, at)
    return replace(state, crowd=crowd.with_progress(progress))


def _with_losses(state: DashboardState, lost: Counter[str], at: float) -> DashboardState:
    """Count lost purchases by second; those of some seconds are one thing that happened."""
    seconds = {second: loss for second, loss in state.losses.items() if at - second <= KEPT}
    seconds[int(at)] = seconds.get(int(at), 0) + lost.total()
    state = replace(state, losses=seconds)
    recent = [
        moment for moment in state.moments if moment.kind == "lost" and at - moment.at < TOGETHER
    ]
    last = next(reversed(recent), None)
    losses = lost + Counter(last.losses if last else {})
    count = losses.total()
    how = ", ".join(f"{name} ({n:,})" if len(losses) > 1 else name for name, n in losses.items())
    text = f"{count:,} purchase{' was' if count == 1 else 's were'} lost: {how}"
    if last is None:
        return with_moment(state, Moment(at, "lost", text, losses))
    grown = replace(last, text=text, losses=losses)
    return replace(
        state, moments=tuple(grown if moment is last else moment for moment in state.moments)
    )


def with_second(state: DashboardState, second: int, at: float) -> DashboardState:
    """Add one second to the time line, as things are at its end."""
    state = _with_away(state, at)
    sale, crowd = state.board.state, state.crowd
    progress = crowd.progress if crowd and crowd.running else None
    rate = int(progress.rate_now) if progress else 0
    known = sale.synced and state.board.down is None and state.board.closed is None
    pods = (sale.desired or 0, sale.ready) if known else (None, None)
    kept = {at: sample for at, sample in state.samples.items() if second - at <= KEPT}
    return replace(state, samples=kept | {second: Sample(rate, state.losses.get(second, 0), *pods)})


def _with_away(state: DashboardState, at: float) -> DashboardState:
    """Say once that the cluster is lost, and once that it is there again."""
    away = seems_away(state, at)
    if away == state.away:
        return state
    state = replace(state, away=away)
    sale_text = next(
        (moment.text for moment in reversed(state.moments) if moment.kind == "sale"), ""
    )
    if state.board.closed is not None or (
        not away and sale_text != LOST
    ):  # a closed sale is not lost
        return state
    return with_moment(state, Moment(at, "sale", LOST if away else FOUND))


def seems_away(state: DashboardState, at: float) -> bool:
    """Whether the cluster has not answered for so long that the sale may be elsewhere by now."""
    down = state.board.down
    return down is not None and at - down.heard > AWAY


def _moment(happening: Happening) -> Moment | None:
    kinds: dict[type, MomentKind] = {
        Died: "died",
        Replaced: "replaced",
        Healed: "ready",
        NotReplaced: "note",
        Scaled: "scaled",
    }
    kind = kinds.get(type(happening))
    if kind is None:
        return None
    if isinstance(happening, Scaled):
        text = f"scaled from {happening.before} to {happening.after}"
        return Moment(happening.at, kind, text)
    uid = "" if isinstance(happening, Adopted) else happening.healing.victim_uid
    return Moment(happening.at, kind, happening_line(happening), uid=uid)
