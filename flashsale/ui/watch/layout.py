"""The live view: state in, lines out. It fetches nothing and knows no terminal.

Readable without colour, on light and dark: words and marks say everything, colour only helps. What
does not fit is counted; the columns that do not fit are left out, the age never.
"""

from __future__ import annotations

import re
import textwrap
import time
from collections.abc import Sequence

from rich.text import Text

from flashsale.base.text import printable
from flashsale.sale.observe.healing import Healing
from flashsale.sale.observe.observations import EventSeen
from flashsale.ui.watch.pod_table import (
    BAD,
    COMING,
    GOOD,
    HEAD,
    QUIET,
    Size,
    draw_pods,
    squeezed,
    suffix,
    table_height,
)
from flashsale.ui.watch.view_model import (
    MESSAGE,
    WHY,
    Board,
    Now,
    Panel,
    shown_events,
    shown_healings,
    shown_rows,
)

KEYS = "q quit   ? help   ↑↓ choose   k kill a pod   + - scale"
CHOSEN_KEYS = "q quit   ? help   k kill it   l its log   d describe it   esc choose none"
FEW_PODS, NEWS_LINES = 6, 10  # lines of pods that stay, and below them those that are many
FEW_HEALINGS, MOST_HEALINGS, MOST_EVENTS = 3, 6, 20
WIDE, NARROWEST = 300, 80  # columns where there is no screen: for all of a pod, and of the header
UNKNOWN = "·"
CAUSE, STEP = 8, 9  # columns of a healing's cause, and of each of its moments
PANEL_HEAD = 2  # lines of a panel that are its title
LABEL = re.compile(r"   (?:\S.{0,9}?  +)?")  # before the text of a panel's line


def screen_lines(board: Board, size: Size, now: Now, *, keys: str = KEYS) -> list[Text]:
    """Lay out the screen: header, pods, healings, events, and the keys at the bottom.

    Never more lines or columns than ``size`` has.
    """
    width, height = size
    top, bottom = header(board, width, now), footer(board, width, now, keys)
    room = max(0, height - len(top) - len(bottom))
    if board.panel:
        body = panel_lines(board.panel, room, width)
    else:
        body = pods_and_news(board, room, width, now)
    padding = [Text()] * (room - len(body)) if bottom else []
    return [fit_line(line, width) for line in [*top, *body, *padding, *bottom][:height]]


def pods_and_news(board: Board, room: int, width: int, now: Now) -> list[Text]:
    """Draw the pods, then what healed, then events with the lines that are left."""
    shown = shown_rows(board, now)
    spare = room - table_height(board, shown)
    most = MOST_HEALINGS if spare > NEWS_LINES else FEW_HEALINGS
    healing = healing_lines(shown_healings(board, now)[:most], width)
    if spare < len(healing):  # pods at rest give way to healings, down to a few
        healing = healing[: max(0, room - FEW_PODS - 1)]
        healing = healing if len(healing) > 2 else []  # a heading alone says nothing
    room_for_pods = max(2, room - len(healing))
    table = draw_pods(board, shown, (width, room_for_pods), now)
    left = room - len(table) - len(healing) - 2
    news = [] if board.events_hidden else event_lines(shown_events(board), left)
    return [*table, *healing, *news][:room]


def panel_lines(panel: Panel, room: int, width: int) -> list[Text]:
    """Draw the part of a panel that fits, with its title."""
    lines, height = broken_lines(panel, width), max(1, room - PANEL_HEAD)
    last = max(0, len(lines) - height)
    first = min(panel.offset, last)
    part = lines[first : first + height]
    more = f"  lines {first + 1}-{first + len(part)} of {len(lines)}" if last else ""
    return [Text.assemble((f" {panel.title}", HEAD), (more, QUIET)), Text(), *map(Text, part)]


def panel_end(board: Board, size: Size, now: Now) -> int:
    """Return the first line that a panel shows when it is scrolled to its end."""
    if board.panel is None:
        return 0
    width, height = size
    around = len(header(board, width, now)) + len(footer(board, width, now, KEYS))
    room = max(1, height - around - PANEL_HEAD)
    return max(0, len(broken_lines(board.panel, width)) - room)


def broken_lines(panel: Panel, width: int) -> list[str]:
    """Break a panel's lines where the screen ends; what follows stands below the text."""
    return [part for line in panel.lines for part in broken_line(printable(line), width)]


def broken_line(line: str, width: int) -> list[str]:
    """Break one line, at blanks where it can be."""
    margin = LABEL.match(line)
    indent = margin.end() if margin and margin.end() < width // 2 else 0
    return textwrap.wrap(
        line,
        width,
        subsequent_indent=" " * indent,
        replace_whitespace=False,
        drop_whitespace=len(line) > width,
        tabsize=4,
    ) or [""]


def whole_page(board: Board, now: Now) -> list[Text]:
    """Lay out everything there is, as wide and as long as it has to be, for where nothing moves."""
    shown = shown_rows(board, now)
    table = draw_pods(board, shown, (WIDE, table_height(board, shown)), now)
    news = [
        *healing_lines(shown_healings(board, now)),
        *event_lines(shown_events(board), MOST_EVENTS),
    ]
    place = len(place_line(board)) + 1 + freshness(board, now).cell_len
    wide = max([NARROWEST, place, *(len(line.plain.rstrip()) for line in table)])
    return [*header(board, wide, now), *table, *news]


def lasting_lines(board: Board, now: Now, width: int = WIDE) -> list[Text]:
    """Lay out what is worth keeping when the view closes: the numbers, and all that healed."""
    replicaset = board.state.replicaset
    if replicaset is None or not board.state.synced:
        return []
    return [
        Text.assemble((f" {replicaset.name}", HEAD), *numbers(board)),
        *healing_lines(shown_healings(board, now), width),
    ]


def header(board: Board, width: int, now: Now) -> list[Text]:
    """Say what is wanted and what is there, as numbers and a bar; where; and how fresh it is."""
    first = numbers_line(board, width) if board.closed is None else closed_line(board, now)
    second = between(Text(place_line(board), QUIET), freshness(board, now), width)
    return [first, second, *timing_lines(board, width), *load_line(board), Text()]


def timing_lines(board: Board, width: int) -> list[Text]:
    """Say where a lost node is given up sooner than Kubernetes does, if there is one to lose."""
    timing = board.place.node_timing if board.by_node else ""
    return [Text(f" {line}", COMING) for line in textwrap.wrap(timing, max(10, width - 2))]


def closed_line(board: Board, now: Now) -> Text:
    assert board.closed is not None
    at = now.time_of_day(board.closed)
    return Text.assemble((f" The sale was closed at {at}", f"bold {BAD}"), ": no ReplicaSet")


def place_line(board: Board) -> str:
    place = board.place
    return " " + " · ".join(filter(None, (place.cluster, place.namespace, place.url)))


def numbers_line(board: Board, width: int) -> Text:
    """Say DESIRED, CURRENT and READY, and draw them as a bar as long as there is room for."""
    replicaset, style = board.state.replicaset, QUIET if board.down else ""
    if replicaset is None:
        return Text(" no ReplicaSet" if board.state.looked else " connecting", HEAD)
    desired, current, ready = numbers(board)
    line = Text.assemble((f" {replicaset.name}", HEAD), (desired + current + ready, style))
    if line.cell_len > width:  # then what matters most comes first, and is never cut off
        line = Text.assemble((ready[1:], style or HEAD), (desired + current, style))
    rest = width - line.cell_len - 3
    return line.append("  ").append_text(bar(board, rest)) if rest > 0 else line


def numbers(board: Board) -> tuple[str, str, str]:
    """Write DESIRED, CURRENT and READY, each with the space before it."""
    state = board.state
    return f"  desired {state.desired}", f"  current {state.count}", f"  ready {state.ready}"


def bar(board: Board, width: int) -> Text:
    """Draw ready pods as a line, those on their way as a broken one, missing ones as dots."""
    state = board.state
    wanted, count, ready = max(state.desired or 0, 1), state.count, state.ready
    whole = max(wanted, count)
    full = width * ready // whole
    half = width * count // whole - full
    good, coming = (QUIET, QUIET) if board.down else (GOOD, COMING)
    return Text.assemble(
        ("━" * full, good), ("╍" * half, coming), ("·" * (width - full - half), QUIET)
    )


def freshness(board: Board, now: Now) -> Text:
    """Say whether the news are live, and for how long they have not been."""
    lost = board.down
    if lost:
        seconds, since = max(0, int(now.mono - lost.heard)), now.time_of_day(lost.heard)
        return Text(
            f"○ as of {since}, {seconds} s ago; reconnecting ({lost.attempt}) ", f"bold {BAD}"
        )
    if not board.state.known:
        return Text("○ connecting ", COMING)
    times = max(board.resyncs.values(), default=0)
    again = f", re-synced {times}x" if times else ""
    return Text.assemble(("● ", GOOD), f"live{again} ")


def load_line(board: Board) -> list[Text]:
    """Say how a load fares that runs meanwhile."""
    load = board.purchases
    if load is None:
        return []
    lost = (f"{load.lost:,} lost", f"bold {BAD}" if load.lost else "")
    return [Text.assemble(f" {load.rate:,.0f} purchases/s   {load.confirmed:,} confirmed   ", lost)]


def healing_lines(healings: Sequence[Healing], columns: int = WIDE) -> list[Text]:
    """Draw healings with their split, those under way included; causes where there is room."""
    if not healings:
        return []
    load = any(healing.served is not None for healing in healings)
    steps = ("CREATED", "STARTED", "READY", "GONE", *(("SERVED",) if load else ()))
    width = max(6, *(len(suffix(healing.victim)) for healing in healings))
    head = f"   {'VICTIM':<{width}}  REPLACED BY  "
    room = columns - len(head)
    cause = CAUSE if room >= CAUSE + STEP * len(steps) else 0
    steps = steps[-max(1, (room - cause) // STEP) :]  # the first ones say least
    heads = f"{'CAUSE':<{cause}}"[:cause] + "".join(f"{step:>{STEP}}" for step in steps)
    rows = (healing_row(healing, width, cause, steps) for healing in healings)
    return [Text(), Text(head + heads, HEAD), *rows]


def healing_row(healing: Healing, width: int, cause: int, steps: Sequence[str]) -> Text:
    """Draw one healing: seconds since the death, a dot for what has not happened."""
    by = "itself" if healing.in_place else suffix(healing.replacement or UNKNOWN)
    line = Text(f"   {suffix(healing.victim):<{width}}  {by:<11}  ")
    line.append(f"{healing.cause:<{cause}}"[:cause])
    for step in steps:
        moment = healing.seconds(getattr(healing, step.lower()))
        text = UNKNOWN if moment is None else f"{moment:.2f} s"
        line.append(f"{text:>{STEP}}", GOOD if step == "READY" and moment is not None else "")
    return line


def event_lines(events: Sequence[EventSeen], most: int) -> list[Text]:
    """Draw the last events, the newest at the bottom, after an empty line and a heading."""
    if not events or most < 1:
        return []
    head = Text(f"   {'EVENT':<8}  {'REASON':<17}  {'OBJECT':<6}  MESSAGE", HEAD)
    return [Text(), head, *(event_line(event) for event in events[-most:])]


def event_line(event: EventSeen) -> Text:
    """Draw one event, with the cluster's time of day."""
    clock = time.strftime("%H:%M:%S", time.localtime(event.when))
    times = f" (x{event.count})" if event.count > 1 else ""
    style = BAD if event.type == "Warning" else QUIET
    line = Text.assemble((f"   {clock}  ", QUIET), (squeezed(event.reason, 17), style), "  ")
    about = suffix(event.name) if event.kind == "Pod" else "rs"
    return line.append(f"{squeezed(about, 6)}  ").append(
        f"{printable(event.message)}{times}", QUIET
    )


def footer(board: Board, width: int, now: Now, keys: str) -> list[Text]:
    """Name the keys, or answer to one; above it the reason for the last healing's time."""
    if not keys:
        return []
    if board.question:
        return [Text(), Text(f" {board.question}", f"bold {COMING}")]
    if board.panel:
        return [Text(), Text(" ↑↓ scroll   esc back", QUIET)]
    fresh = board.why if now.mono - board.why_at < WHY else ""
    why = [Text(f" {line}") for line in textwrap.wrap(fresh, max(10, width - 2))] or [Text()]
    if board.message and now.mono - board.message_at < MESSAGE:
        return [*why, Text(f" {printable(board.message)}", HEAD)]
    return [*why, Text(f" {CHOSEN_KEYS if board.chosen and keys == KEYS else keys}", QUIET)]


def between(left: Text, right: Text, width: int) -> Text:
    """Put two texts at both ends of a line; the left one gives way."""
    left = fit_line(left, max(0, width - right.cell_len - 1))
    left.append(" " * max(1, width - left.cell_len - right.cell_len))
    return left.append_text(right)


def fit_line(line: Text, width: int) -> Text:
    line = line.copy()
    line.no_wrap = True
    line.truncate(width, overflow="ellipsis")
    return line
