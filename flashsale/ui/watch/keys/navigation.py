"""Keys that only change what is shown: choosing a pod, scrolling, help, events on or off. Pure."""

from __future__ import annotations

from dataclasses import replace

from flashsale.ui.watch.layout import panel_end
from flashsale.ui.watch.pod_details import help_lines
from flashsale.ui.watch.pod_table import Size
from flashsale.ui.watch.view_model import Board, Now, Panel, shown_rows

END = 10**6  # lines, or pods: further than anything is long
STEPS = {"up": -1, "down": 1, "page up": -10, "page down": 10, "home": -END, "end": END}
CLOSING = ("escape", "enter", "q", "Q", "?", "l", "d")  # keys that close a panel
ESCAPES = {  # what terminals send, in either of their modes
    "\x1b[A": "up",
    "\x1bOA": "up",
    "\x1b[B": "down",
    "\x1bOB": "down",
    "\x1b[5~": "page up",
    "\x1b[6~": "page down",
    "\x1b[H": "home",
    "\x1bOH": "home",
    "\x1b[1~": "home",
    "\x1b[F": "end",
    "\x1bOF": "end",
    "\x1b[4~": "end",
}
NAMES = {"\x1b": "escape", "\r": "enter", "\n": "enter"}


def split_keys(typed: str) -> list[str]:
    """Split what a terminal sent into keys; those without a character of their own get a name.

    Unknown escape sequences are left out as a whole: their letters are no keys.
    """
    keys = []
    while typed:
        known = next((escape for escape in ESCAPES if typed.startswith(escape)), "")
        if known:
            keys.append(ESCAPES[known])
            typed = typed[len(known) :]
        elif typed[0] == "\x1b" and typed[1:2] in ("[", "O"):
            end = next(
                (n for n, char in enumerate(typed[2:], 2) if char.isalpha() or char == "~"), 2
            )
            typed = typed[end + 1 :]
        else:
            keys.append(NAMES.get(typed[0], typed[0]))
            typed = typed[1:]
    return keys


def navigate(board: Board, key: str, now: Now, size: Size) -> Board | None:
    """Return the board as a key changes it; None where the key is for something else.

    While a panel is open every key is for the panel.
    """
    if board.panel:
        return _in_panel(board, board.panel, key, panel_end(board, size, now))
    if key in STEPS:
        return _choose(board, STEPS[key], now)
    match key:
        case "enter" if not board.chosen:
            return _choose(board, 1, now)
        case "escape":
            return replace(board, chosen="")
        case "e":
            return replace(board, events_hidden=not board.events_hidden)
        case "?":
            return replace(board, panel=Panel("Keys and marks", tuple(help_lines())))
    return None


def _in_panel(board: Board, panel: Panel, key: str, end: int) -> Board:
    if key in CLOSING:
        return replace(board, panel=None)
    offset = min(end, max(0, min(end, panel.offset) + STEPS.get(key, 0)))
    return replace(board, panel=replace(panel, offset=offset))


def _choose(board: Board, by: int, now: Now) -> Board:
    """Choose the pod so many rows further, from either end if none is chosen yet."""
    uids = [row.seen.pod.uid for row in shown_rows(board, now)]
    if not uids:
        return board
    before = uids.index(board.chosen) if board.chosen in uids else -1 if by > 0 else len(uids)
    return replace(board, chosen=uids[min(max(before + by, 0), len(uids) - 1)])
