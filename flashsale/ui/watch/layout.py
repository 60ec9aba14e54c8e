"""The live view: state in, lines out. It fetches nothing and knows no terminal.

Readable without colour, on light and dark: words and marks say everything, colour only helps. What
does not fit is counted; the columns that do not fit are left out, the age never.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from flashsale.base.text import printable
from flashsale.sale.observe.observations import EventSeen
from flashsale.sale.observe.state import Healing
from flashsale.ui.watch.pod_table import (
    BAD,
    COMING,
    GOOD,
    HEAD,
    QUIET,
    Size,
    pods,
    squeezed,
    suffix,
)
from flashsale.ui.watch.view_model import MESSAGE, Board, Now, events, healings, rows

KEYS = "q quit   k kill a pod   + - scale"
FEW_PODS, NEWS_LINES = 6, 10  # lines that stay with pods, and with what is below them
FEW_HEALINGS, MOST_HEALINGS, MOST_EVENTS = 3, 6, 20
WIDE, NARROWEST = 300, 80  # columns where there is no screen: for all of a pod, and of the header
UNKNOWN = "·"


def view(board: Board, size: Size, now: Now, *, keys: str = KEYS) -> RenderableType:
    """Draw the whole screen, never more lines or columns than ``size`` has."""
    return Group(*lines(board, size, now, keys=keys))


def lines(board: Board, size: Size, now: Now, *, keys: str = KEYS) -> list[Text]:
    """Lay out the screen: header, pods, healings, events, and the keys at the bottom."""
    width, height = size
    top, bottom = header(board, width, now), footer(board, now, keys)
    shown = rows(board, now)
    room = max(0, height - len(top) - len(bottom))
    spare = room - len(shown) - 1
    news = sections(board, max(spare, min(NEWS_LINES, room - FEW_PODS - 1)), now)
    table = pods(board, shown, (width, max(2, room - len(news))), now)
    body = [*table, *news][:room]
    padding = [Text()] * (room - len(body)) if bottom else []
    return [cut(line, width) for line in [*top, *body, *padding, *bottom][:height]]


def page(board: Board, now: Now) -> list[Text]:
    """Lay out everything there is, as wide and as long as it has to be, for where nothing moves."""
    shown = rows(board, now)
    table = pods(board, shown, (WIDE, len(shown) + 1), now)
    news = [*healed(healings(board, now)), *happened(events(board), MOST_EVENTS)]
    place = len(whereabouts(board)) + 1 + freshness(board, now).cell_len
    wide = max([NARROWEST, place, *(len(line.plain.rstrip()) for line in table)])
    return [*header(board, wide, now), *table, *news]


def left(board: Board, now: Now) -> list[Text]:
    """Lay out what is worth keeping when the view closes: the numbers, and all that healed."""
    found = board.state.replicaset
    if found is None or not board.synced:
        return []
    return [Text.assemble((f" {found.name}", HEAD), *numbers(board)), *healed(healings(board, now))]


def header(board: Board, width: int, now: Now) -> list[Text]:
    """Say what is wanted and what is there, as numbers and a bar; where; and how fresh it is."""
    second = between(Text(whereabouts(board), QUIET), freshness(board, now), width)
    return [counted(board, width), second, *buyers(board), Text()]


def whereabouts(board: Board) -> str:
    """Say where all this is."""
    place = board.place
    return " " + " · ".join(filter(None, (place.cluster, place.namespace, place.url)))


def counted(board: Board, width: int) -> Text:
    """Say DESIRED, CURRENT and READY, and draw them as a bar as long as there is room for."""
    found = board.state.replicaset
    if found is None:
        return Text(" no ReplicaSet" if board.looked else " connecting", HEAD)
    desired, current, ready = numbers(board)
    line = Text.assemble((f" {found.name}", HEAD), desired, current, ready)
    if line.cell_len > width:  # then what matters most comes first, and is never cut off
        line = Text.assemble((ready[1:], HEAD), desired, current)
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
    return Text.assemble(
        ("━" * full, GOOD), ("╍" * half, COMING), ("·" * (width - full - half), QUIET)
    )


def freshness(board: Board, now: Now) -> Text:
    """Say whether the news are live, and for how long they have not been."""
    lost = board.down
    if lost:
        stale = max(0, int(now.mono - lost.heard))
        return Text(f"○ reconnecting ({lost.attempt}), stale for {stale} s ", f"bold {BAD}")
    if not board.synced and not (board.looked and board.state.replicaset is None):
        return Text("○ connecting ", COMING)
    times = max(board.resyncs.values(), default=0)
    again = f", re-synced {times}x" if times else ""
    return Text.assemble(("● ", GOOD), f"live{again} ")


def buyers(board: Board) -> list[Text]:
    """Say how a load fares that runs meanwhile."""
    load = board.purchases
    if load is None:
        return []
    lost = (f"{load.lost:,} lost", f"bold {BAD}" if load.lost else "")
    return [Text.assemble(f" {load.rate:,.0f} purchases/s   {load.confirmed:,} confirmed   ", lost)]


def sections(board: Board, room: int, now: Now) -> list[Text]:
    """Draw healings and events below the pods, as many as there is room for."""
    most = MOST_HEALINGS if room > NEWS_LINES else FEW_HEALINGS
    healing = healed(healings(board, now)[: max(0, min(most, room - 2))])
    return [*healing, *happened(events(board), room - len(healing) - 2)]


def healed(found: Sequence[Healing]) -> list[Text]:
    """Draw healings with their split, those under way included."""
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


def happened(found: Sequence[EventSeen], most: int) -> list[Text]:
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
    return line.append(f"{squeezed(about, 6)}  ").append(f"{printable(one.message)}{times}", QUIET)


def footer(board: Board, now: Now, keys: str) -> list[Text]:
    """Name the keys, or answer to one."""
    if not keys:
        return []
    if board.message and now.mono - board.message_at < MESSAGE:
        return [Text(), Text(f" {printable(board.message)}", HEAD)]
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
