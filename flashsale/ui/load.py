"""What people see of the crowd: a live board while buyers come, a table when they are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.bar import Bar
from rich.console import Group, RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flashsale.base.text import printable
from flashsale.load.results import Figures, LoadProgress, Quantiles

PODS_SHOWN = 12  # on the live board, so that it stays on one screen
BAR = 24  # characters of a pod that served everything


def live(progress: LoadProgress) -> RenderableType:
    """Draw the board of a run under way."""
    figures = progress.figures
    head = Table.grid(padding=(0, 2))
    head.add_row(
        "Buyers",
        ProgressBar(total=progress.planned_seconds, completed=progress.elapsed, width=30),
        f"{min(progress.elapsed, progress.planned_seconds):.0f}"
        f" of {progress.planned_seconds:.0f} s",
    )
    speed = (
        f"{progress.rate_now:,.0f} confirmed a second    "
        f"p50 {millis(figures.latency_ms.p50)}   p99 {millis(figures.latency_ms.p99)}"
    )
    counts = Text.assemble(
        f"{figures.sent:,} sent   {figures.confirmed:,} confirmed   {figures.rejected:,} rejected"
        "   ",
        (f"{figures.lost:,} lost", "bold red" if figures.lost else ""),
    )
    board: list[RenderableType] = [pods(figures.pods, most=PODS_SHOWN)] if figures.pods else []
    return Group(head, counts, Text(speed), *board)


def line(progress: LoadProgress) -> str:
    """Tell the same in one line, where there is no terminal to draw on."""
    figures = progress.figures
    return (
        f"{progress.elapsed:.0f} s: {figures.sent:,} sent, {figures.confirmed:,} confirmed,"
        f" {figures.rejected:,} rejected, {figures.lost:,} lost,"
        f" {progress.rate_now:,.0f} a second, p99 {millis(figures.latency_ms.p99)}"
    )


def summary(figures: Figures, verdict: str, notes: Sequence[str] = ()) -> RenderableType:
    """Draw the table of a finished run, the verdict on the shares, and what needs saying."""
    lines = [Text(text) for text in (verdict, *notes) if text]
    board: list[RenderableType] = [pods(figures.pods), Text()] if figures.pods else []
    return Group(totals(figures), Text(), *board, *lines)


def totals(figures: Figures) -> Table:
    """Draw what became of the purchases, and how long buyers waited."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold")
    table.add_column(justify="right")
    table.add_column()
    sent = f"{figures.rate:,.1f} a second, {figures.seconds:.1f} s in all"
    table.add_row("sent", f"{figures.sent:,}", sent + late(figures.late))
    table.add_row("confirmed", f"{figures.confirmed:,}", share(figures.confirmed, figures.sent))
    refusals = {f"HTTP {code}": n for code, n in figures.statuses.items() if code != 200}
    table.add_row("rejected", f"{figures.rejected:,}", listed(refusals))
    style = "red" if figures.lost else ""
    table.add_row("lost", f"{figures.lost:,}", listed(figures.errors), style=style)
    if figures.unsent:
        table.add_row("not sent", f"{figures.unsent:,}", listed(figures.generator.unsent))
    table.add_row("latency", "", latency(figures.latency_ms))
    return table


def pods(counts: Mapping[str, int], *, most: int | None = None) -> Table:
    """Draw each pod's share, the largest first."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="")
    for name, justify in (("POD", "left"), ("CONFIRMED", "right"), ("SHARE", "right")):
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("", max_width=BAR)  # in a narrow terminal bars give way to numbers
    total = sum(counts.values())
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for name, count in ranked[:most]:
        table.add_row(
            Text(printable(name)), f"{count:,}", share(count, total), Bar(total, 0, count)
        )
    if most is not None and len(ranked) > most:
        rest = sum(count for _, count in ranked[most:])
        table.add_row(f"and {len(ranked) - most} more", f"{rest:,}", share(rest, total), "")
    return table


def share(count: int, total: int) -> str:
    """Write a share; only all is 100 % and only nothing is 0 %."""
    if not total:
        return ""
    percent = 100 * count / total
    if 0 < count < total:
        percent = min(max(percent, 0.01), 99.99)
    digits = 2 if percent % 100 and not 1 <= percent <= 99 else 1 if percent % 100 else 0
    return f"{percent:.{digits}f} %"


def millis(milliseconds: float) -> str:
    """Write a duration so that three figures or so are left of it; of nothing yet, a dash."""
    if not milliseconds:
        return "-"
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.2f} s"
    return f"{milliseconds:.{2 if milliseconds < 10 else 0}f} ms"


def latency(figures: Quantiles) -> str:
    """Write the percentiles in one line; there are none without an answer."""
    if not figures.max:
        return "no complete answer"
    return "   ".join(
        f"{name} {millis(figure)}"
        for name, figure in (
            ("p50", figures.p50),
            ("p90", figures.p90),
            ("p99", figures.p99),
            ("max", figures.max),
        )
    )


def late(count: int) -> str:
    """Write how many purchases started late, if any did."""
    return f", {count:,} started late" if count else ""


def listed(counts: Mapping[str, int]) -> str:
    """Write counts with their names: `reset 3, timeout 1`."""
    return ", ".join(f"{name} {count:,}" for name, count in counts.items() if count)
