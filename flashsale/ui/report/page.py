"""A drill, or two side by side, as one HTML page that needs nothing else: no network, and for its
tables no JavaScript.

Made from the JSON document alone, by a Jinja2 template beside this file. The charts are uPlot's
(see `vendor/README.md`), inlined like the style sheet; the page's own policy forbids it to load
anything.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flashsale.base.text import milliseconds, seconds
from flashsale.drill.report.compare import write_figure
from flashsale.ui import figures
from flashsale.ui.drill.sentences import difference, repeat_command
from flashsale.ui.report.chart_data import chart_data

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

FOLDER = Path(__file__).parent
VENDOR = FOLDER / "vendor"
UPLOT = "1.6.32"


def drill_page(drill: dict[str, Any]) -> str:
    """Write the page of one drill, from its document as made or as read back."""
    return _render(
        "drill.html",
        drill=drill,
        charts=inline_json(chart_data(drill)),
        uplot=UPLOT,
        library=(VENDOR / "uPlot.iife.min.js").read_text(encoding="utf-8"),
        script=(FOLDER / "charts.js").read_text(encoding="utf-8"),
    )


def comparison_page(comparison: dict[str, Any], a: str, b: str) -> str:
    """Write the page of two drills side by side; ``a`` and ``b`` name their reports."""
    return _render("comparison.html", comparison=comparison, names={"a": a, "b": b})


def course_page(course: dict[str, Any]) -> str:
    """Write the page about what a learner did: ``learn.certificate`` makes the document."""
    return _render("course.html", course=course)


def inline_json(value: Any) -> str:
    """Write JSON that may stand inside a script element: nothing in it can end that element."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace("&", "\\u0026")


def prose(sentence: str) -> Markup:
    """Write a sentence with its commands as code, and options that do not break at hyphens."""
    from markupsafe import Markup, escape

    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(sentence)))
    return Markup(re.sub(r"(--[a-z-]+)", r'<span class="option">\1</span>', text))


def _render(template: str, **values: Any) -> str:
    styles = (VENDOR / "uPlot.min.css", FOLDER / "style.css")
    style = "".join(file.read_text(encoding="utf-8") for file in styles)
    return _environment().get_template(template).render(style=style, **values)


@cache
def _environment() -> Environment:
    """Return what keeps templates compiled: that takes ten times as long as to render one."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        count=figures.count,
        difference=difference,
        figure=write_figure,
        loss_groups=figures.loss_groups,
        milliseconds=milliseconds,
        prose=prose,
        rate=figures.rate,
        repeat_command=repeat_command,
        second_name=figures.second_name,
        seconds=seconds,
        share=figures.share,
    )
    return environment
