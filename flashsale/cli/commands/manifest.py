"""`flashsale manifest`."""

from __future__ import annotations

from typing import Annotated

import typer

from flashsale.cli.options.global_options import shared
from flashsale.cli.output import out_json


def manifest(
    ctx: typer.Context,
    as_taught: Annotated[
        bool, typer.Option("--as-taught", help="Print the exercise's own fields alone.")
    ] = False,
) -> None:
    """Print the YAML that `up` applies."""
    from flashsale.sale.files import manifest as manifests

    typed = shared(ctx)
    text = manifests.shipped_text()
    if as_taught:
        text = manifests.as_taught(text)
    if not typed.json:
        typer.echo(text, nl=False)  # never painted: it is a file
        return
    parsed = manifests.parse_manifest(text, manifests.FILE)
    items = [parsed.replicaset, parsed.service]
    out_json({"apiVersion": "v1", "kind": "List", "items": items})
