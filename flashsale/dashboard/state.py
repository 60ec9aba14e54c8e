"""What the dashboard knows: the board of the sale, and what happened on it lately. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.load.results import LoadProgress
from flashsale.sale.observe.healing import (
    SCALED,
    Adopted,
    Died,
    Happening,
    Healed,
    NotReplaced,
    Replaced,
    Scaled,
)
from flashsale.sale.observe.state import Update
from flashsale.ui.results import happening_line
from flashsale.ui.watch.load_status import shares
from flashsale.ui.watch.view_model import Board, Place, add_update

KEPT = 180.0  # seconds of the time line
MOMENTS = 120  # of them, at most
RECENT = 3.0  # seconds whose purchases make a pod's share

MomentKind = Literal["died", "replaced", "ready", "scaled", "lost", "note"]


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing on the time line."""

    at: float  # monotonic seconds
    kind: MomentKind
    text: str
    lost: int = 0  # purchases
    uid: str = ""  # of a victim


@dataclass(frozen=True, slots=True)
class Sample:
    """One second of the time line."""

    confirmed: int
    lost: int
    desired: int
    ready: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """Buyers that were sent from here, or by a drill; ``progress`` is the last that was heard."""

    rate: float  # wanted, a second
    running: bool = True
    progress: LoadProgress | None = None
    recent: tuple[tuple[float, Mapping[str, int]], ...] = ()  # elapsed, confirmed by pod
    ended: str = ""  # what came of it

    def with_progress(self, progress: LoadProgress) -> Crowd:
        """Add what the load reports."""
        kept = [one for one in self.recent if progress.elapsed - one[0] <= RECENT]
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
    moments: tuple[Moment, ...] = ()
    samples: Mapping[int, Sample] = field(default_factory=dict)  # by monotonic second
    crowd: Crowd | None = None
    drill: DrillView | None = None


def with_update(state: DashboardState, update: Update) -> DashboardState:
    """Add one update of the sale's monitor."""
    state = replace(state, board=add_update(state.board, update))
    if not update.state.synced:
        return state
    for happening in update.happenings:
        if isinstance(happening, NotReplaced) and happening.why == SCALED:
            state = _without_death(state, happening.healing.victim_uid)
        if moment := _moment(happening):
            state = with_moment(state, moment)
    return state


def _without_death(state: DashboardState, uid: str) -> DashboardState:
    """Withdraw that a pod died: it was deleted because fewer are wanted."""
    kept = [one for one in state.moments if one.kind != "died" or one.uid != uid]
    return replace(state, moments=tuple(kept))


def with_moment(state: DashboardState, moment: Moment) -> DashboardState:
    """Add one thing to the time line."""
    kept = [one for one in state.moments if moment.at - one.at <= KEPT]
    return replace(state, moments=(*kept, moment)[-MOMENTS:])


def with_progress(state: DashboardState, progress: LoadProgress, at: float) -> DashboardState:
    """Add what a load reports; losses are a thing on the time line."""
    crowd = state.crowd or Crowd(0.0)
    before = crowd.progress.figures.lost if crowd.progress else 0
    if (lost := progress.figures.lost - before) > 0:
        text = f"{lost:,} purchase{' was' if lost == 1 else 's were'} lost"
        state = with_moment(state, Moment(at, "lost", text, lost))
    return replace(state, crowd=crowd.with_progress(progress))


def with_sample(state: DashboardState, second: int) -> DashboardState:
    """Add one second to the time line, as things are at its end."""
    sale, crowd = state.board.state, state.crowd
    progress = crowd.progress if crowd and crowd.running else None
    lost = sum(one.lost for one in state.moments if int(one.at) == second)
    sample = Sample(int(progress.rate_now) if progress else 0, lost, sale.desired or 0, sale.ready)
    kept = {at: one for at, one in state.samples.items() if second - at <= KEPT}
    return replace(state, samples=kept | {second: sample})


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
