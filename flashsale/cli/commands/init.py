"""`flashsale init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flashsale.base.text import quoted
from flashsale.cli.options.global_options import shared
from flashsale.cli.output import note, out, out_json


def init(
    ctx: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="Where to; made if it is not there.  [default: this folder]"
        ),
    ] = Path(),
) -> None:
    """Write app.py, Dockerfile and the manifest, to work on."""
    from flashsale.sale.files import app_folder

    typed = shared(ctx)
    written = [str(file) for file in app_folder.init(folder)]
    if typed.json:
        out_json({"written": written})
    else:
        out("\n".join(written))
        note(f"Change them, then: flashsale up {quoted(folder)}")
