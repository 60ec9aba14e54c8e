"""The live view's table of pods: one line each, in place; what changed a moment ago stands out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text

from flashsale.base.text import counted, printable
from flashsale.objects.columns import human_duration
from flashsale.sale.observe.healing import Healing
from flashsale.ui.watch.view_model import FLASH, NEWS, Board, Now, PodRow

Size = tuple[int, int]  # columns, lines

GOOD, COMING, BAD, QUIET, HEAD, FLASHED = "green", "magenta", "red", "dim", "bold", "reverse"
READY, BORN, REPLACING, LEAVING, GONE, FOREIGN = "●", "◌", "↳", "✕", "○", "?"
STATUS_WIDTH = 17  # ContainerCreating; a longer word is cut
IP_WIDTH = 15  # 255.255.255.255
FIXED, RESTARTS, MIN_NAME = 38, 10, 14  # characters of a line that are not a name, and of one
SHARE_WIDTH = 7  # 100.0% and the blanks after it
NONE = "<none>"
FEWEST_ROWS = 3  # of pods; where headings would leave fewer there are none
EMPTY, PENDING = "no pods", "on no node yet"  # groups that are no node's
TROUBLE = ("Err", "Crash", "Image", "Invalid", "OOM", "Failed", "Evicted", "Unknown", "CreateC")


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide what is, in characters."""

    name: int
    restarts: bool  # whether there is room for it
    tail: int  # for address and node, or for what is special about a pod

    @classmethod
    def of(cls, shown: Sequence[PodRow], width: int) -> Columns:
        """Share out a line: names first, then restarts, then the rest."""
        longest = max([MIN_NAME, *(len(row.seen.pod.name) for row in shown)])
        restarts = width >= FIXED + RESTARTS + longest
        fixed = FIXED + (RESTARTS if restarts else 0)
        name = min(longest, max(MIN_NAME, width - fixed))
        return cls(name, restarts, width - fixed - name)


def draw_pods(board: Board, shown: Sequence[PodRow], size: Size, now: Now) -> list[Text]:
    """Draw the table of pods; where they are too many, those at rest are counted instead."""
    width, height = size
    columns = Columns.of(shown, width)
    restarts = "RESTARTS  " if columns.restarts else ""
    words = f"   {'NAME':<{columns.name}}  READY  {'STATUS':<{STATUS_WIDTH}}  {restarts}AGE    "
    last = places(columns.tail, "IP", "NODE", "SHARE" if board.purchases else "")
    head = Text(words + last, HEAD)
    if not shown:
        return [head, Text("   no pods", QUIET)] if board.state.known else [head]
    choose = around_chosen if board.chosen in board.rows else fitting
    headings = table_height(board, shown) - len(shown) - 1
    grouped = headings and height - 1 - headings >= min(len(shown), FEWEST_ROWS)
    kept, rest = choose(board, shown, height - 1 - (headings if grouped else 0))
    drawn = [row_line(board, row, columns, now) for row in kept]
    if grouped:
        drawn = grouped_by_node(board, kept, drawn, shown)
    return [head, *drawn, *([Text(f"   {rest}", QUIET)] if rest else [])]


def table_height(board: Board, shown: Sequence[PodRow]) -> int:
    return 1 + len(shown) + (len(heading_nodes(board, shown)) if shown else 0)


def heading_nodes(board: Board, shown: Sequence[PodRow]) -> list[str]:
    """Name the nodes that have a line of their own: with pods, not ready, or cordoned.

    The others share one line, whose name is empty; so does what no node has taken yet.
    """
    if not board.by_node:
        return []
    nodes, used = board.state.nodes, {row.node for row in shown}
    special = {node.name for node in nodes.values() if node.cordoned or not node.ready}
    lines = sorted((used | special) - {""})
    rest = set(nodes) - set(lines)
    return [*lines, *([EMPTY] if rest else []), *([PENDING] if "" in used else [])]


def grouped_by_node(
    board: Board, kept: Sequence[PodRow], drawn: Sequence[Text], shown: Sequence[PodRow]
) -> list[Text]:
    """Put each node's line above those of its pods."""
    lines: list[Text] = []
    for name in heading_nodes(board, shown):
        lines.append(node_head(board, name, shown))
        place = {PENDING: "", EMPTY: None}.get(name, name)
        lines += [line for row, line in zip(kept, drawn, strict=True) if row.node == place]
    return lines


def node_head(board: Board, name: str, shown: Sequence[PodRow]) -> Text:
    """Draw a node's line: its name, what is wrong with it, and how many of its pods are ready."""
    nodes = board.state.nodes
    if name == PENDING:
        return Text(f" {PENDING}", QUIET)
    if name == EMPTY:
        used = {row.node for row in shown}
        empty = (node_row.name for node_row in nodes.values() if node_row.state == "Ready")
        return Text(f" no pods on {', '.join(sorted(set(empty) - used))}", QUIET)
    line = Text(f" {name}", QUIET if is_dead(board, name) else HEAD)
    if is_dead(board, name):
        line.append("  NotReady", BAD)
    if name in nodes and nodes[name].cordoned:
        line.append("  cordoned", COMING)
    pods = [row.seen for row in shown if row.node == name and row.gone is None]
    ready = sum(seen.ready for seen in pods)
    return line.append(f"  {ready} of {counted(len(pods), 'pod')} ready" if pods else "", QUIET)


def is_dead(board: Board, node: str) -> bool:
    node_row = board.state.nodes.get(node)
    return board.by_node and node_row is not None and not node_row.ready


def fitting(board: Board, shown: Sequence[PodRow], height: int) -> tuple[Sequence[PodRow], str]:
    """Choose the rows that fit, those where something happens first, and count the others."""
    if len(shown) <= height:
        return shown, ""
    busy = [row for row in shown if not at_rest(board, row)]
    calm = [row for row in shown if at_rest(board, row)]
    kept = {id(row) for row in [*busy, *calm][: max(0, height - 1)]}
    left = [row for row in shown if id(row) not in kept]
    ready = sum(row.seen.ready and row.left is None for row in left)
    return [row for row in shown if id(row) in kept], f"and {len(left)} more, {ready} of them ready"


def around_chosen(
    board: Board, shown: Sequence[PodRow], height: int
) -> tuple[Sequence[PodRow], str]:
    """Choose the rows around the chosen one, so that it can be moved through all of them."""
    if len(shown) <= height:
        return shown, ""
    room = max(1, height - 1)
    at = next((n for n, row in enumerate(shown) if row.seen.pod.uid == board.chosen), 0)
    first = min(max(0, at - room // 2), len(shown) - room)
    below = len(shown) - first - room
    hidden = [f"{n} more {where}" for n, where in ((first, "above"), (below, "below")) if n]
    return shown[first : first + room], ", ".join(hidden)


def at_rest(board: Board, row: PodRow) -> bool:
    """Whether there is nothing to see about a pod but that it is ready."""
    return row.left is None and row.seen.ready and not row.changed


def row_line(board: Board, row: PodRow, columns: Columns, now: Now) -> Text:
    """Draw one pod: what changed a moment ago stands out, and never because of its age."""
    pod, healing = row.seen.pod, healing_of(board, row, now)
    mark, style = row_mark(board, row, healing)
    stale = board.down
    dead = is_dead(board, pod.node)
    look = QUIET if row.gone is not None or stale or dead else ""
    style = QUIET if stale or dead else style
    line = Text.assemble((f" {mark} ", style))

    def column(text: str, key: str, style: str) -> None:
        at = row.changed.get(key)
        fresh = at is not None and 0 <= now.mono - at < FLASH
        line.append(text, f"{style} {FLASHED}" if fresh else style).append("  ")

    column(squeezed(pod.name, columns.name), "name", look)
    column(f"{pod.containers_ready}/{pod.containers}".ljust(5), "ready", look)
    column(squeezed(status_cell(row), STATUS_WIDTH), "status", style)
    if columns.restarts:
        column(f"{pod.restarts:>8}", "restarts", look)
    at = now.unix_time(stale.heard) if stale else now.wall  # no pod ages while nobody looks
    line.append(f"{human_duration(at - pod.created):<5}  ", look)
    share = f"{board.purchases.shares.get(pod.name, 0.0):.1%}" if board.purchases else ""
    tail = columns.tail - (SHARE_WIDTH if share else 0)
    note = next((text for text in note_lengths(row, healing, now) if len(text) <= tail), "")
    if note or row.gone is not None:
        line.append(f"{share:>5}  " if share and row.gone is None else "", QUIET)
        line.append(note, style)
    else:
        line.append(places(columns.tail, pod.ip or NONE, pod.node or NONE, share), QUIET)
    if pod.uid != board.chosen:
        return line
    line.stylize("bold underline")  # it stands out without colour, too
    return Text("▸").append_text(line[1:])


def places(tail: int, ip: str, node: str, share: str) -> str:
    """Write the last columns, as many as there is room for."""
    parts = [f"{share:>5}"] if share else []
    room = tail - len(share and parts[0])
    if room >= IP_WIDTH + 10:
        parts += [f"{ip:<{IP_WIDTH}}", node]
    elif room >= max(len(ip), 11):
        parts.append(ip)
    return "  ".join(parts)


def status_cell(row: PodRow) -> str:
    """Write kubectl's word, or how long the pod took to go."""
    if row.gone is None:
        return row.seen.pod.status
    if row.missed or row.left is None:
        return "gone"
    return f"gone after {row.gone - row.left:.1f} s"


def row_mark(board: Board, row: PodRow, healing: Healing | None) -> tuple[str, str]:
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
    return (REPLACING if healing and healing.ready is None else BORN), style


def healing_of(board: Board, row: PodRow, now: Now) -> Healing | None:
    """Find whom this pod replaces, as long as that is news."""
    for healing in board.healings:
        if healing.replacement_uid == row.seen.pod.uid:
            fresh = healing.ready is None or now.mono - healing.ready < NEWS
            return healing if fresh else None
    return None


def note_lengths(row: PodRow, healing: Healing | None, now: Now) -> Sequence[str]:
    """Say what is special about a pod in several lengths, the longest first."""
    if row.left is not None:
        return (f"not replaced: {row.why}", row.why) if row.why else ()
    if healing is None:
        return ()
    seconds = (healing.ready or now.mono) - healing.died
    if healing.in_place:
        word = "back after" if healing.ready else "restarting,"
        return f"{word} {seconds:.1f} s", f"restart {seconds:.1f}s", f"{seconds:.1f} s"
    word, link = ("replaced", " in") if healing.ready else ("replaces", ",")
    whom = suffix(healing.victim)
    return (
        f"{word} {healing.victim}{link} {seconds:.1f} s",
        f"{word} {whom}{link} {seconds:.1f} s",
        f"for {whom} {seconds:.1f}s",
        f"for {whom}",
    )


def squeezed(text: str, width: int) -> str:
    """Fit a text into a column; of a long name its end, which tells it apart, stays."""
    text = printable(text)
    return text.ljust(width) if len(text) <= width else f"…{text[-(width - 1) :]}"


def suffix(name: str) -> str:
    """Return the part of a pod's name that tells it apart."""
    return name.rpartition("-")[2][-8:]
