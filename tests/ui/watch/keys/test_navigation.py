"""Keys that only change what is shown: choosing a pod, panels, events on and off."""

from __future__ import annotations

import pytest

from flashsale.ui.watch.keys.navigation import END, navigate, split_keys
from flashsale.ui.watch.view_model import Board, Now, Panel
from tests.ui.watch.view_models import many, text

NOW = Now(1.0, 1.0)
SIZE = (80, 24)


def pressed(board: Board, *keys: str) -> Board:
    """The board after some keys."""
    for key in keys:
        board = navigate(board, key, NOW, SIZE) or board
    return board


def chosen(board: Board) -> str:
    """The pod whose line stands out."""
    return next((line.split()[1] for line in text(board, NOW) if line.startswith("▸")), "")


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("k", ["k"]),
        ("\x1b[A\x1b[B\x1bOA", ["up", "down", "up"]),
        ("\x1b[5~\x1b[6~\x1b[H\x1b[F", ["page up", "page down", "home", "end"]),
        ("\x1b", ["escape"]),
        ("\r\n", ["enter", "enter"]),
        ("\x1b[1;5Ck", ["k"]),
        ("\x1b[24~+", ["+"]),
    ],
)
def test_what_a_terminal_sends_is_split_into_keys(typed: str, keys: list[str]) -> None:
    """Unknown sequences do nothing: their letters would kill pods."""
    assert split_keys(typed) == keys


def test_arrows_choose_a_pod() -> None:
    """From the top, one by one, and not beyond the ends."""
    board = pressed(many(3), "down")
    assert chosen(board) == "flashsale-rs-00000"
    assert chosen(pressed(board, "down")) == "flashsale-rs-00001"
    assert chosen(pressed(board, "up", "up")) == "flashsale-rs-00000"
    assert chosen(pressed(many(3), "up")) == "flashsale-rs-00002"
    assert chosen(pressed(board, "escape")) == ""


def test_many_pods_scroll_with_the_chosen_one() -> None:
    """Whichever it is, it is on the screen, and the others are counted."""
    board = pressed(many(100), "down", *["page down"] * 5)
    assert chosen(board) == "flashsale-rs-00050"
    assert any("more above" in line and "more below" in line for line in text(board, NOW))
    last = pressed(board, "end")
    assert chosen(last) == "flashsale-rs-00099"
    assert not any("below" in line for line in text(last, NOW))
    assert chosen(pressed(board, "home")) == "flashsale-rs-00000"


def test_help_names_the_keys_and_goes_again() -> None:
    """In the place of the pods."""
    board = pressed(many(3), "?")
    assert any("kill it" in line for line in text(board, NOW))
    assert not any("flashsale-rs-00001" in line for line in text(board, NOW))
    assert pressed(board, "q").panel is None


def test_a_long_panel_scrolls() -> None:
    """A log opens at its end; arrows move through it."""
    lines = tuple(f"line {number}" for number in range(100))
    board = Board(many(1).place, panel=Panel("Log of x", lines, offset=END))
    assert any("line 99" in line for line in text(board, NOW))
    earlier = pressed(board, *["page up"] * 5)
    assert not any("line 99" in line for line in text(earlier, NOW))
    assert any("line 49" in line for line in text(earlier, NOW))
    assert any("line 0" in line for line in text(pressed(board, "home"), NOW))
    assert (
        text(pressed(board, "end", "up"), NOW)
        == text(pressed(board, "up"), NOW)
        != text(board, NOW)
    )


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (200, 50)])
def test_no_word_of_a_panel_is_cut_off(size: tuple[int, int]) -> None:
    """Long lines go on below their text, on a narrow screen too; help is scrolled where it must."""
    board = pressed(many(3), "?")
    pages = [board, navigate(board, "end", NOW, size) or board]
    shown = " ".join(" ".join(line for page in pages for line in text(page, NOW, size)).split())
    assert "Esc chooses none" in shown
    assert "does not belong to the ReplicaSet" in shown
    assert "…" not in shown


def test_keys_for_the_sale_are_left_to_others() -> None:
    """Nothing is shown differently for them."""
    assert navigate(many(3), "k", NOW, SIZE) is None
    assert navigate(many(3), "+", NOW, SIZE) is None
    assert pressed(many(3), "e").events_hidden
