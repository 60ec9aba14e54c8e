"""What keys and news do to a course that is being played."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from flashsale.learn import course_state
from flashsale.learn.course import OWN
from flashsale.learn.course_progress import CourseProgress
from flashsale.learn.course_state import Tour
from flashsale.learn.evidence import Evidence
from flashsale.learn.facts import Facts
from flashsale.learn.views.course_view import closing_lines, course_lines
from flashsale.objects.models import Pod
from tests.learn.facts import after_the_deed, healing, killed, sale, silent
from tests.sale.api_objects import pod_object

KILL = next(step for step in OWN if step.name == "kill")


def tour() -> Tour:
    """The step `kill` on a sale of three pods."""
    return course_state.see(course_state.begin(OWN, CourseProgress(), KILL, 1.0), sale(), 2.0)


def pressed(tour: Tour, keys: str) -> Tour:
    """After these keys, `\\n` for Enter."""
    for key in keys:
        tour, _ = course_state.press(tour, "enter" if key == "\n" else key, 3.0)
    return tour


def text(tour: Tour, size: tuple[int, int] = (80, 24)) -> str:
    """What is on the screen."""
    return "\n".join(line.plain for line in course_lines(tour, size))


def test_a_guess_comes_before_everything_else() -> None:
    """Neither help nor Enter goes past the question."""
    assert pressed(tour(), "ha\n").part == "ask"
    assert "press 1, 2 or 3" in text(pressed(tour(), "\n"))
    assert pressed(tour(), "2").part == "do"


def test_the_question_counts_the_pods_that_are_there() -> None:
    """Two, three or four after a kill of one of three."""
    shown = text(tour())
    assert all(f"{n}. {n + 1} pods" in shown for n in (1, 2, 3))


def test_the_deed_reveals_what_happened_and_the_guess() -> None:
    """Red before, green after; a wrong guess is told with the right one."""
    doing = pressed(tour(), "1")
    assert text(doing).count("[ ]") == 2
    done = course_state.see(doing, killed("flashsale-rs-aaaaa"), 9.0)
    shown = text(done)
    assert done.part == "reveal"
    assert done.record.state == "done"
    assert "Right is: 3 pods" in shown
    assert "flashsale-rs-aaaaz was ready after 5.0 s" in shown
    assert shown.count("[x]") == 2


def test_a_deed_before_the_guess_counts_once_the_guess_is_made() -> None:
    """Whoever is quick need not do it twice."""
    early = course_state.see(tour(), killed("flashsale-rs-aaaaa"), 9.0)
    assert early.part == "ask"
    assert pressed(early, "2").part == "reveal"


def test_what_happened_before_the_step_does_not_count() -> None:
    """The step begins with what is there."""
    begun = course_state.begin(OWN, CourseProgress(), KILL, 1.0)
    later = pressed(course_state.see(begun, killed("flashsale-rs-aaaaa"), 2.0), "2")
    assert later.part == "do"
    assert text(later).count("[ ]") == 2


def test_a_fact_that_was_seen_stays_ticked() -> None:
    """Also when it cannot be seen any more."""
    close = next(step for step in OWN if step.name == "close")
    later = course_state.see(course_state.begin(OWN, CourseProgress(), close, 1.0), sale(), 2.0)
    later = course_state.see(pressed(later, "3"), killed(*(pod.name for pod in sale().own)), 3.0)
    assert [bool(seen) for seen in later.record.seen] == [True, False]
    assert course_state.see(later, after_the_deed()["close"], 4.0).part == "reveal"


def test_purchases_from_before_the_step_are_waited_for() -> None:
    """The logs are read only in that step: its beginning is when they were read first."""
    buy = next(step for step in OWN if step.name == "buy")
    begun = course_state.begin(OWN, CourseProgress(), buy, 1.0)
    unread = course_state.see(begun, replace(sale(), extras=frozenset()), 2.0)
    assert unread.record.before is None
    read = pressed(course_state.see(unread, after_the_deed()["buy"], 3.0), "3")
    assert read.part == "do"


def test_three_hints_the_last_is_the_command() -> None:
    """And pressing on stays at the last."""
    later = pressed(tour(), "2h")
    assert "Hint 1 of 3" in text(later)
    assert "$ flashsale kill-pod" in text(pressed(later, "hhhh"))
    assert pressed(later, "hhhh").record.hints == 3


@pytest.mark.parametrize("keys", ["2h", "2hh", "2hhh"])
def test_a_hint_is_in_sight_on_a_small_screen(keys: str) -> None:
    """Whoever presses h sees that something came of it."""
    assert "Hint" in text(pressed(tour(), keys), (60, 15))


def test_whoever_looks_back_and_quits_goes_on_at_the_open_step() -> None:
    """The last line names the step that the next start shows."""
    left = CourseProgress().noting(OWN[0].name, state="done")
    back = pressed(course_state.see(course_state.begin(OWN, left, None, 1.0), sale(), 2.0), "b")
    assert back.index == 0
    assert closing_lines(back)[0].startswith("You stopped at step 2 of 11")


def test_skip_back_and_forth() -> None:
    """A skipped step is asked again when somebody comes back to it."""
    later = pressed(tour(), "s")
    assert (later.step.name, later.progress.of("kill").state) == ("probe", "skipped")
    back = pressed(later, "b")
    assert (back.step.name, back.part, back.record.state) == ("kill", "ask", "open")


def test_quitting_and_coming_back_goes_on_in_the_same_step() -> None:
    """The guess is kept, and so is what there was when the step began."""
    left = pressed(tour(), "2").progress
    for step in OWN[: OWN.index(KILL)]:
        left = left.noting(step.name, state="done")
    again = course_state.see(course_state.begin(OWN, left, None, 50.0), sale(), 51.0)
    assert (again.step.name, again.part, again.record.answer) == ("kill", "do", 2)
    assert course_state.see(again, killed("flashsale-rs-bbbbb"), 52.0).part == "reveal"


def test_after_the_last_step_comes_the_end() -> None:
    """With the figures, and the way to the certificate."""
    done = CourseProgress()
    for step in OWN:
        done = done.noting(step.name, state="done", answer=step.prediction.right)
    shown = text(course_state.begin(OWN, done, None, 1.0))
    assert "You did 11 of 11 steps and guessed right in 11 of them" in shown
    assert "flashsale learn --report" in shown


@pytest.mark.parametrize("size", [(80, 24), (40, 12), (20, 6), (200, 60)], ids=str)
@pytest.mark.parametrize("keys", ["", "2", "2hhh", "1h"])
def test_it_fits_any_terminal(size: tuple[int, int], keys: str) -> None:
    """As many lines as there are, none too long at 80 columns, the keys on the last one."""
    lines = course_lines(pressed(tour(), keys), size)
    assert len(lines) == max(size[1], 6)
    assert "quit" in lines[-1].plain
    if size[0] >= 40:
        long = [line.plain for line in lines[:-3] if len(line.plain) > size[0]]
        assert long == []


@pytest.mark.parametrize("step", OWN, ids=lambda step: step.name)
def test_at_80_by_24_nothing_is_cut(step: object) -> None:
    """The question, the task and the reveal of every step are whole on a usual terminal."""
    from flashsale.learn.step import Step

    assert isinstance(step, Step)
    later = course_state.see(course_state.begin(OWN, CourseProgress(), step, 1.0), sale(), 2.0)
    done = course_state.see(pressed(later, "1"), after_the_deed()[step.name], 3.0)
    for shown in (text(later), text(pressed(later, "1")), text(pressed(later, "1h")), text(done)):
        assert "more: arrow key" not in shown, shown


def test_a_step_begins_when_the_sale_is_open() -> None:
    """Before that nothing is asked about its pods."""
    closed = after_the_deed()["close"]
    early = course_state.see(course_state.begin(OWN, CourseProgress(), KILL, 1.0), closed, 2.0)
    assert "needs an open sale" in text(early)
    for key in "2ha\n":
        assert "needs an open sale" in text(pressed(early, key))
    assert "guess" not in text(early).splitlines()[-1]
    assert pressed(early, "2").part == "ask"
    assert pressed(course_state.see(early, sale(), 3.0), "2").part == "do"


def test_a_sale_that_ends_in_the_middle_of_a_step_is_asked_for() -> None:
    """Until something of the step is done: its last check may be that the sale is closed."""
    later = pressed(tour(), "2")
    assert "needs an open sale" not in text(later)
    closed = Facts("closed", "No sale is open here.")
    assert "needs an open sale" in text(course_state.see(later, closed, 3.0))
    begun = later.noting(seen=("deleted: flashsale-rs-aaaaa", ""))
    assert "needs an open sale" not in text(course_state.see(begun, closed, 3.0))


def test_a_cluster_that_does_not_answer_is_said_and_forgotten_when_it_is_back() -> None:
    """What was known stays."""
    later = pressed(tour(), "2")
    lost = replace(later, facts=silent(later.facts))
    assert "The course goes on when it is back" in text(lost)
    stopped = replace(lost, facts=replace(lost.facts, command="flashsale up"))
    assert "stopped answering.\nType in another terminal: flashsale up\n" in text(stopped)
    back = course_state.see(lost, sale(), 9.0)
    assert "goes on when" not in text(back)
    assert back.part == "do"


def test_a_sale_that_is_opened_again_begins_the_step_again() -> None:
    """Its pods are others, and what the last one had proved is gone with it."""
    close = next(step for step in OWN if step.name == "close")
    later = course_state.see(course_state.begin(OWN, CourseProgress(), close, 1.0), sale(), 2.0)
    later = course_state.see(pressed(later, "3"), Facts("closed", "No sale is open here."), 3.0)
    assert [bool(seen) for seen in later.record.seen] == [False, True]
    new = [f"flashsale-rs-new{number}" for number in range(3)]
    later = course_state.see(later, another_sale(*new), 4.0)
    assert later.record.before
    assert later.record.before.pods == tuple(new)
    assert not any(later.record.seen)
    healings = {name: healing(name, f"{name}-z") for name in new}
    after = another_sale(*(f"{name}-z" for name in new))
    later = course_state.see(later, replace(after, evidence=Evidence(healings=healings)), 5.0)
    assert [bool(seen) for seen in later.record.seen] == [True, False]


def another_sale(*names: str) -> Facts:
    """One that was opened later."""
    facts = sale(*names)
    assert facts.replicaset
    facts.replicaset["metadata"]["uid"] = "another"
    pods = tuple(Pod.from_object(pod_object(name, ready=True, owner="another")) for name in names)
    return replace(facts, pods=pods)


def test_a_step_begins_when_there_are_pods() -> None:
    """A sale that is scaled to nothing has none to kill."""
    nothing = replace(sale(desired=0), pods=())
    early = course_state.see(course_state.begin(OWN, CourseProgress(), KILL, 1.0), nothing, 2.0)
    assert "flashsale scale 3" in text(early)
    assert pressed(early, "2").part == "ask"
    assert pressed(course_state.see(early, sale(), 3.0), "2").part == "do"


def test_an_adoption_before_the_step_is_none_of_it() -> None:
    """The monitor remembers it, and the step began later."""
    labels = next(step for step in OWN if step.name == "labels")
    begun = replace(
        course_state.begin(OWN, CourseProgress(), labels, 1.0),
        watched=Evidence(adopted=frozenset({"flashsale-rs-aaaaa"})),
    )
    later = pressed(course_state.see(begun, sale(), 2.0), "2")
    assert later.record.seen == ("", "")


def test_a_pod_that_was_released_before_may_be_released_again() -> None:
    """What the monitor saw the first time does not hide the second."""
    labels = next(step for step in OWN if step.name == "labels")
    pod, first, second = (f"flashsale-rs-{name * 5}" for name in "axy")
    made = {pod: 1.0, first: 100.0, second: 200.0}
    watched = Evidence(healings={pod: healing(pod, first, cause="released")})
    begun = replace(course_state.begin(OWN, CourseProgress(), labels, 1.0), watched=watched)
    before = Evidence(created={pod: 1.0, first: 100.0}, released=frozenset({pod}))
    later = pressed(course_state.see(begun, sale(evidence=before), 2.0), "2")
    assert later.record.seen == ("", "")
    again = Evidence(
        created=made,
        released=frozenset({pod}),
        healings={pod: healing(pod, second, cause="released")},
    )
    later = course_state.see(later, sale("flashsale-rs-bbbbb", second, evidence=again), 3.0)
    assert later.record.seen[0] == f"let go: {pod}; in its place: {second}"


def test_enter_on_a_reveal_waits_for_the_command_that_is_being_typed() -> None:
    """One press is enough: the next step comes when `kill-pod` has seen its victim go."""
    typing = replace(pressed(tour(), "1"), running="flashsale kill-pod")
    done = course_state.see(typing, killed("flashsale-rs-aaaaa"), 9.0)
    waiting = pressed(done, "\n")
    assert waiting.part == "reveal"
    assert "The next step follows this command." in text(waiting)
    assert course_state.command_ended(waiting, 10.0).step == OWN[OWN.index(KILL) + 1]
    assert course_state.command_ended(done, 10.0).step == KILL


def test_no_question_counts_pods_that_nobody_has_seen_yet() -> None:
    """Not even for the moment until the sale is found."""
    early = text(course_state.begin(OWN, CourseProgress(), KILL, 1.0))
    assert "Guess first" not in early
    assert "Guess first" in text(tour())


def test_a_command_that_fills_two_lines_can_be_pasted() -> None:
    """The shell goes on at the end of the first, in quotes or not."""
    commands = ("printf '%s;' one two three four five six seven", "printf '%s;  a long text' eight")
    step = replace(KILL, commands=commands)
    hinted = replace(pressed(tour(), "1hhh"), steps=(step,), index=0)
    for width in (30, 44, 80):
        lines = text(hinted, (width, 40)).splitlines()
        first = next(n for n, line in enumerate(lines) if line.startswith("  $ "))
        typed = "\n".join(lines[first : lines.index("", first)]).replace("  $ ", "")
        ran = subprocess.run(["sh", "-c", typed], capture_output=True, text=True, check=True)
        assert (
            " ".join(ran.stdout.split()) == "one;two;three;four;five;six;seven;eight; a long text"
        )
