"""What a terminal shows of a drill: the plan, the picture, the lines, the result."""

from __future__ import annotations

import io
import time
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from flashsale.drill.analysis.verdict import analyse
from flashsale.drill.report.compare import compare
from flashsale.drill.report.drill_document import build_drill_document
from flashsale.drill.result import LogEntry, SkippedKill
from flashsale.drill.runner import DrillProgress
from flashsale.drill.scenario import Scenario, plan_steps
from flashsale.load.results import Figures, LoadProgress
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.observe.healing import Healing
from flashsale.sale.observe.observations import Synced
from flashsale.ui.drill import sentences as views
from flashsale.ui.drill.live import LiveDrill, PlainDrill, picture
from flashsale.ui.load import line
from flashsale.ui.watch.view_model import Board, Now, Place
from tests.drill.drill_results import START, drill_result, loss
from tests.drill.report.test_drill_document import USUAL, written
from tests.sale.observe.replay import updates
from tests.sale.observe.test_healing_cases import THREE, born, killed
from tests.ui.watch.view_models import fold

NOTHING = Board(Place("minikube", "default"))


def drawn(renderable: Any, width: int = 100) -> str:
    """The plain text of it."""
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(renderable, crop=False)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def under_way(elapsed: float = 7.0) -> DrillProgress:
    """A drill in its seventh second."""
    figures = drill_result(losses=[loss(1.0)]).report.figures
    return DrillProgress("Kill 1 of 3: waiting", LoadProgress(elapsed, 60.0, 90.0, figures), 1, 3)


def test_the_plan_names_every_step_and_the_seed() -> None:
    """So that it can be repeated, and nobody is surprised."""
    scenario = Scenario(kills=3, every=8.0, seed=42, kill_method=KillMethod(grace=0))
    text = views.plan_view(scenario, plan_steps(scenario, 3), 3, "minikube")
    assert text.splitlines() == [
        "Drill on 'minikube', 3 pods: 100 purchases a second all the time, at least 31 s and the"
        " time to heal.",
        "  1. 5 s of load alone",
        "  2. scale from 3 to 5, wait until all is whole",
        "  3. 5 s of load alone",
        "  4. 3 times: the drill deletes a pod at once, without a grace period (seed 42), and waits"
        " until all is whole, 8 s apart at least; 1 ready pod or more must be left",
        "  5. scale from 5 to 3, wait until all is whole",
        "  6. 5 s of load alone",
    ]


def test_the_result_begins_with_the_verdict() -> None:
    """Then purchases, phases, deaths with their prices, shares, sentences."""
    made = drill_result(**USUAL, losses=[loss(10.5), loss(10.6)])
    lines = drawn(views.drill_summary(build_drill_document(made, analyse(made)))).splitlines()
    assert lines[0] == "FAIL  2 of 5,402 purchases lost in 1 kill and 1 scaling."
    row = next(line for line in lines if line.startswith("1 "))
    assert row.split() == [
        "1",
        "a",
        "x",
        *["0.01", "s", "0.10", "s", "5.0", "s", "5.2", "s", "6.0", "s", "2"],
    ]
    assert any(line.startswith("before ") for line in lines)
    assert lines[-1] == (
        "The same pods again: flashsale drill --rate 90 --kills 3 --every 8s --scale 5 --calm 5s"
        " --seed 0"
    )


def test_a_drill_that_was_stopped_is_neither_pass_nor_fail() -> None:
    """It says how far it got."""
    made = drill_result(**USUAL, ended="interrupted", skipped=[SkippedKill(2, START, "no pod")])
    assert drawn(views.drill_summary(build_drill_document(made, analyse(made)))).startswith(
        "INCONCLUSIVE  The drill was stopped before its end."
    )


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (Scenario(kill_method=KillMethod(grace=0), keep_ready=2), ["--hard", "--keep-ready 2"]),
        (Scenario(kill_method=KillMethod(process=True), max_lost=9), ["--process", "--max-lost 9"]),
        (Scenario(kill_method=KillMethod(grace=7), rate=0.5), ["--grace 7", "--rate 0.5"]),
        (Scenario(calm=1.5, seed=5, kills=0), ["--calm 1.5s", "--seed 5", "--kills 0"]),
    ],
)
def test_the_command_that_repeats_a_drill_has_all_its_options(
    scenario: Scenario, words: list[str]
) -> None:
    """So the same pods die in the same way."""
    command = views.repeat_command(written(scenario=scenario)["scenario"])
    assert all(word in command for word in words)


def test_in_a_terminal_the_verdict_stands_last_as_well() -> None:
    """All else has scrolled past by then; a pipe is read from its beginning."""
    document = written(losses=[loss(10.5)])
    lines = drawn(views.drill_summary(document, 100)).splitlines()
    assert lines[0] == lines[-1] == "FAIL  1 of 5,401 purchases lost in 1 kill and 1 scaling."
    assert sum("FAIL" in line for line in drawn(views.drill_summary(document)).splitlines()) == 1


def test_sentences_fit_a_terminal_and_stay_whole_in_a_pipe() -> None:
    """Filled with hanging indents, or one a line."""
    sentence = "word " * 30 + "end."
    narrow = views.bullets([sentence], 40)
    assert max(map(len, narrow.splitlines())) <= 40
    assert all(line.startswith("  ") for line in narrow.splitlines()[1:])
    assert views.bullets([sentence], None).count("\n") == 0


def test_every_table_fits_a_terminal_of_80_columns() -> None:
    """Of a pod's name the part that tells it apart is left; a pipe gets the whole."""
    usual = Healing("flashsale-rs-v266z", "a", "deleted", 0.0, "flashsale-rs-vswnf", "x")
    slow = replace(usual, created=0.1, started=9.0, ready=119.0, served=119.2, gone=30.0)
    made = drill_result(**USUAL | {"healings": [usual, slow]})
    narrow = drawn(views.drill_summary(build_drill_document(made, analyse(made)), 80), 80)
    assert max(map(len, narrow.splitlines())) <= 80
    assert "v266z" in narrow
    assert "flashsale-rs-v266z" not in narrow
    whole = drawn(views.drill_summary(build_drill_document(made, analyse(made))), 200)
    assert "flashsale-rs-v266z   flashsale-rs-vswnf   0.10 s" in whole


def test_what_happens_breaks_at_words_below_its_text() -> None:
    """Not in the middle of a pod's name."""
    entry = LogEntry(0.0, "ready", "flashsale-rs-vswnf replaces flashsale-rs-v266z")
    assert views.entry_line(3.19, entry, 40).plain.splitlines() == [
        "   3.19 s  flashsale-rs-vswnf replaces",
        "           flashsale-rs-v266z",
    ]


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 6)])
def test_the_picture_is_never_larger_than_the_screen(size: tuple[int, int]) -> None:
    """However low and narrow it is."""
    board = fold(NOTHING, [*THREE, Synced(0.0), killed(1.0, "a"), born(1.1, "x")])
    text = drawn(picture(under_way(), board, size, Now(2.0, time.time())), size[0])
    assert len(text.splitlines()) <= size[1]
    assert max(map(len, text.splitlines())) <= size[0]


def test_the_picture_tells_step_buyers_pods_and_healing() -> None:
    """All that is needed to see it heal."""
    board = fold(NOTHING, [*THREE, Synced(0.0), killed(1.0, "a"), born(1.1, "x")])
    text = drawn(picture(under_way(), board, (100, 30), Now(2.0, time.time())))
    assert "Kill 1 of 3: waiting" in text
    assert "90 purchases/s" in text
    assert "1 lost" in text
    assert "replaces a, 1.0 s" in text
    assert "VICTIM" in text


def test_waiting_times_are_not_known_before_anybody_was_served() -> None:
    """A dash, not 0.00 ms."""
    nobody = DrillProgress("Warming up", LoadProgress(0.2, 60.0, 0.0, Figures(sent=3)), 0, 1)
    board = Board(Place("minikube", "default"))
    text = drawn(picture(nobody, board, (80, 24), Now(2.0, time.time())))
    assert "p50 -   p99 -" in text
    assert "p99 -\n" in drawn(line(nobody.load))


def test_without_a_terminal_there_are_lines_with_seconds() -> None:
    """Each thing as it happens, and the load every five seconds."""
    console = Console(file=io.StringIO(), width=100, highlight=False)
    shown = PlainDrill(console).observers
    shown.on_progress(under_way(4.9))
    shown.on_log(LogEntry(time.monotonic(), "kill", "kill 1 of 3: a", "a"))
    for elapsed in (5.1, 5.4, 9.9, 10.1):
        shown.on_progress(under_way(elapsed))
    assert isinstance(console.file, io.StringIO)
    first, *loads = console.file.getvalue().splitlines()
    assert first == "   4.90 s  kill 1 of 3: a"
    assert [line.split(":")[0].strip() for line in loads] == ["5 s", "10 s"]


def test_on_a_terminal_lines_stay_and_the_picture_goes() -> None:
    """What remains can be read again; the cursor is there again."""
    console = Console(file=io.StringIO(), width=100, height=30, force_terminal=True)
    with LiveDrill(console, "minikube", "default", "http://x") as live:
        live.observers.on_update(next(updates([THREE[0]])))
        live.observers.on_progress(under_way())
        live.observers.on_log(LogEntry(time.monotonic(), "note", "something happened"))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert "something happened" in text
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")


def test_two_drills_side_by_side() -> None:
    """Differences in what was done, the table, what matters."""
    a, b = written(), written(losses=[loss(10.1 + n / 100) for n in range(9)], replicas=4)
    text = views.comparison_view(compare(a, b), "a.json", "b.json")
    assert "Not the same drill:\n· The number of replicas differs: 3 in A, 4 in B." in text
    row = next(line for line in text.splitlines() if line.startswith("lost "))
    assert row.split() == ["lost", "0", "9", "+9", "matters"]
    assert "· The verdict on A is pass, on B fail." in text


def test_a_missing_figure_is_a_dash() -> None:
    """In every table."""
    text = views.phases_table(written())
    assert text.splitlines()[0].split() == [
        "PHASE", "PODS", "SECONDS", "CONFIRMED/S", "P50", "P99", "LOST", "CPU",
    ]  # fmt: skip
    assert text.splitlines()[1].split()[-1] == "-"
    assert views.phases_table(written(phases=[])).count("\n") == 0
