"""What people read of a drill: the plan, lines meanwhile, the result. State in, text out."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from flashsale.base.text import counted
from flashsale.drill.report.compare import Comparison, ComparisonRow, figure
from flashsale.drill.scenario import Calm, Kill, Scale, Scenario, Step, shortest
from flashsale.ui.console import filled
from flashsale.ui.kubectl_tables import aligned
from flashsale.ui.load import millis, share, totals
from flashsale.ui.watch.pod_table import suffix

if TYPE_CHECKING:
    from flashsale.drill.analysis.phases import Part
    from flashsale.drill.analysis.verdict import Analysis
    from flashsale.drill.result import DrillResult, LogEntry
    from flashsale.sale.observe.state import Healing

MISSING = "-"
STYLES = {"kill": "red", "skipped": "yellow", "accident": "yellow", "ready": "green"}
BULLET = "· "
Name = Callable[[str], str]  # writes a pod's name


def plan_view(scenario: Scenario, plan: Sequence[Step], replicas: int, context: str) -> str:
    """Write what a drill is going to do, before it does anything."""
    lines = [
        f"Drill on '{context}', {counted(replicas, 'pod')}: {scenario.rate:g} purchases a second"
        f" all the time, at least {shortest(tuple(plan)):.0f} s and the time to heal.",
        *(f"  {number}. {line}" for number, line in enumerate(_steps(scenario, plan), 1)),
    ]
    return "\n".join(lines)


def _steps(scenario: Scenario, plan: Sequence[Step]) -> Iterable[str]:
    """Write the steps in lines; all kills are one."""
    for step in plan:
        if isinstance(step, Calm):
            yield f"{step.seconds:g} s of load alone"
        elif isinstance(step, Scale):
            yield f"scale from {step.before} to {step.after}, wait until all is whole"
        elif step.number == 1:
            yield _skipped(step) if step.skipped else _kills(scenario)


def _kills(scenario: Scenario) -> str:
    times = "once" if scenario.kills == 1 else f"{scenario.kills} times"
    pause = f", {scenario.every:g} s apart at least" if scenario.kills > 1 else ""
    return (
        f"{times}: the drill {scenario.how} (seed {scenario.seed}), and waits until all is"
        f" whole{pause}; {counted(scenario.keep_ready, 'ready pod')} or more must be left"
    )


def _skipped(kill: Kill) -> str:
    each = "" if kill.total == 1 else "each "
    return f"{counted(kill.total, 'kill')}, {each}skipped: {kill.skipped}"


def entry_line(seconds: float, entry: LogEntry, width: int | None = None) -> Text:
    """Write one thing that happened, with its second of the run; ``width`` as in ``summary``."""
    line = f"{max(0.0, seconds):7.2f} s  {entry.text}"
    return Text(filled(line, width), STYLES.get(entry.kind, ""))


def summary(outcome: DrillResult, judged: Analysis, width: int | None = None) -> RenderableType:
    """Write the verdict, the figures behind it, and what they mean.

    Args:
        width: of the terminal, in characters; None leaves every sentence on one line.
    """
    passed = judged.verdict == "pass"
    word = "STOPPED" if outcome.ended == "interrupted" else judged.verdict.upper()
    style = "bold green" if passed else "bold red"
    texts = [phases_table(judged.parts)] if judged.parts else []
    if outcome.healings:
        texts.append(healings_table(outcome, judged, width))
    if outcome.report.figures.pods:
        texts.append(pods_table(outcome, judged))
    texts.append(bullets(judged.sentences, width))
    if not passed and outcome.struck:
        texts.append(f"The same pods again: flashsale drill {outcome.scenario.options}")
    return Group(
        Text.assemble(
            (word, style), "  ", (judged.headline, "bold"), no_wrap=True, overflow="ignore"
        ),
        Text(),
        totals(outcome.report.figures),
        *(Text(f"\n{text}", no_wrap=True, overflow="ignore") for text in texts),
    )


def bullets(sentences: Iterable[str], width: int | None) -> str:
    """Write sentences with hanging indents, filled to a width where there is one."""
    lines: list[str] = []
    for sentence in sentences:
        words = BULLET + sentence
        lines += textwrap.wrap(words, width, subsequent_indent="  ") if width else [words]
    return "\n".join(lines)


def phases_table(parts: Sequence[Part]) -> str:
    """Write throughput and waiting in each phase."""
    head = ["PHASE", "PODS", "SECONDS", "CONFIRMED/S", "P50", "P99", "LOST", "CPU"]
    rows = [
        [
            part.name,
            str(part.pods),
            f"{part.ended_seconds - part.began_seconds:.1f}",
            MISSING if part.confirmed_rate is None else f"{part.confirmed_rate:,.1f}",
            MISSING if part.p50_ms is None else millis(part.p50_ms),
            MISSING if part.p99_ms is None else millis(part.p99_ms),
            f"{part.lost:,}",
            MISSING if part.machine is None else f"{part.machine:.0%}",
        ]
        for part in parts
    ]
    return aligned([head, *rows])


def healings_table(outcome: DrillResult, judged: Analysis, width: int | None = None) -> str:
    """Write each death, what replaced it and how long each step took, and what it cost.

    Where that is too wide, of each name only the part that tells it apart is left.
    """
    whole = aligned(_healings(outcome, judged, str))
    if width is None or max(map(len, whole.splitlines())) <= width:
        return whole
    return aligned(_healings(outcome, judged, suffix), gap=2)


def _healings(outcome: DrillResult, judged: Analysis, name: Name) -> list[list[str]]:
    head = ["KILL", "VICTIM", "REPLACEMENT", "CREATED", "STARTED", "READY", "FIRST SALE", "GONE"]
    rows = []
    for healing in outcome.healings:
        kill = outcome.kill_of(healing)
        number = str(kill.number) if kill else MISSING
        lost = str(judged.costs[f"kill {kill.number}"]) if kill else ""
        rows.append([number, *_healing(healing, name), lost])
    return [[*head, "LOST"], *rows]


def _healing(one: Healing, name: Name) -> list[str]:
    moments = (one.created, one.started, one.ready, one.served, one.gone)
    by = "itself" if one.in_place else name(one.replacement) if one.replacement else "<none>"
    return [name(one.victim), by, *(_moment(one, moment) for moment in moments)]


def _moment(healing: Healing, moment: float | None) -> str:
    took = healing.seconds(moment)
    return MISSING if took is None else f"{took:.2f}s"


def pods_table(outcome: DrillResult, judged: Analysis) -> str:
    """Write what each pod sold, and in the quiet seconds beside its fair share."""
    fair, counts = judged.fairness, outcome.report.figures.pods
    total = sum(counts.values())
    rows = [
        [
            pod,
            f"{count:,}",
            share(count, total),
            f"{fair.got[pod]:,}" if pod in fair.got else MISSING,
            f"{fair.due[pod]:,.0f}" if pod in fair.due else MISSING,
        ]
        for pod, count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    return aligned([["POD", "CONFIRMED", "SHARE", "IN QUIET SECONDS", "FAIR SHARE"], *rows])


def comparison_view(found: Comparison, a: str, b: str, width: int | None = None) -> str:
    """Write two drills side by side: what was different before, what came of it, every figure."""
    head = ["FIGURE", "A", "B", "DIFFERENCE", ""]
    rows = [
        [
            row.name,
            figure(row.a, row.unit),
            figure(row.b, row.unit),
            _difference(row),
            "matters" if row.matters else "",
        ]
        for row in found.rows
    ]
    parts = [f"A  {a}\nB  {b}", aligned([head, *rows]), bullets(found.findings, width)]
    if found.differences:
        parts.insert(1, "Not the same drill:\n" + bullets(found.differences, width))
    return "\n\n".join(parts)


def _difference(row: ComparisonRow) -> str:
    if row.a is None or row.b is None:
        return MISSING
    sign = "+" if row.b > row.a else ""
    return "0" if row.a == row.b else sign + figure(row.b - row.a, row.unit)
