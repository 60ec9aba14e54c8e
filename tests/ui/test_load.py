"""The views draw what they are given, whatever it is, on a terminal of 80 columns."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console, RenderableType

from flashsale.base.text import milliseconds
from flashsale.load.results import Figures, Generator, LoadProgress, Quantiles, WorkerFigures
from flashsale.ui.figures import share
from flashsale.ui.load import PODS_SHOWN, live, load_summary, pod_shares

FIGURES = Figures(
    sent=1500,
    confirmed=1480,
    rejected=12,
    seconds=30.2,
    rate=50,
    late=3,
    latency_ms=Quantiles(3.21, 4, 12, 2001),
    pods={"flashsale-rs-b": 480, "flashsale-rs-a": 500, "[red]c[/red]": 500},
    errors={"reset": 7, "timeout": 1},
    statuses={200: 1480, 503: 12},
    rejections={"HTTP 503": 12},
    generator=Generator(unsent={"ports": 4}),
)


def document(figures: Figures, shares: str = "", *notes: str) -> dict[str, Any]:
    """Write figures as `load -o json` does."""
    return {**figures.to_json(), "shares": {"text": shares}, "notes": list(notes)}


def drawn(view: RenderableType, width: int = 80) -> str:
    """Draw on a plain page."""
    console = Console(width=width, no_color=True, force_terminal=False)
    with console.capture() as capture:
        console.print(view)
    return "\n".join(line.rstrip() for line in capture.get().splitlines())


def test_the_summary_is_the_whole_ledger_at_a_glance() -> None:
    """Counts with what they are made of, shares with bars, then the sentences."""
    assert drawn(load_summary(document(FIGURES, "The shares are even.", "A note."))) == (
        "sent       1,500  50.0 a second, 30.2 s in all, 3 started late\n"
        "confirmed  1,480  98.7 %\n"
        "rejected      12  12 HTTP 503\n"
        "lost           8  reset 7, timeout 1\n"
        "not sent       4  ports 4\n"
        "latency           p50 3.2 ms   p90 4.0 ms   p99 12.0 ms   max 2.0 s\n"
        "\n"
        "POD             CONFIRMED   SHARE\n"
        "[red]c[/red]          500  33.8 %  ████████\n"
        "flashsale-rs-a        500  33.8 %  ████████\n"
        "flashsale-rs-b        480  32.4 %  ███████▊\n"
        "\n"
        "The shares are even.\n"
        "A note."
    )


def test_workers_in_a_cluster_are_listed_with_what_they_did_not_send() -> None:
    """Those that did not do their part come first; a clock that is wrong shows."""
    workers = (
        WorkerFigures("load-0-aaaaa", "node-a", 900, 900, 0, 0, 0, -1.5),
        WorkerFigures("load-1-bbbbb", "node-b", 600, 580, 12, 8, 300, 2003),
    )
    board = drawn(load_summary(document(replace(FIGURES, workers=workers))))
    assert (
        "WORKER        NODE    SENT  LOST  NOT SENT    CLOCK\n"
        "load-1-bbbbb  node-b   600     8       300   +2.0 s\n"
        "load-0-aaaaa  node-a   900     0         0  -1.5 ms\n"
    ) in board


def test_bars_give_way_to_numbers_where_there_is_no_room() -> None:
    """They get shorter, all in the same measure, and nothing else is cut off."""
    board = drawn(pod_shares({"flashsale-rs-abcde": 12_000, "flashsale-rs-vwxyz": 4_000}), 42)
    assert board == (
        "POD                 CONFIRMED   SHARE\n"
        "flashsale-rs-abcde     12,000  75.0 %  ██▎\n"
        "flashsale-rs-vwxyz      4,000  25.0 %  ▊"
    )


def test_the_live_board_stays_on_one_screen() -> None:
    """However many pods there are, the board shows the first few and sums up the rest."""
    many = {f"pod-{number:02}": 100 - number for number in range(30)}
    board = drawn(live(LoadProgress(12, 30, 99, Figures(sent=9, confirmed=5, pods=many))))
    assert len(board.splitlines()) == PODS_SHOWN + 5
    assert "and 18 more" in board
    assert "12 of 30 s" in board
    assert "99 confirmed a second" in board


def test_before_the_first_answer_nothing_is_invented() -> None:
    """No pods, no percentiles, no error."""
    assert "POD" not in drawn(live(LoadProgress(0, 30, 0, Figures())))
    assert "no complete answer" in drawn(load_summary(document(Figures())))


@pytest.mark.parametrize(
    ("count", "total", "text"),
    [
        (0, 0, "-"),
        (0, 9, "0 %"),
        (9, 9, "100 %"),
        (1, 10**6, "0.01 %"),
        (10**6 - 1, 10**6, "99.99 %"),
        (1, 3, "33.3 %"),
    ],
)
def test_only_all_is_all_and_only_nothing_is_nothing(count: int, total: int, text: str) -> None:
    """One lost purchase in a million must not read as 100 %."""
    assert share(count, total) == text


@pytest.mark.parametrize(
    ("figure", "text"),
    [(0.123, "0.1 ms"), (12.34, "12.3 ms"), (234.5, "234 ms"), (2345.6, "2.3 s")],
)
def test_durations_have_one_form_of_each_unit(figure: float, text: str) -> None:
    """Microseconds for the quick, seconds for the slow."""
    assert milliseconds(figure) == text
