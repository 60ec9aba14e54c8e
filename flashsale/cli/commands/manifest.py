"""`flashsale manifest`."""

from __future__ import annotations

import click

from flashsale.cli.options.common_options import flag
from flashsale.cli.options.global_options import Shared
from flashsale.cli.output import out_json


@flag("--as-taught", help="Print the exercise's own fields alone.")
def manifest(typed: Shared, as_taught: bool) -> None:
    """Print the YAML that `up` applies."""
    from flashsale.sale.files import manifest as manifests

    text = manifests.shipped_text()
    if as_taught:
        text = manifests.as_taught(text)
    if not typed.json:
        click.echo(text, nl=False)  # never painted: it is a file
        return
    parsed = manifests.parse_manifest(text, manifests.FILE)
    items = [parsed.replicaset, parsed.service]
    out_json({"apiVersion": "v1", "kind": "List", "items": items})
