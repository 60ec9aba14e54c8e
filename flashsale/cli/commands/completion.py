"""`flashsale completion`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from flashsale.base.errors import BadInputError
from flashsale.cli.options.global_options import Shared
from flashsale.cli.output import out_json


@click.argument(
    "shell",
    required=False,
    metavar="[SHELL]",
    help="bash, zsh, fish or powershell (not tested).  [default: your shell]",
)
def completion(typed: Shared, shell: str | None) -> None:
    """Print the completion script of a shell.

    It completes commands, options, their values, and the names of pods.
    """
    from flashsale.cli.completion.scripts import SCRIPTS

    chosen = shell or Path(os.environ.get("SHELL", "bash")).name
    if chosen not in SCRIPTS:
        raise BadInputError(
            f"There is no completion for '{chosen}', only for {', '.join(SCRIPTS)}.",
            hint="flashsale completion bash",
        )
    script = SCRIPTS[chosen].strip()
    if typed.json:
        out_json({"shell": chosen, "script": script})
    else:
        click.echo(script)
