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


def seconds(duration: float) -> str:
    """Write a duration in seconds: `5.0 s`; with one digit more below one second, `0.04 s`."""
    return f"{duration:.1f} s" if duration >= 1 else f"{duration:.2f} s"


def percent(share: float) -> str:
    """Write a share of 0 to 1: `33.8 %`; only all is 100 % and only nothing is 0 %."""
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    percents = min(max(100 * share, 0.01), 99.99)
    return f"{percents:.{1 if 1 <= percents <= 99 else 2}f} %"


def milliseconds(duration: float) -> str:
    """Write a duration given in milliseconds: `0.8 ms`, `42.1 ms`, `250 ms`, `1.2 s`."""
    if duration >= 1000:
        return seconds(duration / 1000)
    return f"{duration:.{1 if duration < 100 else 0}f} ms"


def joined(words: Iterable[str]) -> str:
    """List words: `A`, `A and B`, `A, B and C`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
