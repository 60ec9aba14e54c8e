"""Progress without a terminal: a line a step, and a sign of life when a step is long."""

from __future__ import annotations

import pytest

from flashsale.ui.progress import SILENCE, PlainProgress


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_details_are_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    """A log of every changed number helps nobody."""
    plain = PlainProgress(Clock())
    plain.step("Building")
    plain.detail("Step 1/9")
    assert capsys.readouterr().err == "Building ...\n"


def test_silence_is_broken_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody who reads a log has to know that it goes on; each sign starts a new silence."""
    clock = Clock()
    plain = PlainProgress(clock)
    plain.step("minikube: Pulling Base Image")
    for clock.now in (SILENCE - 1, SILENCE, SILENCE + 1, 2 * SILENCE):
        plain.detail(f"still at it after {clock.now:g} s")
    assert capsys.readouterr().err.splitlines() == [
        "minikube: Pulling Base Image ...",
        "  still at it after 15 s",
        "  still at it after 30 s",
    ]


def test_a_terminal_without_a_cursor_gets_whole_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would break lines anywhere; a pipe gets each note as one line."""
    PlainProgress().note("flashsale-rs-a is ready after 5.1 s")
    monkeypatch.setattr("flashsale.ui.console.width", lambda stream: 30)
    PlainProgress().note("flashsale-rs-a is ready after 5.1 s")
    assert capsys.readouterr().err.splitlines() == [
        "flashsale-rs-a is ready after 5.1 s",
        "flashsale-rs-a is ready after",
        "5.1 s",
    ]
