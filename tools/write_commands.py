"""Write docs/commands.md: the help of every command, as the program prints it.

Run it after a change of the help: `python -m tools.write_commands`. A test compares.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import typer

FILE = Path(__file__).parent.parent / "docs" / "commands.md"
COLUMNS = "100"
EXIT_CODES = """\
| exit code | means |
|---|---|
| 0 | done |
| 1 | another failure |
| 2 | the command line or a file is not usable; nothing was changed |
| 3 | the cluster does not answer, or cannot start |
| 4 | no sale is open here |
| 5 | not ready in time |
| 6 | refused for safety |
| 7 | more purchases were lost than allowed |
| 129, 130, 143 | ended by closing the terminal, by Ctrl-C, by SIGTERM |"""


def text() -> str:
    """Make the page."""
    os.environ["COLUMNS"] = COLUMNS
    from flashsale.cli.command_list import ENTRIES
    from flashsale.cli.program import application

    program: Any = typer.main.get_command(application())
    with program.make_context("flashsale", []) as root:
        parts = [
            "# Commands",
            "What `flashsale COMMAND --help` prints; "
            "[docs/json](json/README.md) says what `-o json` does.",
        ]
        parts.append(_block("flashsale", program.get_help(root)))
        for entry in ENTRIES:
            command = program.get_command(root, entry.name)
            with command.make_context(entry.name, [], parent=root, resilient_parsing=True) as ctx:
                parts.append(_block(f"flashsale {entry.name}", command.get_help(ctx)))
    parts += ["## Exit codes", EXIT_CODES]
    return "\n\n".join(parts) + "\n"


def _block(title: str, help_text: str) -> str:
    lines = "\n".join(line.rstrip() for line in help_text.splitlines())
    return f"## {title}\n\n```\n{lines}\n```"


if __name__ == "__main__":
    FILE.write_text(text())
