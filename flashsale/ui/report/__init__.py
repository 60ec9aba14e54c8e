"""A drill as one HTML page that needs nothing else: no network, and for its tables no JavaScript.

Made from a drill's JSON document alone, by a Jinja2 template beside this file. The charts are
uPlot's (see `vendor/README.md`), inlined like the style sheet; the page's own policy forbids it to
load anything.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from flashsale.ui.report.charting import charts
from flashsale.ui.report.wording import (
    causes,
    count,
    milliseconds,
    rate,
    second,
    seconds,
    share,
    since,
)

FOLDER = Path(__file__).parent
VENDOR = FOLDER / "vendor"
UPLOT = "1.6.32"


def page(document: dict[str, Any]) -> str:
    """Write the page of one drill.

    Args:
        document: as ``drill.report.document`` makes it, or as it was read back.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        causes=causes,
        count=count,
        milliseconds=milliseconds,
        rate=rate,
        second=second,
        seconds=seconds,
        share=share,
        since=since,
    )
    return environment.get_template("page.html").render(
        drill=document,
        charts=inline_json(charts(document)),
        uplot=UPLOT,
        style=(VENDOR / "uPlot.min.css").read_text() + (FOLDER / "page.css").read_text(),
        library=(VENDOR / "uPlot.iife.min.js").read_text(),
        script=(FOLDER / "page.js").read_text(),
    )


def inline_json(value: Any) -> str:
    """Write JSON that may stand inside a script element: nothing in it can end that element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")
