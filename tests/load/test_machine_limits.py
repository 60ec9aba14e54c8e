"""What this machine cannot do is the generator's own limit, never a lost purchase."""

from __future__ import annotations

import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flashsale.load.machine_limits import own_limits
from flashsale.load.results import Figures, Generator, Quantiles, WorkerFigures
from flashsale.load.totals import Ledger
from flashsale.load.worker.client import Client
from flashsale.load.worker.counts import Tally
from flashsale.load.worker.orders import LoadTarget
from flashsale.load.worker.sender import raise_file_limit, send

ROOT = Path(__file__).parents[2]


@pytest.fixture
def deaf() -> Iterator[LoadTarget]:
    """A port whose connections are made by the kernel and never answered."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1000)
        yield LoadTarget("127.0.0.1", listener.getsockname()[1], "127.0.0.1")


@contextmanager
def file_limit(limit: int) -> Iterator[None]:
    """Let this process open so many files at most, for a while."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def figures_of(tally: Tally) -> Figures:
    """Read a tally out."""
    ledger = Ledger()
    ledger.add(tally.take())
    return ledger.figures()


def stuck_clock() -> float:
    """It is always the run's second 5."""
    return 5.0


def client(target: LoadTarget, tally: Tally) -> Client:
    """Make a client with a clock that stands still."""
    return Client(target, tally, stuck_clock, keepalive=False, timeout=1)


def test_no_free_file_is_not_a_loss(deaf: LoadTarget) -> None:
    """Past the limit of open files purchases are unsent, and the limit is named with its cure."""
    tally = Tally()
    with client(deaf, tally) as client_under_test, socket.socket() as highest:
        with file_limit(highest.fileno() + 10):
            for number in range(30):
                client_under_test.buy(number, 5.0)
        figures = figures_of(tally)
    assert figures.lost == 0
    assert figures.generator.unsent == {"files": 30 - figures.sent}
    assert 0 < figures.sent <= 10
    assert "ulimit -n" in own_limits(figures)[0]


def test_a_schedule_left_behind_is_not_a_loss(deaf: LoadTarget) -> None:
    """Purchases over a second late are given up as unsent instead of skewing all that follow."""
    tally = Tally()
    arrivals = [(0, 1.0), (1, 3.9), (2, 4.5), (3, 5.0)]
    with client(deaf, tally) as client_under_test:
        send(arrivals, _Forgetful(client_under_test), tally, stuck_clock, lambda _: None)  # type: ignore[arg-type]
    figures = figures_of(tally)
    assert (figures.sent, figures.late) == (2, 1)
    assert figures.generator.unsent == {"behind": 2}
    assert "behind the schedule" in own_limits(figures)[0]


class _Forgetful:
    """A client that does not wait for the answers that will never come."""

    in_flight = 0
    stopped = False

    def __init__(self, client: Client) -> None:
        self.buy = client.buy
        self.wait = client.wait


def test_no_free_port_is_not_a_loss() -> None:
    """In a network of its own with four ephemeral ports, 30 buyers send four purchases."""
    command = ["unshare", "--map-root-user", "--net", sys.executable, "-m", "tests.load.few_ports"]
    try:
        ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        pytest.skip("needs unshare")
    if "unshare:" in ran.stderr or "Read-only" in ran.stderr:
        pytest.skip(f"this machine gives no network of its own: {ran.stderr.strip()}")
    assert ran.stdout.split() == ["sent=4", "lost=0", "ports=26"], ran.stderr


def test_the_file_limit_is_raised_as_far_as_allowed() -> None:
    """Every connection is a file, and the usual soft limit is far below the hard one."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with file_limit(256):
        raise_file_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == before[1]


def test_a_lag_is_reported_as_this_machines_own() -> None:
    """Starts that came late are said to be the generator's doing."""
    tally = Tally()
    for planned in range(50):
        tally.started(planned, planned + 0.1)
    assert "100 ms late" in own_limits(figures_of(tally))[0]


@pytest.mark.parametrize(
    ("busy", "waiting", "words"),
    [
        (0.93, 0.0, "From about 753 purchases a second on"),
        (0.2, 0.0, "Sending took 20% of a core at most, so"),
        (0.2, 0.6, "20% of a core at most and stood waiting for one 60% of the time, so"),
    ],
)
def test_a_lag_is_said_to_be_the_senders_or_others(busy: float, waiting: float, words: str) -> None:
    """A sender that was hardly busy was kept waiting; a busy one has reached its rate."""
    generator = Generator(busy=busy, waiting=waiting, lag_ms=Quantiles(1, 5, 50, 60))
    assert words in own_limits(Figures(sent=10_000, seconds=10, generator=generator))[1]


@pytest.mark.parametrize(
    ("busy", "mend", "why"),
    [
        (0.01, "Take a lower --rate.", "the sale's own pods, where they share a worker's node"),
        (0.05, "Take a lower --rate.", "20 workers share the node peer"),
        (0.9, "Take more --workers or a lower --rate.", "From about 778 purchases a second on"),
    ],
)
def test_more_workers_are_advised_where_they_would_help(busy: float, mend: str, why: str) -> None:
    """Where one has no core left of its own; not where many share the cores of a node."""
    workers = tuple(WorkerFigures(f"w-{n}", "peer", 50, 50, 0, 0, 0, 0.0) for n in range(20))
    generator = Generator(busy=busy, lag_ms=Quantiles(1, 5, 50, 60), unsent={"behind": 3})
    figures = Figures(sent=10_000, seconds=10, generator=generator, workers=workers)
    unsent, late, limit = own_limits(figures)
    assert "workers were over a second behind" in unsent
    assert late.endswith(mend)
    assert why in limit


@pytest.mark.skipif(sys.platform != "linux", reason="Linux alone tells")
def test_the_time_without_a_core_is_counted() -> None:
    """Two processes that both want the only core they may use: one of them always waits."""
    core = min(os.sched_getaffinity(0))
    code = (
        f"import os, time; os.sched_setaffinity(0, [{core}])\n"
        "from flashsale.load.worker.sender import waited\n"
        "while time.process_time() < 0.4: pass\n"
        "print(waited())"
    )
    command = [sys.executable, "-c", code]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    seconds = [float(one.communicate(timeout=60)[0]) for one in both]
    assert max(seconds) > 0.05
