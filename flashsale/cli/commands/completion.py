"""`flashsale completion`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from flashsale.base.errors import BadInputError
from flashsale.cli.options.global_options import shared
from flashsale.cli.output import out_json


def completion(
    ctx: typer.Context,
    shell: Annotated[
        str | None,
        typer.Argument(
            metavar="SHELL",
            help="bash, zsh, fish or powershell (not tested).  [default: your shell]",
        ),
    ] = None,
) -> None:
    """Print the completion script of a shell.

    It completes commands, options, their values, and the names of pods.
    """
    from flashsale.cli.completion.scripts import SCRIPTS

    typed = shared(ctx)
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
        typer.echo(script)
