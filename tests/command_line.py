"""What a person would type: found in texts, and read by the program without being carried out."""

from __future__ import annotations

import re
import shlex
from functools import cache
from typing import Any

import typer

from flashsale.cli.options.global_options import leading
from flashsale.cli.program import application

PLACEHOLDERS = {"N": "3", "TIME": "30s", "SECONDS": "3", "...": ""}


@cache
def program() -> Any:
    """The whole command line."""
    return typer.main.get_command(application())


def command(name: str) -> Any:
    """One command, None if there is none of that name."""
    return program().get_command(None, name)


def ours(line: str) -> list[list[str]]:
    """Find the command lines of flashsale in a line of a shell, without the program's name."""
    parts = [part.strip() for part in re.split(r"&&|\|", line.partition("  # ")[0])]
    parts += re.findall(r"\$\((flashsale [^)]*)\)", line)
    mine = [part for part in parts if re.match(r"(?:\S*/)?(?:kubectl )?flashsale(?: |$)", part)]
    return [_words(part) for part in mine]


def _words(line: str) -> list[str]:
    words = shlex.split(line.partition(" >")[0], comments=True)
    words = words[words.index(next(word for word in words if word.endswith("flashsale"))) + 1 :]
    words = [word for word in words if not re.fullmatch(r"\[[A-Z]+\]", word)]
    return [PLACEHOLDERS.get(word, word) for word in words]


def check(words: list[str]) -> None:
    """Raise what the program would, if it does not understand these words."""
    if not words or words[0] in ("--version", "--help", "-h"):
        return
    before, rest = words[: leading(words)], words[leading(words) :]
    if not rest:
        return
    done = command(rest[0])
    assert done is not None, f"there is no command {rest[0]}"
    if "--help" in rest:
        return
    with done.make_context(rest[0], [*before, *rest[1:]], resilient_parsing=False):
        pass
