"""`flashsale open`."""

from __future__ import annotations

import os
import sys

import typer

from flashsale.base.errors import FlashsaleError
from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import shared
from flashsale.cli.output import note, out, out_json


def open_(ctx: typer.Context) -> None:
    """Open the sale in the browser.

    Each refresh may show another pod. A shop of your own may keep the browser's connection, as the
    exercise's app.py does: then wait three seconds before each refresh.

    An address that exists only through a tunnel is held open until Ctrl-C; stderr says so.
    """
    from flashsale.cli.commands.url import show_url

    typed = shared(ctx)

    def show(address: str) -> None:
        browse(address)
        if typed.json:
            out_json({"url": address})
        else:
            out(f"Opened {address}")
            note("Each refresh may show another pod; with an app.py of your own, wait 3 s between.")

    run(show_url(typed, show))


def browse(address: str) -> None:
    """Show an address in the browser; FlashsaleError if there is none."""
    import webbrowser

    from flashsale.clusters.base import TunnelUrl

    screen = any(map(os.environ.get, ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY")))
    if (sys.platform.startswith("linux") and not screen) or not webbrowser.open(address):
        hint = "flashsale url" if isinstance(address, TunnelUrl) else f"curl {address}/buy"
        raise FlashsaleError("There is no browser here to open.", hint=hint)
