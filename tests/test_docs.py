"""The documents tell of every command and option, and of none that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flashsale.cli.command_list import ENTRIES
from tests import command_line
from tools import write_commands

README = (Path(__file__).parent.parent / "README.md").read_text()
BASH = re.findall(r"^```bash\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
CONSOLE = re.findall(r"^\$ (.*)$", README, re.MULTILINE)
SPANS = re.findall(r"`(flashsale [^`]+)`", README)
EXAMPLES = [line for entry in ENTRIES for line, _ in entry.examples]


def typed() -> list[tuple[str, ...]]:
    """Every flashsale command line in the README and in the help."""
    lines = [*CONSOLE, *(line for block in BASH for line in block.splitlines()), *SPANS, *EXAMPLES]
    return sorted({tuple(words) for line in lines for words in command_line.ours(line)})


def test_the_page_of_commands_is_what_the_program_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m tools.write_commands` writes it anew."""
    monkeypatch.setenv("COLUMNS", "")
    assert write_commands.FILE.read_text() == write_commands.text()


def test_everything_that_can_be_typed_has_help() -> None:
    """Nothing can be typed that nobody explains."""
    params = ((entry.name, param) for entry in ENTRIES
              for param in command_line.command(entry.name).params)  # fmt: skip
    assert [(name, param.name) for name, param in params if not param.help] == []


def test_every_command_in_readme_and_help_exists() -> None:
    """What is shown there is a command line that the program understands."""
    for words in typed():
        command_line.check(list(words))


def test_every_exit_code_is_documented() -> None:
    """Scripts can rely on them."""
    from flashsale.base import errors

    codes = {var.exit_code for var in vars(errors).values() if hasattr(var, "exit_code")}
    codes |= {0, errors.CTRL_C, errors.SIGTERM, errors.SIGHUP}
    assert {int(code) for code in re.findall(r"\b\d+\b", write_commands.EXIT_CODES)} == codes
