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
    with learner(flashsale) as session:
        session.person.sees("Step 1 of 11", "Guess first")
        session.step("open", 1, session.opens)
        session.goes_on("Step 2 of 11")
        session.step("numbers", 3, lambda: session.types("scale", "4", "--no-wait"))
        session.goes_on("Step 3 of 11")
        session.step("buy", 3, session.buys)
        session.goes_on("Step 4 of 11")
        session.person.types("1q")
        assert session.person.leaves() == 0
        assert "You stopped at step 4 of 11" in session.person.seen
    with learner(flashsale) as session:
        session.person.sees("Step 4 of 11", "Your guess: 3 pods")
        session.step("kill", 1, session.kills_with_kubectl)
        session.goes_on("Step 5 of 11")
        for number, (name, answer, deed) in enumerate(second_half(session), 6):
            if name in skipped:
                session.skips(name)
            else:
                session.step(name, answer, deed)
                session.goes_on(f"Step {number} of 11")
        session.step("close", 3, session.closes)
        session.goes_on(
            f"You did {11 - len(skipped)} of 11 steps and guessed right in {right} of them"
        )
        session.person.types("\r")
        assert session.person.leaves() == 0
    found = states(flashsale)
    assert {name for name, state in found.items() if state != "done"} == skipped
    page = tmp_path / "course.html"
    assert flashsale("learn", "--report", str(page)).code == 0
    assert f"{11 - len(skipped)} of 11 steps" in page.read_text()
    assert flashsale("learn", "--check").code == bool(skipped)
    assert flashsale("learn", "--reset").code == 0
    assert set(states(flashsale).values()) == {"open"}


def second_half(learner: Learner) -> list[tuple[str, int, Callable[[], None]]]:
    """Each step's name, a guess, and what is done for it."""
    return [
        ("probe", 3, learner.mends_the_probe),
        ("scale", 2, learner.scales),
        ("labels", 1, learner.quarantines),
        ("crash", 2, lambda: learner.types("kill-pod", "--process")),
        ("lose", 2, learner.drills),
        ("mend", 2, learner.mends_the_folder),
    ]
