"""Words and numbers as sentences want them."""

from __future__ import annotations

import pytest

from flashsale.base.text import counted, joined, plain_number, printable


@pytest.mark.parametrize(
    ("words", "text"), [("a", "a"), ("ab", "a and b"), ("abcde", "a, b, c, d and e")]
)
def test_lists_read_as_people_write_them(words: str, text: str) -> None:
    """Commas, and one `and` before the last."""
    assert joined(words) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        (1e9, "1000000000"),
        (0.5, "0.5"),
        (100.0, "100"),
        (-3.0, "-3"),
        (float("inf"), "inf"),
        (1e99, "1e+99"),
    ],
)
def test_numbers_read_as_they_were_typed(figure: float, text: str) -> None:
    """Whole ones have no point and no exponent."""
    assert plain_number(figure) == text


@pytest.mark.parametrize(("count", "text"), [(0, "0 pods"), (1, "1 pod"), (2000, "2,000 pods")])
def test_one_is_no_plural(count: int, text: str) -> None:
    """And large counts have commas."""
    assert counted(count, "pod") == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\x1b[2J all is well", "^[[2J all is well"),
        ("a\rb", "a\\rb"),
        ("\x9b31m", "\\x9b31m"),
        ("\x07\x00", "\\x07\\x00"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("tab\tand\nline — Größe", "tab\tand\nline — Größe"),
    ],
)
def test_control_characters_are_shown_and_not_obeyed(text: str, written: str) -> None:
    """Whoever wrote an event or a log line does not write on the terminal."""
    assert printable(text) == written


def test_a_huge_line_is_cut() -> None:
    """And says how much is missing; the lines around it stay."""
    assert printable("a\n" + "x" * 5_000_000 + "\nb", most=10) == (
        "a\nxxxxxxxxxx… (4,999,990 more characters)\nb"
    )
