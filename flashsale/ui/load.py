"""What people see of a load: a live board while buyers come, a table when they are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flashsale.base import text
from flashsale.base.text import milliseconds, seconds
from flashsale.load.results import LoadProgress
from flashsale.ui import figures

PODS_SHOWN = 12  # on the live board, so that it stays on one screen
Document = Mapping[str, Any]  # what `load -o json` prints
WORKERS_SHOWN = 20
BAR = 24  # characters of a pod that served everything


def live(progress: LoadProgress) -> RenderableType:
    """Draw the board of a run under way."""
    counted = progress.figures
    head = Table.grid(padding=(0, 2))
    head.add_row(
        "Buyers",
        ProgressBar(total=progress.planned_seconds, completed=progress.elapsed, width=30),
        f"{min(progress.elapsed, progress.planned_seconds):.0f}"
        f" of {progress.planned_seconds:.0f} s",
    )
    speed = (
        f"{progress.rate_now:,.0f} confirmed a second    "
        f"p50 {milliseconds(counted.latency_ms.p50)}"
        f"   p99 {milliseconds(counted.latency_ms.p99)}"
    )
    counts = Text.assemble(
        f"{counted.sent:,} sent   {counted.confirmed:,} confirmed   {counted.rejected:,} rejected"
        "   ",
        (f"{counted.lost:,} lost", "bold red" if counted.lost else ""),
    )
    board: list[RenderableType] = (
        [pod_shares(counted.pods, most=PODS_SHOWN)] if counted.pods else []
    )
    return Group(head, counts, Text(speed), *board)


def line(progress: LoadProgress) -> str:
    """Write the same in one line, where there is no terminal to draw on."""
    counted = progress.figures
    return (
        f"{progress.elapsed:.0f} s: {counted.sent:,} sent, {counted.confirmed:,} confirmed,"
        f" {counted.rejected:,} rejected, {counted.lost:,} lost,"
        f" {progress.rate_now:,.0f} a second, p99 {milliseconds(counted.latency_ms.p99)}"
    )


def load_summary(document: Document) -> RenderableType:
    """Draw a finished run: the table, each pod's share, and what needs saying."""
    lines = [Text(line) for line in (document["shares"]["text"], *document["notes"])]
    board: list[RenderableType] = [pod_shares(document["pods"]), Text()] if document["pods"] else []
    if any(worker["node"] for worker in document["workers"]):
        board += [workers(document["workers"]), Text()]
    return Group(totals(document), Text(), *board, *lines)


def totals(load: Document) -> Table:
    """Draw what became of the purchases, and how long buyers waited."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    late = f", {load['late']:,} started late" if load["late"] else ""
    sent = f"{load['rate']:,.1f} a second, {seconds(load['seconds'])} in all{late}"
    table.add_row("sent", f"{load['sent']:,}", sent)
    confirmed = figures.share(load["confirmed"], load["sent"]) if load["sent"] else ""
    table.add_row("confirmed", f"{load['confirmed']:,}", confirmed)
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in load["rejections"].items())
    table.add_row("rejected", f"{load['rejected']:,}", Text(reasons))
    other = load.get("other_errors", {})  # a result of an earlier version has none
    losses = {name: n for name, n in load["errors"].items() if not (other and name == "other")}
    losses |= other
    style = "red" if load["lost"] else ""
    table.add_row("lost", f"{load['lost']:,}", figures.listed(losses), style=style)
    if unsent := sum(load["unsent"].values()):
        table.add_row("not sent", f"{unsent:,}", figures.listed(load["unsent"]))
    table.add_row("latency", "", latency(load["latency_ms"]))
    return table


def pod_shares(counts: Mapping[str, int], *, most: int | None = None) -> Table:
    """Draw each pod's share, the largest first."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    for name, justify in (("POD", "left"), ("CONFIRMED", "right"), ("SHARE", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("", max_width=BAR)  # in a narrow terminal bars give way to numbers
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ranked[:most]:
        share = figures.share(count, total)
        table.add_row(Text(text.printable(name)), f"{count:,}", share, Bar(total, 0, count))
    if most is not None and len(ranked) > most:
        rest = sum(count for _, count in ranked[most:])
        share = figures.share(rest, total)
        table.add_row(f"and {len(ranked) - most} more", f"{rest:,}", share, "")
    return table


def workers(rows: Sequence[Mapping[str, Any]]) -> Table:
    """Draw what each worker of a crowd in the cluster did, those first that did not do all."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    for name in ("WORKER", "NODE"):
        table.add_column(name, no_wrap=True)
    for name in ("SENT", "LOST", "NOT SENT", "CLOCK"):
        table.add_column(name, justify="right", no_wrap=True)
    ranked = sorted(rows, key=lambda row: -row["not_sent"])
    for row in ranked[:WORKERS_SHOWN]:
        counts = [f"{row[key]:,}" for key in ("sent", "lost", "not_sent")]
        ahead = row["clock_offset_ms"]
        clock = f"{'-' if ahead < 0 else '+'}{milliseconds(abs(ahead))}" if ahead else "0 ms"
        table.add_row(text.printable(row["name"]), text.printable(row["node"]), *counts, clock)
    if len(ranked) > WORKERS_SHOWN:
        table.add_row(f"and {len(ranked) - WORKERS_SHOWN} more")
    return table


def latency(quantiles: Mapping[str, float]) -> str:
    """Write the percentiles in one line; there are none without an answer."""
    if not quantiles["max"]:
        return "no complete answer"
    return "   ".join(f"{name} {milliseconds(ms)}" for name, ms in quantiles.items())
