"""Words and numbers as sentences want them. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

UNKNOWN = "-"
MOST_DIGITS = 1e15  # a float says no more of them
LONGEST_LINE = 4096  # characters that anybody reads in one line
VISIBLE = {  # what a terminal, or a reader's eye, would obey instead of showing it
    **{
        code: f"\\x{code:02x}"
        for code in (*range(0x20), *range(0x7F, 0xA0))
        if chr(code) not in "\t\n"
    },
    **{code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))},
    ord("\x1b"): "^[",
    ord("\r"): "\\r",
}
SPELLED = ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def quoted(path: object) -> str:
    """Write a path, or a name, as one word of a shell's."""
    return shlex.quote(str(path))


def plain_number(figure: float) -> str:
    """Write a number as people type it: whole ones in digits alone, up to 15 of them."""
    whole = float(figure).is_integer() and abs(figure) < MOST_DIGITS
    return f"{figure:.0f}" if whole else f"{figure}"


def spelled(count: int) -> str:
    """Write a small count as a word: `none`, `three`, `12`."""
    return SPELLED[count] if 0 <= count < len(SPELLED) else str(count)


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: `1 pod`, `1,000 pods`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def seconds(duration: float | None) -> str:
    """Write a duration in seconds: `5.0 s`; with one digit more below one second, `0.04 s`."""
    if duration is None:
        return UNKNOWN
    duration = max(0.0, duration)
    return f"{duration:.1f} s" if duration >= 1 else f"{duration:.2f} s"


def percent(share: float) -> str:
    """Write a share of 0 to 1: `33.8 %`; only all is 100 % and only nothing is 0 %."""
    if share in (0, 1):
        return f"{share * 100:.0f} %"
    percents = f"{100 * share:.1f}"
    if percents in ("0.0", "100.0"):  # that would be none or all
        percents = f"{min(max(100 * share, 0.01), 99.99):.2f}"
    return f"{percents} %"


def milliseconds(duration: float | None) -> str:
    """Write a duration given in milliseconds: `0.8 ms`, `42.1 ms`, `250 ms`, `1.2 s`.

    0 is that of no answer at all, which is as unknown as None.
    """
    if not duration:
        return UNKNOWN
    if duration >= 1000:
        return seconds(duration / 1000)
    return f"{duration:.{1 if duration < 100 else 0}f} ms"


def joined(words: Iterable[str]) -> str:
    """List words: `A`, `A and B`, `A, B and C`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def begin_sentence(text: str) -> str:
    """Write the first letter large."""
    return text[:1].upper() + text[1:]


def continue_sentence(text: str) -> str:
    """Write the first letter small, for a sentence that goes on after another part."""
    return text[:1].lower() + text[1:]


def printable(text: str, *, most: int | None = LONGEST_LINE) -> str:
    """Write text that others made so that it is only text to a terminal, line by line.

    Escape sequences, other control characters and marks that turn the direction of writing round
    become visible, as kubectl makes them since 1.26; line feeds and tabs stay. A line of more than
    ``most`` characters is cut, and says so; None cuts nothing.
    """
    return "\n".join(_cut(line, most).translate(VISIBLE) for line in text.split("\n"))


def _cut(line: str, most: int | None) -> str:
    if most is None or len(line) <= most:
        return line
    return f"{line[:most]}… ({len(line) - most:,} more characters)"
