"""The README tells of every command and option, and of none that is not there."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from flashsale.cli.command_list import ENTRIES, CommandEntry
from flashsale.cli.program import application

README = (Path(__file__).parent.parent / "README.md").read_text()
BASH = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
CONSOLE = re.findall(r"^\$ (.*)$", README, re.MULTILINE)
SPANS = re.findall(r"`(flashsale [^`]+)`", README)
PLACEHOLDERS = {"N": "3", "TIME": "30s", "SECONDS": "3"}


@cache
def program() -> Any:
    """The whole command line."""
    return typer.main.get_command(application())


def command(name: str) -> Any:
    """One command, None if there is none of that name."""
    return program().get_command(None, name)


def options(entry: CommandEntry) -> set[str]:
    """The long options of one command, those of all commands included."""
    names = (name for param in command(entry.name).params for name in param.opts)
    return {name for name in names if name.startswith("--")}


def typed() -> list[str]:
    """Every flashsale command line in the README."""
    lines = [*CONSOLE, *(line for block in BASH for line in block.splitlines())]
    found = [part.strip() for line in lines for part in line.split("&&")]
    found += [inner for line in lines for inner in re.findall(r"\$\((flashsale [^)]*)\)", line)]
    mine = [line for line in found if re.match(r"(?:\S*/)?(?:kubectl )?flashsale ", line)]
    return sorted({*mine, *SPANS})


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_command_is_in_the_readme(entry: CommandEntry) -> None:
    """Each has a paragraph of its own, which begins with its name."""
    assert f"**`flashsale {entry.name}" in README


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_option_is_in_the_readme_and_has_help(entry: CommandEntry) -> None:
    """Nothing can be typed that nobody explains."""
    assert {name for name in options(entry) if f"`{name}" not in README} == set()
    assert all(param.help for param in command(entry.name).params)


@pytest.mark.parametrize("line", typed())
def test_every_command_in_the_readme_exists(line: str) -> None:
    """What the README types is a command line that the program understands."""
    words = shlex.split(line, comments=True)
    words = words[words.index(next(word for word in words if word.endswith("flashsale"))) + 1 :]
    words = [word for word in words if not re.fullmatch(r"\[[A-Z]+\]|>>|~/.bashrc", word)]
    words = [PLACEHOLDERS.get(word, word) for word in words]
    if words[0].startswith("-"):
        options = {name for param in program().params for name in param.opts}
        assert words[0] in options | {"-h", "--help"}  # which belong to every command
        return
    found = command(words[0])
    assert found is not None, f"there is no command {words[0]}"
    with found.make_context(words[0], words[1:], resilient_parsing=False):
        pass


def test_every_exit_code_is_in_the_readme() -> None:
    """Scripts can rely on them."""
    from flashsale.base import errors

    codes = {one.exit_code for one in vars(errors).values() if hasattr(one, "exit_code")}
    codes |= {0, errors.CTRL_C, errors.SIGTERM, errors.SIGHUP}
    table = README[README.index("| exit code |") : README.index("## What the embedded")]
    assert {int(code) for code in re.findall(r"\b\d+\b", table)} == codes
