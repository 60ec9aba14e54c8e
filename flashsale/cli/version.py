"""`flashsale version`."""

from __future__ import annotations

import typer


def version(ctx: typer.Context) -> None:
    """Print the version of flashsale, and of the cluster."""
    from flashsale import __version__
    from flashsale.cli.output import out, out_json
    from flashsale.cli.shared import shared

    if shared(ctx).json:
        out_json({"flashsale": __version__})
    else:
        out(f"flashsale {__version__}")
