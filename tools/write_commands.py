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


def text() -> str:
    """Make the page."""
    os.environ["COLUMNS"] = COLUMNS
    from flashsale.cli.command_list import ENTRIES
    from flashsale.cli.program import application

    program: Any = typer.main.get_command(application())
    with program.make_context("flashsale", []) as root:
        parts = ["# Commands", "What `flashsale COMMAND --help` prints."]
        parts.append(_block("flashsale", program.get_help(root)))
        for entry in ENTRIES:
            command = program.get_command(root, entry.name)
            with command.make_context(entry.name, [], parent=root, resilient_parsing=True) as ctx:
                parts.append(_block(f"flashsale {entry.name}", command.get_help(ctx)))
    return "\n\n".join(parts) + "\n"


def _block(title: str, help_text: str) -> str:
    lines = "\n".join(line.rstrip() for line in help_text.splitlines())
    return f"## {title}\n\n```\n{lines}\n```"


if __name__ == "__main__":
    FILE.write_text(text())
