"""The whole course, from its first step to its last: the longest of all tests, so a file alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.commands.learner import Learner, learner, states
from tests.command import Flashsale

LONGEST = frozenset({"probe", "lose"})  # three of four pods of the course are started for them


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("skipped", "right"),
    [(LONGEST, 6), pytest.param(frozenset[str](), 8, marks=pytest.mark.thorough)],
    ids=["all-but-the-longest", "all"],
)
def test_a_whole_course(
    flashsale: Flashsale, tmp_path: Path, skipped: frozenset[str], right: int
) -> None:
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
        for number, (name, answer, deed) in enumerate(second_half(one), 6):
            if name in skipped:
                one.skips(name)
            else:
                one.step(name, answer, deed)
                one.goes_on(f"Step {number} of 11")
        one.step("close", 3, one.closes)
        one.goes_on(f"You did {11 - len(skipped)} of 11 steps and guessed right in {right} of them")
        one.person.types("\r")
        assert one.person.leaves() == 0
    found = states(flashsale)
    assert {name for name, state in found.items() if state != "done"} == skipped
    page = tmp_path / "course.html"
    assert flashsale("learn", "--report", str(page)).code == 0
    assert f"{11 - len(skipped)} of 11 steps" in page.read_text()
    assert flashsale("learn", "--check").code == bool(skipped)
    assert flashsale("learn", "--reset").code == 0
    assert set(states(flashsale).values()) == {"open"}


def second_half(one: Learner) -> list[tuple[str, int, Callable[[], None]]]:
    """Each step's name, a guess, and what is done for it."""
    return [
        ("probe", 3, one.mends_the_probe),
        ("scale", 2, one.scales),
        ("labels", 1, one.quarantines),
        ("crash", 2, lambda: one.types("kill-pod", "--process")),
        ("lose", 2, one.drills),
        ("mend", 2, one.mends_the_folder),
    ]
