"""Drills on a real embedded cluster, as people type them: losses, blame, and every way out."""

from __future__ import annotations

import json
import re
import select
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import PATIENCE, Flashsale

SHORT = ("--calm", "1s", "--every", "1s", "--scale", "3")


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """A sale with quick probes and no preStop sleep, as the exercise's page has it."""
    program = Flashsale(tmp_path_factory.mktemp("drill") / "home")
    opened = program("up", "--manifest", str(program.quick_manifest()))
    assert opened.code == 0, opened.err
    yield program
    program.stop_cluster()


def replicas(sale: Flashsale) -> int:
    """How many pods the ReplicaSet is to keep."""
    return int(sale("status", "-o", "json").json["replicaset"]["desired"])


def test_hard_kills_cost_purchases_and_are_blamed(sale: Flashsale, tmp_path: Path) -> None:
    """More than none, nearly all explained, exit 7; page and document are written all the same."""
    files = [tmp_path / "drill.html", tmp_path / "drill.json"]
    reports = [word for file in files for word in ("--report", str(file))]
    words = ["--hard", "--rate", "400", "--kills", "4", *SHORT, *reports]
    done = sale("drill", *words)
    told = json.loads(files[1].read_text())
    lost, losses = told["load"]["lost"], told["losses"]
    assert done.code == 7
    assert lost == len(losses) > 0
    assert f"Error: {lost} purchases were lost; 0 may be." in done.err
    victims = {kill["pod"] for kill in told["kills"]}
    assert len([one for one in losses if one["blamed_on"] in victims]) >= 0.95 * lost
    assert told["blame"]["covered"] < 0.9  # windows that cover everything would explain anything
    assert done.out.startswith(f"FAIL  {lost} of ")
    assert f"{lost} of {told['load']['sent']:,} purchases lost" in files[0].read_text()
    assert [file.name for file in sorted(tmp_path.iterdir())] == ["drill.html", "drill.json"]


def test_killed_processes_cost_purchases_until_that_is_noticed(sale: Flashsale) -> None:
    """The same pods come back; --max-lost lets it pass."""
    words = ["--process", "--rate", "150", "--kills", "2", *SHORT, "--max-lost", "10000"]
    done = sale("drill", *words, "-o", "json")
    told = done.json
    assert (done.code, told["verdict"]) == (0, "pass")
    assert told["load"]["lost"] == len(told["losses"]) > 0
    assert {one["cause"] for one in told["losses"]} <= {"kill 1", "kill 2", None}
    explained = [one for one in told["losses"] if one["cause"]]
    assert len(explained) >= 0.95 * len(told["losses"])
    assert [(one["victim"], one["cause"]) for one in told["healings"]] == [
        (kill["pod"], "crashed") for kill in told["kills"]
    ]


def test_the_same_seed_kills_the_same_pod(sale: Flashsale) -> None:
    """And it kills the one that `kill-pod` would."""
    first = sale("kill-pod", "--seed", "5", "--dry-run").out.split()[0]
    words = ["--seed", "5", "--kills", "1", *SHORT, "--max-lost", "1000", "-o", "json"]
    assert sale("drill", *words).json["kills"][0]["pod"] == first


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


def test_a_floor_of_ready_pods_is_kept(sale: Flashsale) -> None:
    """A kill that would go below is skipped, and says why; the drill still ends well."""
    plan = sale("drill", "--dry-run", "--keep-ready", "3", "--kills", "2", *SHORT).out
    assert "2 kills, each skipped: it would leave fewer than 3 ready pods" in plan
    done = sale("drill", "--keep-ready", "3", "--kills", "2", *SHORT, "-o", "json")
    told = done.json
    assert (done.code, told["verdict"], told["healings"]) == (0, "pass", [])
    assert [kill["skipped"] for kill in told["kills"]] == [
        "it would leave fewer than 3 ready pods"
    ] * 2
    assert "kill 1 of 2 skipped: it would leave fewer than 3 ready pods" in done.err


def test_a_drill_that_cannot_go_on_puts_the_replicas_back(sale: Flashsale) -> None:
    """Exit 5 with the reason, the summary so far, and three pods wanted as before."""
    assert sale("scale", "3").code == 0  # nothing of an earlier drill is still under way
    words = ["--timeout", "800ms", "--calm", "1s", "--scale", "12", "--kills", "1"]
    done = sale("drill", *words)
    assert done.code == 5
    assert done.out.startswith("FAIL  0 of ")
    assert "The drill ended early:" in done.out
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
    running = sale.start("drill", "--calm", "500ms", "--scale", "4", "--kills", "1")
    assert running.stderr
    said_until(running, r"Scaling from 3 to 4")
    running.send_signal(sign)
    out, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == code
    assert "Back to 3 replicas, as before" in err
    assert "Traceback" not in err
    assert out.startswith("STOPPED  0 of ") == (sign == signal.SIGINT)
    assert replicas(sale) == 3


def test_a_drill_that_still_waits_for_pods_can_be_stopped(flashsale: Flashsale) -> None:
    """It says what it waits for, and ends at the first Ctrl-C."""
    assert flashsale("up", "--no-wait").code == 0  # ready after five seconds
    running = flashsale.start("drill")
    said_until(running, r"waiting until the sale is whole")
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert out.startswith("STOPPED  No purchase was sent.")


def test_what_somebody_else_wanted_meanwhile_is_left_alone(sale: Flashsale) -> None:
    """A drill puts back its own scaling only."""
    running = sale.start(
        "drill", "--calm", "500ms", "--scale", "4", "--kills", "1", "--every", "9s"
    )
    said_until(running, r"4 pods ready")
    assert sale("scale", "2", "--no-wait").code == 0
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=PATIENCE)
    assert running.returncode == 130
    assert "Back to" not in err
    assert replicas(sale) == 2
    assert sale("scale", "3").code == 0


def said_until(running: subprocess.Popen[str], pattern: str) -> None:
    """Read a program's stderr until it has said something."""
    assert running.stderr
    for _ in range(200):
        ready, _, _ = select.select([running.stderr], [], [], PATIENCE)
        line = running.stderr.readline() if ready else ""
        assert line, f"it never said {pattern}"
        if re.search(pattern, line):
            return
    raise AssertionError(f"it never said {pattern}")
