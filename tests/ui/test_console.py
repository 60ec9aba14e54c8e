"""What each kind of terminal gets: colours, plain text in place, or plain lines."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import flashsale
from flashsale.ui.console import filled
from flashsale.ui.watch.screen import ENTER
from tests.command import Flashsale
from tests.terminal import SGR, at_terminal

HEALED = "VICTIM"  # the heading of what `kill-pod` prints in the end


@pytest.mark.parametrize("value", ["0", "please"])
def test_no_color_means_not_even_bold(open_sale: Flashsale, value: str) -> None:
    """The progress of a command is drawn in place all the same."""
    with at_terminal(open_sale, "kill-pod", "--hard", NO_COLOR=value) as person:
        assert person.leaves() == 0
    assert HEALED in person.seen
    assert "\x1b[2K" in person.seen
    assert not SGR.findall(person.seen)


def test_an_empty_no_color_means_nothing(open_sale: Flashsale) -> None:
    """As https://no-color.org has it."""
    with at_terminal(open_sale, "kill-pod", "--hard", NO_COLOR="") as person:
        assert person.leaves() == 0
    assert SGR.findall(person.seen)


def test_no_color_leaves_the_live_view_its_screen(open_sale: Flashsale) -> None:
    """It is painted line by line, without any look."""
    with at_terminal(open_sale, "watch", NO_COLOR="1") as person:
        person.sees("q quit", "Running")
        person.types("q")
        assert person.leaves() == 0
    assert ENTER in person.seen
    assert not SGR.findall(person.seen)


def test_sentences_break_at_words_on_a_terminal(open_sale: Flashsale) -> None:
    """Below the text of their item; a hint is left whole, to be copied."""
    with at_terminal(open_sale, "drill", "--dry-run", size=(60, 24), NO_COLOR="1") as person:
        assert person.leaves() == 0
    lines = person.seen.splitlines()
    assert all(len(line) <= 60 for line in lines)
    assert "and the time to heal." in " ".join(person.seen.split())
    assert any(line.startswith("     ") for line in lines)
    with at_terminal(open_sale, "scale", "7x", size=(40, 24), NO_COLOR="1") as person:
        assert person.leaves() == 2
    assert person.seen.splitlines() == [
        "Error: '7x' is not a whole number of",
        "pods.",
        "Hint: flashsale scale 5",
    ]


def test_lines_are_filled_as_their_margin_wants_it() -> None:
    """A numbered item, a line with its second, a plain sentence; a long word stays whole."""
    assert filled("  4. one two three", 12) == "  4. one two\n     three"
    assert filled("   0.12 s  one two", 14) == "   0.12 s  one\n           two"
    assert filled("one two\n", 5) == "one\ntwo\n"
    assert filled("https://example.org/a-long-path", 10) == "https://example.org/a-long-path"
    assert filled("one two", None) == "one two"


def names_used(node: ast.AST) -> list[str]:
    """List the names that are called there, or that a class there derives from."""
    match node:
        case ast.Call(func=made):
            return [getattr(made, "id", "")]
        case ast.ClassDef(bases=bases):
            return [getattr(base, "id", "") for base in bases]
    return []


def test_there_is_one_place_that_makes_consoles() -> None:
    """Whoever made another would have to remember all of that."""
    files = Path(flashsale.__file__).parent.rglob("*.py")
    made = {
        file.name
        for file in files
        if "Console(" in (source := file.read_text())
        for node in ast.walk(ast.parse(source))
        if "Console" in names_used(node)
    }
    assert made == {"console.py"}


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(
    open_sale: Flashsale, term: str
) -> None:
    """An editor's shell window: no full screen, no colours, no drawing again."""
    with at_terminal(open_sale, "watch", "--for", "2s", TERM=term) as person:
        assert person.leaves() == 0
    assert "replicaset  desired 3" in person.seen
    assert "\x1b" not in person.seen


@pytest.mark.parametrize("words", [["load", "--for", "1s", "--rate", "20"], ["kill-pod", "--hard"]])
def test_progress_on_such_a_terminal_is_lines_too(open_sale: Flashsale, words: list[str]) -> None:
    """Whatever else is live elsewhere."""
    with at_terminal(open_sale, *words, TERM="dumb") as person:
        assert person.leaves() == 0
    assert "\x1b" not in person.seen


def test_a_figure_stays_with_its_unit() -> None:
    """`5.1` at the end of a line and `s` at the beginning of the next cannot be read."""
    line = "ready after 5.1 s: 33.8 % of it"
    assert filled(line, 16) == "ready after\n5.1 s: 33.8 % of\nit"
    assert filled(line, 100) == line


def test_a_command_stays_on_one_line() -> None:
    """`flashsale` alone at the end of a line is another command."""
    assert filled("Look with flashsale open now", 20) == "Look with\nflashsale open now"
