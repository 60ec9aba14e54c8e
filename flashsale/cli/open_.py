"""`flashsale open`."""

from __future__ import annotations

import os
import sys

import typer


def open_(ctx: typer.Context) -> None:
    """Open the sale in the browser."""
    import webbrowser

    from flashsale.cli.output import out, out_json
    from flashsale.cli.running import run
    from flashsale.cli.shared import shared
    from flashsale.cli.url import sale_address
    from flashsale.errors import FlashsaleError

    typed = shared(ctx)
    address = run(sale_address(typed))
    if not has_screen(dict(os.environ), sys.platform) or not webbrowser.open(address):
        raise FlashsaleError("There is no browser here to open.", hint=f"curl {address}/buy")
    if typed.json:
        out_json({"url": address})
    else:
        out(f"Opened {address}")


def has_screen(environment: dict[str, str], platform: str) -> bool:
    """Whether a browser could show itself; $BROWSER says so on any machine."""
    if environment.get("BROWSER") or not platform.startswith("linux"):
        return True
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))
