"""`flashsale init`."""

from __future__ import annotations

from pathlib import Path

import click

from flashsale.base.text import quoted
from flashsale.cli.options.global_options import Shared
from flashsale.cli.output import note, out, out_json


@click.argument(
    "folder",
    default=Path(),
    type=Path,
    metavar="[DIR]",
    help="Where to; made if it is not there.  [default: this folder]",
)
def init(typed: Shared, folder: Path) -> None:
    """Write app.py, Dockerfile and the manifest, to work on."""
    from flashsale.sale.files import app_folder

    written = [str(file) for file in app_folder.init(folder)]
    if typed.json:
        out_json({"written": written})
    else:
        out("\n".join(written))
        note(f"Change them, then: flashsale up {quoted(folder)}")
