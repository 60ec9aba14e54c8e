"""`flashsale completion`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

SHELLS = ("bash", "zsh", "fish", "powershell")


def completion(
    ctx: typer.Context,
    shell: Annotated[
        str | None,
        typer.Argument(metavar="SHELL", help="bash, zsh, fish or powershell; else yours."),
    ] = None,
) -> None:
    """Print the completion script of a shell.

    For bash, once and for all: flashsale completion bash >> ~/.bashrc
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from flashsale.base.errors import BadInputError
    from flashsale.cli.global_options import shared
    from flashsale.cli.output import out_json

    typed = shared(ctx)
    chosen = shell or Path(os.environ.get("SHELL", "bash")).name
    if chosen not in SHELLS:
        raise BadInputError(
            f"There is no completion for '{chosen}', only for {', '.join(SHELLS)}.",
            hint="flashsale completion bash",
        )
    script = get_completion_script(
        prog_name="flashsale", complete_var="_FLASHSALE_COMPLETE", shell=chosen
    )
    if typed.json:
        out_json({"shell": chosen, "script": script})
    else:
        typer.echo(script)
