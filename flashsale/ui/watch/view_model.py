"""What the live view knows: who is in which row, what changed just now, what was said. Pure.

Rows are stable: a pod keeps its place, and its replacement comes right below it and stays there
when the victim's row has folded away.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flashsale.objects.columns import human_duration
from flashsale.sale.observe.healing import Happening, Healed, Healing, NotReplaced, Replaced
from flashsale.sale.observe.observations import EventSeen, PodSeen, StreamSeen
from flashsale.sale.observe.state import SaleState, Update
from flashsale.sale.ready.explanation import healing_line

FLASH = 0.8  # seconds for which a change stands out
GHOST = 5.0  # seconds for which a pod's row outlives it
NEWS = 10.0  # seconds for which a healed pod's row says whom it replaced
TICK = 0.25  # seconds between two looks at a clock that runs, while a pod heals
EVENTS = 50  # to remember
DOUBT = 1.0  # seconds in which a pod that nobody replaces may turn out to be scaled down
MESSAGE = 4.0  # seconds for which an answer to a key stays
WHY = 20.0  # seconds for which the reason for a healing's time stays


@dataclass(frozen=True, slots=True)
class Place:
    """What the view says about where all this is."""

    cluster: str  # minikube, embedded, or a context's name
    namespace: str
    url: str = ""
    node_timing: str = ""  # a sentence where a lost node's times are not Kubernetes' own


@dataclass(frozen=True, slots=True)
class Purchases:
    """What a load that runs meanwhile reports."""

    rate: float  # confirmed a second, over the last second
    confirmed: int
    lost: int
    shares: Mapping[str, float] = field(default_factory=dict)  # 0 to 1, by pod


@dataclass(frozen=True, slots=True)
class PodRow:
    seen: PodSeen
    slot: tuple[int, int]  # rows are sorted by it
    changed: Mapping[str, float] = field(default_factory=dict)  # when, by column
    left: float | None = None  # when it began to leave, or was gone, whichever was seen first
    gone: float | None = None
    missed: bool = False  # it was leaving already when anybody looked
    why: str = ""  # it is not replaced

    @property
    def node(self) -> str:
        """The node's name; empty while no node has taken the pod."""
        return self.seen.pod.node

    def shows(self, at: float) -> bool:
        """Whether it is shown at a moment: it outlives its pod for a while."""
        return self.gone is None or at - self.gone < GHOST


@dataclass(frozen=True, slots=True)
class Panel:
    """Text that is shown instead of the pods: a log, a description, the help."""

    title: str
    lines: tuple[str, ...]
    offset: int = 0  # of the first line shown, where lines are broken; beyond the end: the end


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that the view shows. Mappings are never changed, only replaced."""

    place: Place
    state: SaleState = field(default_factory=SaleState)
    rows: Mapping[str, PodRow] = field(default_factory=dict)  # by uid
    streams: Mapping[str, StreamSeen] = field(default_factory=dict)  # by source
    events: tuple[EventSeen, ...] = ()  # the newest last
    purchases: Purchases | None = None
    message: str = ""  # the answer to a key
    message_at: float = 0.0
    resyncs: Mapping[str, int] = field(default_factory=dict)  # by source
    why: str = ""  # what was done about the last pod that died, and where the seconds went
    why_at: float = 0.0
    closed: float | None = None  # when the ReplicaSet was deleted, if it was
    chosen: str = ""  # uid of the pod that keys are about
    panel: Panel | None = None
    question: str = ""  # that waits for a yes or a no
    events_hidden: bool = False

    @property
    def down(self) -> StreamSeen | None:
        """The stream that has been without news for longest, if any is down."""
        lost = [stream for stream in self.streams.values() if stream.state == "reconnecting"]
        return min(lost, key=lambda stream: stream.heard, default=None)

    @property
    def by_node(self) -> bool:
        """Whether pods are grouped by node: where there is more than one, as far as is known."""
        return len(self.state.nodes) > 1

    @property
    def healings(self) -> Sequence[Healing]:
        """Those under way and those that are over, the youngest death first."""
        both = (*self.state.done, *self.state.open)
        return sorted(both, key=lambda healing: healing.died, reverse=True)


@dataclass(frozen=True, slots=True)
class Now:
    """This moment, on both clocks."""

    mono: float  # seconds, as the observations' moments
    wall: float  # unix seconds, as the API's times

    @classmethod
    def read(cls) -> Now:
        return cls(time.monotonic(), time.time())

    def unix_time(self, mono: float) -> float:
        """Turn a moment into unix seconds."""
        return self.wall - (self.mono - mono)

    def time_of_day(self, mono: float) -> str:
        return time.strftime("%H:%M:%S", time.localtime(self.unix_time(mono)))


def add_update(board: Board, update: Update) -> Board:
    """Add one update of the sale's monitor to the board."""
    had_one = board.state.replicaset is not None
    board = replace(board, state=update.state)
    if update.state.replicaset is not None:
        board = replace(board, closed=None)
    elif had_one:
        board = replace(board, closed=update.observation.at)
    match update.observation:
        case PodSeen() as seen:
            board = _row(board, seen)
        case EventSeen() as seen:
            board = replace(board, events=_events(board.events, seen))
        case StreamSeen() as seen:
            board = _stream(board, seen)
    for happening in update.happenings:
        board = _placed(board, happening)
        if isinstance(happening, Healed):
            why = healing_line(happening.healing, board.state.pods)
            board = replace(board, why=why, why_at=happening.at)
    return board


def with_message(board: Board, message: str, at: float) -> Board:
    """Show the answer to a key."""
    return replace(board, message=message, message_at=at)


def shown_rows(board: Board, now: Now) -> list[PodRow]:
    rows = [row for row in board.rows.values() if row.shows(now.mono)]
    if board.by_node:  # those that no node has taken yet come last
        return sorted(rows, key=lambda row: (not row.node, row.node, row.slot))
    return sorted(rows, key=lambda row: row.slot)


def shown_healings(board: Board, now: Now) -> Sequence[Healing]:
    """Return the healings to show. That a pod was scaled down may be heard after its death."""

    def sure(healing: Healing) -> bool:
        return healing.marked or not healing.waiting or now.mono - healing.died >= DOUBT

    return [healing for healing in board.healings if sure(healing)]


def shown_events(board: Board) -> Sequence[EventSeen]:
    """Return the events of this sale: an earlier one of the same name has left its own behind."""
    own = board.state.replicaset
    if own is None:
        return board.events
    there = {row.seen.pod.uid for row in board.rows.values()}

    def ours(event: EventSeen) -> bool:
        if event.uid == own.uid or event.uid in there or not event.when:
            return True
        return event.kind == "Pod" and int(event.when) > own.created

    return [event for event in board.events if ours(event)]


def next_change(board: Board, now: Now) -> float:
    """Return the seconds after which the board looks different without any news.

    Ages tick as kubectl writes them: every second only while that shows. While the stream is down
    the seconds since the last word count up, and while a pod heals those since its death.
    """
    ends = [at + FLASH for row in board.rows.values() for at in row.changed.values()]
    ends += [row.gone + GHOST for row in board.rows.values() if row.gone is not None]
    ends += [(healing.ready or 0.0) + NEWS for healing in board.healings]
    ends += [board.message_at + MESSAGE] + ([board.why_at + WHY] if board.why else [])
    soon = [end - now.mono for end in ends if end > now.mono]
    births = [row.seen.pod.created for row in board.rows.values() if row.gone is None]
    soon += [_age_ticks(now.wall - born) for born in births]
    if board.down is not None:
        soon.append(1.0)  # how long ago the last news came
    if any(healing.ready is None for healing in board.state.open):
        soon.append(TICK)
    return min([*soon, 3600.0])


def _age_ticks(age: float) -> float:
    """Return the seconds until an age is written differently."""
    whole = max(0, int(age))
    for unit in (1, 60, 3600):
        if human_duration(whole + unit) != human_duration(whole):
            return unit - age % unit
    return 3600.0


def _stream(board: Board, seen: StreamSeen) -> Board:
    times = board.resyncs.get(seen.source, 0) + (seen.state == "resynced")
    return replace(
        board,
        streams={**board.streams, seen.source: seen},
        resyncs={**board.resyncs, seen.source: times},
    )


def _row(board: Board, seen: PodSeen) -> Board:
    uid, at = seen.pod.uid, seen.at
    before = board.rows.get(uid)
    if before is None and seen.change == "gone":
        return board
    others = {key: row for key, row in board.rows.items() if key != uid and row.shows(at)}
    last = max((row.slot[0] for row in board.rows.values()), default=0)
    old = before or PodRow(seen, (last + 1, 0))
    leaving = seen.pod.terminating or seen.ended or seen.change == "gone"
    row = replace(
        old,
        seen=seen,
        changed=_changes(before, seen),
        left=at if leaving and old.left is None else old.left,
        gone=at if seen.change == "gone" else None,
        missed=old.missed or (leaving and seen.change == "listed"),
    )
    return replace(board, rows={**others, uid: row})


def _changes(before: PodRow | None, seen: PodSeen) -> Mapping[str, float]:
    """Note which columns differ from the row before; an age never does."""
    at = seen.at
    if before is None:
        return {} if seen.change == "listed" else {"name": at}
    old, new = before.seen.pod, seen.pod
    fresh = {
        "ready": old.containers_ready != new.containers_ready or old.ready != new.ready,
        "status": old.status != new.status or seen.change == "gone",
        "restarts": old.restarts != new.restarts,
    }
    kept = {name: when for name, when in before.changed.items() if at - when < FLASH}
    return kept | {name: at for name, differs in fresh.items() if differs}


def _placed(board: Board, happening: Happening) -> Board:
    """Put a replacement below its victim, and note why a pod gets none."""
    rows = dict(board.rows)
    if isinstance(happening, Replaced) and happening.healing.replacement_uid:
        healing = happening.healing
        victim, replacement = rows.get(healing.victim_uid), healing.replacement_uid
        if victim and replacement in rows:
            taken = [row.slot[1] for row in rows.values() if row.slot[0] == victim.slot[0]]
            rows[replacement] = replace(rows[replacement], slot=(victim.slot[0], max(taken) + 1))
    if isinstance(happening, NotReplaced) and happening.healing.victim_uid in rows:
        victim = rows[happening.healing.victim_uid]
        rows[happening.healing.victim_uid] = replace(victim, why=happening.why)
    return replace(board, rows=rows)


def _events(events: tuple[EventSeen, ...], seen: EventSeen) -> tuple[EventSeen, ...]:
    """Add an event in its place in time; one that is only counted up again moves."""
    same = (seen.name, seen.reason, seen.message)
    rest = [event for event in events if (event.name, event.reason, event.message) != same]
    # by whole seconds: only some components write more, and would seem to come later
    ordered = sorted([*rest, seen], key=lambda event: (int(event.when), event.version))
    return tuple(ordered)[-EVENTS:]
