"""A drill, or two side by side, as Markdown: for the summary of a CI job, or a pull request."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flashsale.base.text import UNKNOWN, milliseconds, seconds
from flashsale.drill.report.compare import write_figure
from flashsale.ui import figures
from flashsale.ui.drill.sentences import death_lines, difference

Document = Mapping[str, Any]
SIGNS = {"pass": "✅", "fail": "❌", "inconclusive": "⚠️"}
SPECIAL = re.compile(r"([\\`*_\[\]<>|])")


def drill_report(drill: Document) -> str:
    """Write the verdict, three sentences, the findings and the tables of one drill."""
    parts = [
        f"## {SIGNS[drill['verdict']]} {drill['verdict'].upper()}: {escape(drill['reason'])}",
        " ".join(escape(sentence) for sentence in drill["summary"]),
        _totals(drill["load"]),
        _bullets(drill["findings"]),
        _healings(drill),
        _node_deaths(drill),
        _phases(drill),
        _environment(drill),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def comparison_report(comparison: Document, a: str, b: str) -> str:
    """Write what differs between two drills; ``a`` and ``b`` name their reports."""
    drills = [
        f"- **{letter.upper()}**: {escape(name)}, {comparison[letter]['verdict'].upper()}:"
        f" {escape(comparison[letter]['reason'])}"
        for letter, name in (("a", a), ("b", b))
    ]
    rows = [
        [
            f"**{row['name']}**" if row["matters"] else row["name"],
            write_figure(row["a"], row["unit"]),
            write_figure(row["b"], row["unit"]),
            difference(row),
        ]
        for row in comparison["rows"]
    ]
    parts = [
        "## Two drills side by side",
        "\n".join(drills),
        "**Not the same drill:**" if comparison["differences"] else "",
        _bullets(comparison["differences"]),
        "**What came of it:**",
        _bullets(comparison["findings"]),
        markdown_table(["figure", "A", "B", "difference"], rows),
    ]
    return "\n\n".join(filter(None, parts)) + "\n"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; all columns but the first are aligned to the right."""
    rule = ["---", *["--:"] * (len(head) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def escape(text: str) -> str:
    return SPECIAL.sub(r"\\\1", text)


def _bullets(sentences: Iterable[str]) -> str:
    return "\n".join(f"- {escape(sentence)}" for sentence in sentences)


def _totals(load: Document) -> str:
    names = ("sent", "confirmed", "rejected", "lost")
    row = [*(figures.count(load[name]) for name in names)]
    waits = [milliseconds(load["latency_ms"][name]) for name in ("p50", "p99", "max")]
    return markdown_table([*names, "p50", "p99", "longest"], [[*row, *waits]])


def _healings(drill: Document) -> str:
    if not drill["healings"]:
        return ""
    costs = {kill["number"]: kill["lost"] for kill in drill["kills"]}
    steps = ("created", "started", "ready", "gone")
    rows = [
        [
            f"`{healing['victim']}`",
            f"`{healing['replacement']}`" if healing["replacement"] else UNKNOWN,
            *(seconds(healing[f"{step}_seconds"]) for step in steps),
            figures.count(costs.get(healing["kill"])),
        ]
        for healing in drill["healings"]
    ]
    return markdown_table(["victim", "replacement", *steps, "lost"], rows)


def _node_deaths(drill: Document) -> str:
    deaths = drill.get("node_deaths") or []
    if not deaths:
        return ""
    steps = ("not_ready", "replaced", "back")
    rows = [
        [
            f"`{death['node']}`",
            str(len(death["pods"])),
            seconds(death["at_seconds"]),
            *(seconds(death[f"{step}_seconds"]) for step in steps),
            figures.count(death["lost"]),
        ]
        for death in deaths
    ]
    head = ["node that died", "pods", "at", "not ready", "pods replaced", "back", "lost"]
    return "\n\n".join(
        [markdown_table(head, rows), *map(escape, death_lines(drill)[len(deaths) :])]
    )


def _phases(drill: Document) -> str:
    rows = [
        [
            phase["name"],
            str(phase["pods"]),
            figures.rate(phase["confirmed_rate"]),
            milliseconds(phase["p50_ms"]),
            milliseconds(phase["p99_ms"]),
            figures.count(phase["lost"]),
        ]
        for phase in drill["phases"]
    ]
    return (
        markdown_table(["phase", "pods", "confirmed/s", "p50", "p99", "lost"], rows) if rows else ""
    )


def _environment(drill: Document) -> str:
    place = drill["environment"]
    return (
        f"{escape(place['replicaset'])} on {place['kind']} ({escape(place['context'])}), Kubernetes"
        f" {escape(place['server'])}, flashsale {place['flashsale']}, {drill['started']}; seed"
        f" {drill['scenario']['seed']}"
    )
