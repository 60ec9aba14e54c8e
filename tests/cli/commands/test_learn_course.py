"""The whole course, from its first step to its last: the longest of all tests, so a file alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands.learner import learner, states
from tests.command import Flashsale


@pytest.mark.timeout(400)
def test_a_whole_course(flashsale: Flashsale, tmp_path: Path) -> None:
    """Right and wrong guesses, quitting and going on, every check red before its deed."""
    with learner(flashsale) as one:
        one.person.sees("Step 1 of 11", "Guess first")
        one.step("open", 1, one.opens)
        one.goes_on("Step 2 of 11")
        one.step("numbers", 3, lambda: one.types("scale", "4", "--no-wait"))
        one.goes_on("Step 3 of 11")
        one.step("buy", 3, one.buys)
        one.goes_on("Step 4 of 11")
        one.person.types("1q")
        assert one.person.leaves() == 0
        assert "You stopped at step 4 of 11" in one.person.seen
    with learner(flashsale) as one:
        one.person.sees("Step 4 of 11", "Your guess: 3 pods")
        one.step("kill", 1, one.kills_with_kubectl)
        one.goes_on("Step 5 of 11")
        one.step("probe", 3, one.mends_the_probe)
        one.goes_on("Step 6 of 11")
        one.step("scale", 2, one.scales)
        one.goes_on("Step 7 of 11")
        one.step("labels", 1, one.quarantines)
        one.goes_on("Step 8 of 11")
        one.step("crash", 2, lambda: one.types("kill-pod", "--process"))
        one.goes_on("Step 9 of 11")
        one.step("lose", 2, one.drills)
        one.goes_on("Step 10 of 11")
        one.step("mend", 2, one.mends_the_folder)
        one.goes_on("Step 11 of 11")
        one.step("close", 3, one.closes)
        one.goes_on("You did 11 of 11 steps and guessed right in 8 of them")
        one.person.types("\r")
        assert one.person.leaves() == 0
    assert set(states(flashsale).values()) == {"done"}
    assert flashsale("learn", "--check").code == 0
    page = tmp_path / "course.html"
    assert flashsale("learn", "--report", str(page)).code == 0
    assert "11 of 11 steps" in page.read_text()
    assert flashsale("learn", "--reset").code == 0
    assert set(states(flashsale).values()) == {"open"}
