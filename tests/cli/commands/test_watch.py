"""`flashsale watch` as people and scripts run it, on an embedded cluster."""

from __future__ import annotations

import json
import os
import re
import signal
import termios
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from flashsale.ui.watch.screen import ENTER, LEAVE
from tests.command import Flashsale, opened_sale
from tests.terminal import SGR, Person, at_terminal


@pytest.fixture(scope="module")
def lively_sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """A sale of our own, for what these tests do to it."""
    program = Flashsale(tmp_path_factory.mktemp("lively") / "home")
    with opened_sale(program, program.lean_manifest()) as sale:
        yield sale


@pytest.fixture
def person(lively_sale: Flashsale) -> Iterator[Person]:
    """The view is open, on a terminal of 80 by 24."""
    with at_terminal(lively_sale, "watch") as somebody:
        somebody.sees("q quit", "● ", "live", "Running")
        yield somebody


def test_k_kills_a_pod_and_the_screen_tells_how_it_heals(person: Person) -> None:
    """One key, and the whole lesson is on the screen."""
    person.types("k")
    person.sees("killed", "VICTIM", "deleted", "gone after")
    person.types("q")
    assert person.leaves() == 0
    kept = person.seen.rpartition(LEAVE)[2]
    assert re.search(r"VICTIM .*\r\n +\w{5} +\w{5} +deleted", kept)


def test_plus_and_minus_scale(person: Person) -> None:
    """By one, up and down again."""
    person.types("+")
    person.sees("scaled to 4", "desired 4", "ready 4")
    person.types("-")
    person.sees("scaled to 3", "desired 3")
    person.types("q")
    assert person.leaves() == 0


def test_keys_in_one_burst_all_count(lively_sale: Flashsale, person: Person) -> None:
    """Typed ahead, without waiting for any answer: nothing is lost on the way down and up."""
    person.types("++")
    person.sees("scaled to 5", "ready 5")
    person.types("-----")
    person.sees("Scale to 0?")
    person.types("y")
    person.sees("scaled to 0", "desired 0")
    person.types("+++q")
    assert person.leaves() == 0
    assert lively_sale("scale", "3", "-o", "json").json["from"] == 3


def test_the_chosen_pod_is_the_one_that_is_described_and_killed(
    lively_sale: Flashsale, person: Person
) -> None:
    """An arrow key chooses it; `l` and `d` are about it as well."""
    first = lively_sale("status", "-o", "json").json["pods"][0]["name"]
    person.types("\x1b[H")
    person.sees("▸", "k kill it")
    person.types("d")
    person.sees("readiness", "GET /health on port 5000", "Events")
    person.types("\x1b")
    person.sees("k kill it")
    person.types("l")
    person.sees("Log of ", "Listening at")
    person.types("q")
    person.sees("k kill it")
    person.types("k")
    person.sees(f"{first} killed", "VICTIM")
    person.types("q")
    assert person.leaves() == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"]
)
def test_a_signal_gives_the_terminal_back(
    person: Person, number: signal.Signals, code: int
) -> None:
    """The old screen, the cursor, the settings; and the exit code says what it was."""
    person.program.send_signal(number)
    assert person.leaves() == code
    assert ENTER in person.seen
    assert "\x1b" not in SGR.sub("", person.seen.rpartition(LEAVE)[2])
    local = termios.tcgetattr(person.theirs)[3]
    assert local & termios.ICANON
    assert local & termios.ECHO


def test_a_script_gets_one_object_a_line(lively_sale: Flashsale) -> None:
    """What is there, what `kill-pod` does, and the healing with the same figures."""
    with lively_sale.start("watch", "-o", "json") as watching:
        assert watching.stdout is not None
        lines = map(json.loads, watching.stdout)
        first = list(islice(lines, 5))
        killed = lively_sale("kill-pod", "-o", "json").json[0]
        healed: dict[str, Any] = next(line for line in lines if line["type"] == "healed")
        watching.terminate()
    assert watching.returncode == 143
    assert {line["type"] for line in first} == {"stream", "pod", "replicaset"}
    assert (healed["victim"], healed["replacement"]) == (killed["victim"], killed["replacement"])
    for key in ("created_seconds", "started_seconds", "ready_seconds", "gone_seconds"):
        assert healed[key] == pytest.approx(killed[key], abs=0.2)


def test_a_pipe_gets_plain_lines(lively_sale: Flashsale) -> None:
    """No escape sequences, and every pod by name."""
    done = lively_sale("watch", "--for", "2s")
    assert done.code == 0
    assert "\x1b" not in done.out
    assert done.out.count("  added") == 0
    assert "stream live" in done.out
    assert "replicaset  desired 3  current 3  ready 3" in done.out


def test_once_prints_the_picture_and_ends(lively_sale: Flashsale) -> None:
    """For a slide, a log, or a look."""
    done = lively_sale("watch", "--once")
    assert done.code == 0
    assert "desired 3  current 3  ready 3" in done.out
    assert done.out.count("Running") == 3
    assert "\x1b" not in done.out


def test_a_pipe_gets_all_columns_and_no_blanks_at_the_ends(lively_sale: Flashsale) -> None:
    """Whatever a shell says about its terminal's width."""
    watched = lively_sale("watch", "--once", COLUMNS="40")
    assert "NODE" in watched.out
    assert "…" not in watched.out
    loaded = lively_sale("load", "--for", "500ms", "--rate", "20", COLUMNS="40")
    assert "CONFIRMED" in loaded.out
    assert "…" not in loaded.out
    ends = [line for line in (watched.out + loaded.out).splitlines() if line != line.rstrip()]
    assert not ends


def test_without_a_sale_it_says_so(flashsale: Flashsale) -> None:
    """Exit code 4, and nothing on stdout."""
    done = flashsale("watch", "--once")
    assert (done.code, done.out) == (4, "")


def test_a_dead_cluster_is_not_shown_as_alive_and_the_pods_absence_is_counted(
    lively_sale: Flashsale, person: Person
) -> None:
    """Since when nothing is known; afterwards how long the pods were away, not only how long the
    view has known of it; and a sale that somebody closed says so. The last test: none is left.
    """
    up = ("up", "--manifest", str(lively_sale.lean_manifest()))
    os.kill(lively_sale.cluster_pid(), signal.SIGKILL)
    person.sees("as of ", "reconnecting (5)")
    assert lively_sale(*up).code == 0
    person.sees("live", "re-synced", "in place; ready")
    rows = SGR.sub("", person.seen)
    away = [float(found) for found in re.findall(r"itself +crashed .*? s +(\d+\.\d\d) s", rows)]
    assert away
    assert min(away) > 1.5  # the pauses before the fifth try alone take longer
    assert lively_sale("down").code == 0
    person.sees("The sale was closed at ")
    person.types("q")
    assert person.leaves() == 0
