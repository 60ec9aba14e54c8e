"""What people read of a drill: the plan, lines meanwhile, the result. State in, text out.

The result is made from the drill's JSON document alone (``drill.report.drill_document``).
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from flashsale.base.text import UNKNOWN, begin_sentence, counted, milliseconds, seconds
from flashsale.drill.report.compare import write_figure
from flashsale.drill.scenario import (
    Calm,
    DrillStep,
    Kill,
    KillNode,
    Scale,
    Scenario,
    shortest_seconds,
)
from flashsale.ui import figures
from flashsale.ui.console import filled
from flashsale.ui.kubectl_tables import aligned
from flashsale.ui.load import totals
from flashsale.ui.watch.pod_table import suffix

if TYPE_CHECKING:
    from flashsale.drill.result import LogEntry

STYLES = {"kill": "red", "skipped": "magenta", "accident": "magenta", "ready": "green"}
VERDICTS = {"pass": "bold green", "fail": "bold red", "inconclusive": "bold magenta"}
BULLET = "· "
PHASES = ["PHASE", "PODS", "SECONDS", "CONFIRMED/S", "P50", "P99", "LOST", "CPU"]
HEALINGS = ["KILL", "VICTIM", "REPLACEMENT", "CREATED", "STARTED", "READY", "FIRST SALE", "GONE"]
PODS = ["POD", "CONFIRMED", "SHARE", "IN STABLE SECONDS", "FAIR SHARE"]
STEPS = ("created", "started", "ready", "served", "gone")
Document = Mapping[str, Any]
Name = Callable[[str], str]  # writes a pod's name


def plan_view(scenario: Scenario, plan: Sequence[DrillStep], replicas: int, context: str) -> str:
    """Write what a drill is going to do, before it does anything."""
    lines = [
        f"Drill on '{context}', {counted(replicas, 'pod')}: {scenario.rate:g} purchases a second"
        f" all the time, at least {shortest_seconds(tuple(plan)):.0f} s and the time to heal.",
        *(f"  {number}. {line}" for number, line in enumerate(_steps(scenario, plan), 1)),
    ]
    return "\n".join(lines)


def _steps(scenario: Scenario, plan: Sequence[DrillStep]) -> Iterable[str]:
    """Write the steps in lines; all kills are one."""
    for step in plan:
        if isinstance(step, Calm):
            yield f"{step.seconds:g} s of load alone"
        elif isinstance(step, Scale):
            yield f"scale from {step.before} to {step.after}, wait until all is whole"
        elif isinstance(step, Kill) and step.number == 1:
            yield _kills(scenario)
        elif isinstance(step, KillNode):
            yield (
                f"kill a node (its pods leave it after {step.wait:g} s), wait until they are"
                " replaced, start it again"
            )


def _kills(scenario: Scenario) -> str:
    times = "once" if scenario.kills == 1 else f"{scenario.kills} times"
    pause = f", {scenario.every:g} s apart at least" if scenario.kills > 1 else ""
    return (
        f"{times}: the drill {scenario.kill_description} (seed {scenario.seed}), and waits until"
        f" all is whole{pause}; {counted(scenario.keep_ready, 'ready pod')} or more must be left"
    )


def entry_line(seconds: float, entry: LogEntry, width: int | None = None) -> Text:
    """Write one thing that happened, with its second of the run; ``width`` as in ``summary``."""
    line = f"{max(0.0, seconds):7.2f} s  {entry.text}"
    return Text(filled(line, width), STYLES.get(entry.kind, ""))


def drill_summary(drill: Document, width: int | None = None) -> RenderableType:
    """Write the verdict, the figures behind it, and what they mean.

    Args:
        width: of the terminal, in characters; None leaves every sentence on one line. In a terminal
            the verdict stands last as well, because all else has scrolled past by then.
    """
    texts = [phases_table(drill)] if drill["phases"] else []
    if drill["healings"]:
        texts.append(healings_table(drill, width))
    if drill["load"]["pods"]:
        texts.append(pod_sales_table(drill))
    if deaths := death_lines(drill):
        texts.append("\n".join(filled(line, width) for line in deaths))
    texts.append(bullets(drill["findings"], width))
    if drill["verdict"] != "pass" and any(kill["pod"] for kill in drill["kills"]):
        texts.append(
            f"The same pods again: {drill.get('command') or repeat_command(drill['scenario'])}"
        )
    return Group(
        verdict_line(drill),
        Text(),
        totals(drill["load"]),
        *(Text(f"\n{text}", no_wrap=True, overflow="ignore") for text in texts),
        *([Text(), verdict_line(drill)] if width else []),
    )


def death_lines(drill: Document) -> list[str]:
    """Write what each node's death cost, and the node's times where they are not Kubernetes'."""
    lines = [_death_line(death) for death in drill.get("node_deaths") or []]
    timing = drill["environment"].get("node_timing") if lines else ""
    return [*lines, f"{begin_sentence(timing)}."] if timing else lines


def pods_of_dead_nodes(drill: Document) -> set[str]:
    """Name the pods that died with a node which the drill killed."""
    return {pod for death in drill.get("node_deaths") or [] for pod in death["pods"]}


def _death_line(death: Document) -> str:
    """Write what a node's death cost, in one sentence."""
    steps = (
        ("not ready after", death["not_ready_seconds"]),
        ("its pods replaced after", death["replaced_seconds"]),
        ("back after", death["back_seconds"]),
    )
    split = ", ".join(f"{words} {value:.1f} s" for words, value in steps if value is not None)
    return (
        f"The node {death['node']} died with {counted(len(death['pods']), 'pod')}: {split};"
        f" {counted(death['lost'], 'purchase')} lost by it."
    )


def repeat_command(scenario: Document) -> str:
    """Write the command that repeats a drill, with every option that it had."""
    grace, process = scenario["grace"], scenario["process"]
    method = "--process" if process else "--hard" if grace == 0 else f"--grace {grace}"
    words = [
        f"flashsale drill --rate {scenario['rate']:g} --kills {scenario['kills']}",
        f"--every {scenario['every']:g}s --scale {scenario['scale']}",
        *([method] if process or grace is not None else []),
        f"--calm {scenario['calm']:g}s",
        *(["--kill-node"] if scenario.get("kill_node") else []),
        *([f"--keep-ready {scenario['keep_ready']}"] if scenario["keep_ready"] != 1 else []),
        *([f"--max-lost {scenario['max_lost']}"] if scenario["max_lost"] else []),
        *([f"--timeout {scenario['timeout']:g}s"] if scenario.get("timeout", 120) != 120 else []),
        f"--seed {scenario['seed']}",
    ]
    return " ".join(words)


def verdict_line(drill: Document) -> Text:
    verdict = drill["verdict"]
    return Text.assemble((verdict.upper(), VERDICTS[verdict]), "  ", (drill["reason"], "bold"))


def bullets(sentences: Iterable[str], width: int | None) -> str:
    """Write sentences with hanging indents, filled to a width where there is one."""
    lines: list[str] = []
    for sentence in sentences:
        words = BULLET + sentence
        lines += textwrap.wrap(words, width, subsequent_indent="  ") if width else [words]
    return "\n".join(lines)


def phases_table(drill: Document) -> str:
    rows = [
        [
            phase["name"],
            str(phase["pods"]),
            f"{phase['ended_seconds'] - phase['began_seconds']:.1f}",
            figures.rate(phase["confirmed_rate"]),
            milliseconds(phase["p50_ms"]),
            milliseconds(phase["p99_ms"]),
            f"{phase['lost']:,}",
            figures.share(phase["cpu"]),
        ]
        for phase in drill["phases"]
    ]
    return aligned([PHASES, *rows])


def healings_table(drill: Document, width: int | None = None) -> str:
    """Write each death, what replaced it and how long each step took, and what it cost.

    Where that is too wide, of each name only the part that tells it apart is left.
    """
    whole = aligned(_healings(drill, str))
    if width is None or max(map(len, whole.splitlines())) <= width:
        return whole
    return aligned(_healings(drill, suffix), gap=2)


def _healings(drill: Document, name: Name) -> list[list[str]]:
    costs = {kill["number"]: kill["lost"] for kill in drill["kills"]}
    on_dead = pods_of_dead_nodes(drill)
    rows = [
        [
            str(healing["kill"] or ("node" if healing["victim"] in on_dead else UNKNOWN)),
            name(healing["victim"]),
            _replacement(healing, name),
            *(seconds(healing[f"{step}_seconds"]) for step in STEPS),
            str(costs.get(healing["kill"], "")),
        ]
        for healing in drill["healings"]
    ]
    return [[*HEALINGS, "LOST"], *rows]


def _replacement(healing: Document, name: Name) -> str:
    replacement = healing["replacement"]
    if replacement == healing["victim"]:
        return "itself"
    return name(replacement) if replacement else "<none>"


def pod_sales_table(drill: Document) -> str:
    """Write what each pod sold, and in the stable seconds beside its fair share."""
    counts = drill["load"]["pods"]
    stable = {pod["name"]: pod for pod in drill["pods"] if pod["fair"]}
    total = sum(counts.values())
    rows = [
        [
            pod,
            f"{count:,}",
            figures.share(count, total),
            figures.count(stable[pod]["stable"] if pod in stable else None),
            figures.count(stable[pod]["fair"] if pod in stable else None),
        ]
        for pod, count in sorted(counts.items(), key=lambda item: -item[1])
    ]
    return aligned([PODS, *rows])


def comparison_view(comparison: Document, a: str, b: str, width: int | None = None) -> str:
    """Write two drills side by side: what was different before, what came of it, every figure."""
    head = ["FIGURE", "A", "B", "DIFFERENCE", ""]
    rows = [
        [
            row["name"],
            write_figure(row["a"], row["unit"]),
            write_figure(row["b"], row["unit"]),
            difference(row),
            "matters" if row["matters"] else "",
        ]
        for row in comparison["rows"]
    ]
    names = "\n".join(
        f"{letter.upper()}  {name}  {comparison[letter]['verdict'].upper()}"
        for letter, name in (("a", a), ("b", b))
    )
    parts = [names, aligned([head, *rows]), bullets(comparison["findings"], width)]
    if comparison["differences"]:
        parts.insert(1, "Not the same drill:\n" + bullets(comparison["differences"], width))
    return "\n\n".join(parts)


def difference(row: Document) -> str:
    """Write by how much B differs from A."""
    change = row["difference"]
    if change is None:
        return UNKNOWN
    return ("+" if change > 0 else "") + write_figure(change, row["unit"]) if change else "0"
