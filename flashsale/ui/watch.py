"""The live view: state in, lines out. It fetches nothing and knows no terminal.

Readable without colour, on light and dark: words and marks say everything, colour only helps. What
does not fit is counted; the columns that do not fit are left out, the age never.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from flashsale.columns import human_duration
from flashsale.exercise.observing import EventSeen
from flashsale.exercise.story import Healing
from flashsale.ui.board import FLASH, MESSAGE, NEWS, Board, Now, Row, rows

Size = tuple[int, int]  # columns, lines

GOOD, COMING, BAD, QUIET, HEAD, FLASHED = "green", "magenta", "red", "dim", "bold", "reverse"
READY, BORN, HEIR, LEAVING, GONE, FOREIGN = "●", "◌", "↳", "✕", "○", "?"
KEYS = "q quit   k kill a pod   + - scale"
STATUS_WIDTH = 17  # ContainerCreating; a longer word is cut
WIDE = 100  # columns from which notes are whole sentences
FEW_HEALINGS, FEW_EVENTS = 3, 4  # that keep their place when there are many pods
MOST_HEALINGS = 6
UNKNOWN = "·"
TROUBLE = ("Err", "Crash", "Image", "Invalid", "OOM", "Failed", "Evicted", "Unknown", "CreateC")


def view(board: Board, size: Size, now: Now, *, keys: str = KEYS) -> RenderableType:
    """Draw the whole screen, never more lines or columns than ``size`` has."""
    return Group(*lines(board, size, now, keys=keys))


def lines(board: Board, size: Size, now: Now, *, keys: str = KEYS) -> list[Text]:
    """Lay out the screen: header, pods, healings, events, and the keys at the bottom."""
    width, height = size
    top, bottom = header(board, width, now), footer(board, width, now, keys)
    shown = rows(board, now)
    room = max(0, height - len(top) - len(bottom))
    news = sections(board, room - len(shown) - 1, few=room - len(shown) < 12)
    table = pods(board, shown, width, max(2, room - len(news)), now)
    body = [*table, *news][:room]
    padding = [Text()] * (room - len(body)) if bottom else []
    return [cut(line, width) for line in [*top, *body, *padding, *bottom][:height]]


def header(board: Board, width: int, now: Now) -> list[Text]:
    """Say what is wanted and what is there, as numbers and a bar; where; and how fresh it is."""
    found = board.state.replicaset
    if found is None:
        name = Text(" no ReplicaSet" if board.synced or board.streams else " connecting", HEAD)
        first = name
    else:
        counts = board.state
        numbers = f"  desired {counts.desired}  current {counts.count}  ready {counts.ready}  "
        first = Text.assemble((f" {found.name}", HEAD), numbers)
        first.append_text(bar(board, min(40, max(0, width - first.cell_len - 2))))
    place = board.place
    where = " · ".join(filter(None, (place.cluster, place.namespace, place.url)))
    second = between(Text(f" {where}", QUIET), freshness(board, now), width)
    return [first, second, *buyers(board), Text()]


def bar(board: Board, width: int) -> Text:
    """Draw ready pods full, others half, missing ones as dots."""
    state = board.state
    wanted, count, ready = max(state.desired or 0, 1), state.count, state.ready
    whole = max(wanted, count)
    full = width * ready // whole
    half = width * count // whole - full
    return Text.assemble(
        ("█" * full, GOOD), ("▒" * half, COMING), ("·" * (width - full - half), QUIET)
    )


def freshness(board: Board, now: Now) -> Text:
    """Say whether the news are live, and for how long they have not been."""
    lost = board.down
    if lost:
        stale = max(0, int(now.mono - lost.heard))
        return Text(f"○ reconnecting ({lost.attempt}), stale for {stale} s ", f"bold {BAD}")
    if not board.synced:
        return Text("○ connecting ", COMING)
    again = f", re-synced {board.resyncs}x" if board.resyncs else ""
    return Text.assemble(("● ", GOOD), f"live{again} ")


def buyers(board: Board) -> list[Text]:
    """Say how a load fares that runs meanwhile."""
    load = board.purchases
    if load is None:
        return []
    lost = (f"{load.lost:,} lost", f"bold {BAD}" if load.lost else "")
    return [Text.assemble(f" {load.rate:,.0f} purchases/s   {load.confirmed:,} confirmed   ", lost)]


def pods(board: Board, shown: Sequence[Row], width: int, height: int, now: Now) -> list[Text]:
    """Draw the table of pods; where they are too many, those at rest are counted instead."""
    name = max([14, *(len(row.seen.pod.name) for row in shown)])
    name = min(name, max(14, width - 46))
    tail = width - name - 46
    head = Text(f"   {'NAME':<{name}}  READY  {'STATUS':<{STATUS_WIDTH}}  RESTARTS  AGE    ", HEAD)
    if tail >= 8:
        head.append(places(tail, "IP", "NODE"))
    if board.purchases:
        head.append("SHARE") if tail >= 8 else None
    kept, rest = fitting(board, shown, height - 1)
    drawn = [row_line(board, row, name, tail, now) for row in kept]
    if not shown:
        drawn = [Text("   no pods", QUIET)]
    return [head, *drawn, *([Text(f"   {rest}", QUIET)] if rest else [])]


def fitting(board: Board, shown: Sequence[Row], height: int) -> tuple[Sequence[Row], str]:
    """Choose the rows that fit, those where something happens first, and count the others."""
    if len(shown) <= height:
        return shown, ""
    busy = [row for row in shown if not at_rest(board, row)]
    calm = [row for row in shown if at_rest(board, row)]
    kept = {id(row) for row in [*busy, *calm][: max(0, height - 1)]}
    left = [row for row in shown if id(row) not in kept]
    ready = sum(row.seen.ready for row in left)
    return [row for row in shown if id(row) in kept], f"and {len(left)} more, {ready} of them ready"


def at_rest(board: Board, row: Row) -> bool:
    """Whether there is nothing to see about a pod but that it is ready."""
    return row.left is None and row.seen.ready and not row.changed


def row_line(board: Board, row: Row, name: int, tail: int, now: Now) -> Text:
    """Draw one pod: what changed a moment ago stands out, and never because of its age."""
    pod, healing = row.seen.pod, healing_of(board, row, now)
    mark, style = marked(board, row, healing)
    words = status(row)
    line = Text.assemble((f" {mark} ", style))

    def column(text: str, key: str, look: str = "", gap: str = "  ") -> None:
        at = row.changed.get(key)
        fresh = at is not None and 0 <= now.mono - at < FLASH
        line.append(text, f"{look} {FLASHED}" if fresh else look).append(gap)

    look = QUIET if row.gone is not None else ""
    column(squeezed(pod.name, name), "name", look)
    column(f"{pod.containers_ready}/{pod.containers}".ljust(5), "ready", look)
    column(squeezed(words, STATUS_WIDTH), "status", style)
    column(f"{pod.restarts:>8}", "restarts", look)
    line.append(f"{human_duration(now.wall - pod.created):<5}  ", look)
    note = said_of(row, healing, tail, now)
    if note:
        line.append(note, style)
    elif tail >= 8 and row.gone is None:
        share = board.purchases.shares.get(pod.name) if board.purchases else None
        line.append(places(tail, pod.ip or "<none>", pod.node or "<none>", share), QUIET)
    return line


def places(tail: int, ip: str, node: str, share: float | None = None) -> str:
    """Write the last columns, as many as there is room for."""
    parts = [f"{ip:<15}"]
    if tail >= 30:
        parts.append(f"{node:<12}")
    if share is not None:
        parts.insert(0, f"{share:>5.1%} ")
    return " ".join(parts)[:tail].rstrip()


def status(row: Row) -> str:
    """Write kubectl's word, or for how long the pod has been gone from it."""
    if row.gone is None:
        return row.seen.pod.status
    took = row.gone - (row.left if row.left is not None else row.gone)
    return f"gone after {took:.1f} s"


def marked(board: Board, row: Row, healing: Healing | None) -> tuple[str, str]:
    """Choose the mark at the start of a row, and the colour that goes with it."""
    pod, own = row.seen.pod, board.state.replicaset
    if row.gone is not None:
        return GONE, QUIET
    if row.left is not None:
        return LEAVING, BAD
    if own is not None and pod.owner_uid != own.uid:
        return FOREIGN, QUIET
    if row.seen.ready:
        return READY, GOOD
    style = BAD if pod.status.startswith(TROUBLE) else COMING
    return (HEIR if healing and healing.ready is None else BORN), style


def healing_of(board: Board, row: Row, now: Now) -> Healing | None:
    """Find whom this pod replaces, as long as that is news."""
    for healing in board.healings:
        if healing.replacement_uid == row.seen.pod.uid:
            fresh = healing.ready is None or now.mono - healing.ready < NEWS
            return healing if fresh else None
    return None


def said_of(row: Row, healing: Healing | None, tail: int, now: Now) -> str:
    """Say what is special about a pod, in a sentence if there is room for one."""
    wide = tail >= WIDE - 64
    if row.left is not None:
        return f"not replaced: {row.why}" if row.why and wide else row.why
    if healing is None:
        return ""
    whom = healing.victim if wide else suffix(healing.victim)
    since = (healing.ready or now.mono) - healing.died
    if healing.in_place:
        back = "back after" if healing.ready else "restarting,"
        return f"{back} {since:.1f} s" if wide else f"restart {since:.1f}s"
    if not wide:
        return f"for {whom} {since:.1f}s"
    done = f"replaced {whom} in" if healing.ready else f"replaces {whom},"
    return f"{done} {since:.1f} s"


def sections(board: Board, room: int, *, few: bool) -> list[Text]:
    """Draw healings and events below the pods, as many as there is room for."""
    healed = healings(board, FEW_HEALINGS if few else MOST_HEALINGS)
    left = (2 + FEW_EVENTS if few else room) - len(healed)
    return [*healed, *events(board.events, left - 2)]


def healings(board: Board, most: int) -> list[Text]:
    """Draw the last healings with their split, those under way included."""
    found = board.healings[:most]
    if not found:
        return []
    load = any(one.served is not None for one in found)
    steps = ("CREATED", "STARTED", "READY", "GONE", *(("SERVED",) if load else ()))
    width = max(6, *(len(suffix(one.victim)) for one in found))
    heads = "".join(f"{step:>9}" for step in steps)
    head = Text(f"   {'VICTIM':<{width}}  REPLACED BY  CAUSE   {heads}", HEAD)
    return [Text(), head, *(healing_line(one, width, steps) for one in found)]


def healing_line(one: Healing, width: int, steps: Sequence[str]) -> Text:
    """Draw one healing: seconds since the death, a dot for what has not happened."""
    by = "itself" if one.in_place else suffix(one.replacement or UNKNOWN)
    line = Text(f"   {suffix(one.victim):<{width}}  {by:<11}  {one.cause:<8}")
    for step in steps:
        moment = one.seconds(getattr(one, step.lower()))
        text = UNKNOWN if moment is None else f"{moment:.2f} s"
        line.append(f"{text:>9}", GOOD if step == "READY" and moment is not None else "")
    return line


def events(found: Sequence[EventSeen], most: int) -> list[Text]:
    """Draw the last events, the newest at the bottom, after an empty line and a heading."""
    if not found or most < 1:
        return []
    head = Text(f"   {'EVENT':<8}  {'REASON':<17}  {'OBJECT':<6}  MESSAGE", HEAD)
    return [Text(), head, *(event_line(one) for one in found[-most:])]


def event_line(one: EventSeen) -> Text:
    """Draw one event, with the cluster's time of day."""
    clock = time.strftime("%H:%M:%S", time.localtime(one.when))
    times = f" (x{one.count})" if one.count > 1 else ""
    style = BAD if one.type == "Warning" else QUIET
    line = Text.assemble((f"   {clock}  ", QUIET), (squeezed(one.reason, 17), style), "  ")
    about = suffix(one.name) if one.kind == "Pod" else "rs"
    return line.append(f"{squeezed(about, 6)}  ").append(f"{one.message}{times}", QUIET)


def footer(board: Board, width: int, now: Now, keys: str) -> list[Text]:
    """Name the keys, or answer to one."""
    if not keys:
        return []
    if board.message and now.mono - board.message_at < MESSAGE:
        return [Text(), Text(f" {board.message}", HEAD)]
    return [Text(), Text(f" {keys}", QUIET)]


def between(left: Text, right: Text, width: int) -> Text:
    """Put two texts at both ends of a line; the left one gives way."""
    left = cut(left, max(0, width - right.cell_len - 1))
    left.append(" " * max(1, width - left.cell_len - right.cell_len))
    return left.append_text(right)


def cut(line: Text, width: int) -> Text:
    """Make a line fit on one line of the screen."""
    line = line.copy()
    line.no_wrap = True
    line.truncate(width, overflow="ellipsis")
    return line


def squeezed(text: str, width: int) -> str:
    """Fit a text into a column; of a long name its end, which tells it apart, stays."""
    return text.ljust(width) if len(text) <= width else f"…{text[-(width - 1) :]}"


def suffix(name: str) -> str:
    """Return the part of a pod's name that tells it apart."""
    return name.rpartition("-")[2][-8:]
