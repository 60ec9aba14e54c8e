"""Words and numbers as sentences want them. Pure."""

from __future__ import annotations

from collections.abc import Iterable

MOST_DIGITS = 1e15  # a float says no more of them
SPELLED = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def number(figure: float) -> str:
    """Write a number as people type it: whole ones in digits alone, up to 15 of them."""
    whole = float(figure).is_integer() and abs(figure) < MOST_DIGITS
    return f"{figure:.0f}" if whole else f"{figure}"


def spelled(count: int) -> str:
    """Write a small count as a word: `none`, `three`, `12`."""
    return SPELLED[count] if 0 <= count < len(SPELLED) else str(count)


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: `1 pod`, `1,000 pods`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def joined(words: Iterable[str]) -> str:
    """List words: `A`, `A and B`, `A, B and C`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
