"""Drills on a real embedded cluster, as people type them: losses, causes, and every way out."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import PATIENCE, Flashsale, opened_sale

SHORT = ("--calm", "1s", "--every", "1s", "--scale", "3")
SLOW = ("--rate", "20")  # where it does not matter how many buyers there are
# What crashes twice waits for ten seconds: each of three pods is killed once.
FIRST_AND_SECOND, THIRD = ("--seed", "4"), ("--seed", "5")
FIT = 4  # pods on the node: a fifth one never starts


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """A sale with quick probes and no preStop sleep, whose processes take a moment to start."""
    program = Flashsale(tmp_path_factory.mktemp("drill") / "home")
    share = f'"{1000 * (os.cpu_count() or 1) // FIT}m"'
    manifest = program.lean_manifest(0.3, **{'"100m"': share, '"500m"': share})
    with opened_sale(program, manifest) as sale:
        yield sale


def replicas(sale: Flashsale) -> int:
    """How many pods the ReplicaSet is to keep."""
    return int(sale("status", "-o", "json").json["replicaset"]["desired"])


def test_crashes_cost_purchases_and_are_named(sale: Flashsale, tmp_path: Path) -> None:
    """More than none, nearly all explained, exit 7; page and document are written all the same."""
    files = [tmp_path / "drill.html", tmp_path / "drill.json"]
    reports = [word for file in files for word in ("--report", str(file))]
    words = ["--process", "--rate", "150", "--kills", "2", *FIRST_AND_SECOND, *SHORT, *reports]
    done = sale("drill", *words)
    document = json.loads(files[1].read_text())
    lost, losses = document["load"]["lost"], document["losses"]
    assert done.code == 7
    assert lost == len(losses) > 0
    assert f"Error: {lost:,} purchases were lost; 0 may be." in done.err
    assert "Hint: flashsale drill  # kills gracefully" in done.err
    victims = {kill["pod"] for kill in document["kills"]}
    assert len([loss_row for loss_row in losses if loss_row["blamed_on"] in victims]) >= 0.95 * lost
    assert (
        document["attribution"]["covered"] < 0.9
    )  # windows that cover everything would explain anything
    assert done.out.startswith(f"FAIL  {lost:,} of ")
    assert f"{lost:,} of {document['load']['sent']:,} purchases lost" in files[0].read_text()
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["drill.html", "drill.json"]


def test_killed_processes_cost_purchases_until_that_is_noticed(sale: Flashsale) -> None:
    """The same pods come back; --max-lost lets it pass."""
    words = ["--process", "--rate", "150", "--kills", "1", *THIRD, *SHORT]
    words += ["--max-lost", "10000"]
    done = sale("drill", *words, "-o", "json")
    document = done.json
    assert (done.code, document["verdict"]) == (0, "pass")
    assert document["load"]["lost"] == len(document["losses"]) > 0
    assert {loss_row["cause"] for loss_row in document["losses"]} <= {"kill 1", None}
    explained = [loss_row for loss_row in document["losses"] if loss_row["cause"]]
    assert len(explained) >= 0.95 * len(document["losses"])
    assert [(healing["victim"], healing["cause"]) for healing in document["healings"]] == [
        (kill["pod"], "crashed") for kill in document["kills"]
    ]


def test_the_same_seed_kills_the_same_pod(sale: Flashsale) -> None:
    """And it kills the one that `kill-pod` would."""
    first = sale("kill-pod", "--seed", "5", "--dry-run").out.split()[0]
    words = ["--seed", "5", "--kills", "1", *SHORT, "--max-lost", "1000", "-o", "json"]
    assert sale("drill", *words, *SLOW).json["kills"][0]["pod"] == first


def test_a_dry_run_prints_the_plan_and_does_nothing(sale: Flashsale) -> None:
    """Neither load nor kills, and the pods are the same."""
    before = sale("status", "-o", "json").json["pods"]
    done = sale("drill", "--dry-run", "--seed", "9", "--kills", "2")
    assert (done.code, done.err) == (0, "")
    assert "2 times: the drill deletes a pod" in done.out
    assert "(seed 9)" in done.out
    names = [pod["name"] for pod in sale("status", "-o", "json").json["pods"]]
    assert names == [pod["name"] for pod in before]
    plan = sale("drill", "--dry-run", "-o", "json").json["plan"]
    assert [step["do"] for step in plan] == [
        "calm",
        "scale",
        "calm",
        *["kill"] * 3,
        "scale",
        "calm",
    ]


def test_a_drill_that_can_kill_nobody_is_refused(sale: Flashsale) -> None:
    """Before any load, with a command that can."""
    done = sale("drill", "--keep-ready", "3", "--kills", "2", *SHORT)
    assert (done.code, done.out) == (2, "")
    assert "No kill is possible with 3 pods: it would leave fewer than 3 ready pods" in done.err
    assert "Hint: flashsale drill --scale 4 --keep-ready 3" in done.err


def test_a_report_that_cannot_be_written_is_refused_before_the_drill(
    sale: Flashsale, tmp_path: Path
) -> None:
    """Its folder is missing, or it is of no known kind."""
    for file in (tmp_path / "nowhere" / "a.html", tmp_path / "a.txt", tmp_path):
        done = sale("drill", "--report", str(file), *SHORT)
        assert (done.code, done.out) == (2, "")
        assert str(file) in done.err
    assert list(tmp_path.iterdir()) == []


def test_kills_that_are_all_skipped_show_nothing(sale: Flashsale) -> None:
    """A third pod is gone by then, and never comes back: INCONCLUSIVE, exit 1, with the reason."""
    words = ["--keep-ready", "2", "--timeout", "2s", "--kills", "1", "--scale", "3", *SLOW]
    running = sale.start("drill", "--calm", "3s", *words, "-o", "json")
    wait_for_line(running, r"Warming up")
    assert sale("scale", "2", "--no-wait").code == 0
    out, err = running.communicate(timeout=PATIENCE)
    assert sale("scale", "3").code == 0
    document = json.loads(out)
    assert (running.returncode, document["verdict"], document["healings"]) == (
        1,
        "inconclusive",
        [],
    )
    assert document["reason"].startswith("The only kill was skipped: it would leave fewer than 2")
    assert f"Error: {document['reason']}" in err


def test_a_drill_that_cannot_go_on_puts_the_replicas_back(sale: Flashsale) -> None:
    """Exit 1 with the reason, the summary so far, and three pods wanted as before."""
    assert sale("scale", "3").code == 0  # nothing of an earlier drill is still under way
    words = ["--timeout", "2s", "--calm", "1s", "--scale", str(FIT + 1), "--kills", "1"]
    done = sale("drill", *words, *SLOW)
    assert done.code == 1
    assert done.out.startswith("INCONCLUSIVE  The drill ended early: ")
    assert "Back to 3 replicas" in done.err
    assert replicas(sale) == 3


@pytest.mark.parametrize(
    ("sign", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=["Ctrl-C", "SIGTERM", "closed terminal"],
)
def test_whoever_stops_a_drill_finds_the_sale_as_it_was(
    sale: Flashsale, sign: signal.Signals, code: int
) -> None:
    """In the middle of a scaling: sending ends, the replicas are put back."""
    running = sale.start("drill", "--calm", "500ms", "--scale", "4", "--kills", "1", *SLOW)
    assert running.stderr
    wait_for_line(running, r"Scaling from 3 to 4")
    running.send_signal(sign)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == code
    assert "Back to 3 replicas, as before" in err
    assert "Traceback" not in err
    assert out.startswith("INCONCLUSIVE  The drill was stopped") == (sign == signal.SIGINT)
    assert replicas(sale) == 3


def test_a_drill_that_still_waits_for_pods_can_be_stopped(sale: Flashsale) -> None:
    """It says what it waits for, and ends at the first Ctrl-C."""
    assert sale("scale", str(FIT + 1), "--no-wait").code == 0
    running = sale.start("drill")
    wait_for_line(running, r"waiting until the sale is whole")
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=PATIENCE)
    assert sale("scale", "3").code == 0
    assert running.returncode == 130
    assert out.startswith("INCONCLUSIVE  The drill was stopped before its first purchase.")


def test_what_somebody_else_wanted_meanwhile_is_left_alone(sale: Flashsale) -> None:
    """A drill puts back its own scaling only."""
    words = ["--calm", "500ms", "--scale", "4", "--kills", "1", "--every", "9s", *SLOW]
    running = sale.start("drill", *words)
    wait_for_line(running, r"4 pods ready")
    assert sale("scale", "2", "--no-wait").code == 0
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "Back to" not in err
    assert replicas(sale) == 2
    assert sale("scale", "3").code == 0


def wait_for_line(running: subprocess.Popen[str], pattern: str) -> None:
    """Read a program's stderr until it has written something."""
    assert running.stderr
    for _ in range(200):
        ready, _, _ = select.select([running.stderr], [], [], PATIENCE)
        line = running.stderr.readline() if ready else ""
        assert line, f"it never wrote {pattern}"
        if re.search(pattern, line):
            return
    raise AssertionError(f"it never wrote {pattern}")
