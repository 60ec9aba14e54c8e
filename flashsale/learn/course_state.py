"""A course that is being played: which step, which part of it, what was seen. Pure."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from flashsale.learn.course_progress import CourseProgress, StepRecord
from flashsale.learn.evidence import Evidence, StepBaseline
from flashsale.learn.facts import Facts
from flashsale.learn.step import Step, filled_in
from flashsale.sale.observe.healing import Healing

TourPart = Literal["ask", "do", "reveal", "end"]
Effect = Literal["quit", "show", ""]  # what a key wants done that is not pure
HINTS = 3
SCROLLING = {"up": -1, "down": 1, "page up": -10, "page down": 10}
NO_SALE = "This step needs an open sale. Type in another terminal: flashsale up"
NO_PODS = "This step needs pods. Type in another terminal: flashsale scale 3"
GUESS = "First guess: press 1, 2 or 3. A wrong guess costs nothing."
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tour:
    """Everything that is shown, and what it is made from."""

    steps: tuple[Step, ...]
    progress: CourseProgress = field(default_factory=CourseProgress)
    index: int = 0
    part: TourPart = "ask"
    facts: Facts = field(default_factory=Facts)  # the last ones, evidence of all time in them
    known: bool = False  # somebody has looked
    watched: Evidence = field(default_factory=Evidence)  # by the monitor: exact moments
    message: str = ""
    hint: int = 0  # level shown, 0 for none
    running: str = ""  # command that the tour types
    goes_on: bool = False  # to the next step, as soon as that command has ended
    output: tuple[str, ...] = ()
    offset: int = 0  # lines scrolled

    @property
    def step(self) -> Step:
        return self.steps[self.index]

    @property
    def record(self) -> StepRecord:
        """What became of it so far."""
        return self.progress.of(self.step.name)

    @property
    def since(self) -> Facts:
        """The facts, counted since the step began."""
        return _since(self.facts, self.record)

    @property
    def words(self) -> Mapping[str, str]:
        """Words for the texts of the step."""
        return self.since.words()

    @property
    def lacks(self) -> str:
        """What the step waits for before it can be done: a sale, or its pods; empty for nothing."""
        waits = self.part in ("ask", "do") and not any(self.record.seen[:1])
        if not (waits and self.known and self.step.needs_sale):
            return ""
        if self.facts.state == "closed":
            return NO_SALE
        new = self.record.before is None
        return NO_PODS if new and self.facts.state == "open" and not self.facts.desired else ""

    @property
    def commands(self) -> list[str]:
        return [filled_in(line, self.words) for line in self.step.commands]

    def noting(self, **changes: Any) -> Tour:
        """Change the record of the step in hand."""
        return replace(self, progress=self.progress.noting(self.step.name, **changes))


def _since(facts: Facts, record: StepRecord) -> Facts:
    return replace(facts.since(record.before or StepBaseline()), prepared=record.prepared)


def begin(
    steps: tuple[Step, ...], progress: CourseProgress, chosen: Step | None, now: float
) -> Tour:
    """Go to a step, begun anew, or to the first open one; ``now`` is unix seconds."""
    tour = Tour(steps, progress)
    if chosen is not None:
        fresh = progress.with_step(chosen.name, StepRecord())
        return enter(replace(tour, progress=fresh), steps.index(chosen), now)
    states = [progress.of(step.name).state for step in steps]
    if "open" not in states:
        return replace(tour, index=len(steps) - 1, part="end")
    return enter(tour, states.index("open"), now)


def enter(tour: Tour, index: int, now: float) -> Tour:
    """Go to a step: to its question, its task, or its end, as far as it was done."""
    tour = replace(tour, index=index, message="", hint=0, output=(), offset=0)
    record = tour.record
    if record.state == "done":
        return replace(tour, part="reveal")
    if record.state == "skipped":
        tour = replace(tour, progress=tour.progress.with_step(tour.step.name, StepRecord()))
        record = tour.record
    tour = replace(tour, part="do" if record.answer else "ask")
    if not record.began:
        tour = tour.noting(began=now)
    return see(tour, tour.facts, now) if tour.known else tour


def see(tour: Tour, facts: Facts, now: float) -> Tour:
    """Take in new facts: tick what holds, and reveal when all of it does."""
    evidence = tour.facts.evidence.plus(facts.evidence)
    healings = dict(evidence.healings)
    exact = {
        name: healing
        for name, healing in tour.watched.healings.items()
        if (healing.ready is not None and not _is_outdated(healing, healings.get(name), evidence))
        or name not in healings
    }
    healings.update(exact)
    evidence = replace(evidence, healings=healings).plus(replace(tour.watched, healings={}))
    facts = replace(facts, evidence=evidence)
    tour = replace(tour, facts=facts, known=True)
    if tour.part == "end" or tour.record.state != "open":
        return tour
    if tour.record.before is None:
        if tour.lacks or (facts.state == "open" and not tour.step.extras <= facts.extras):
            return tour  # what there is before the step is not known yet
        tour = tour.noting(before=baseline(facts, tour.watched))
    elif facts.state == "open" and tour.record.before.replicaset not in ("", _uid(facts)):
        # the sale was closed and opened again since the step began
        tour = tour.noting(before=baseline(facts, tour.watched), seen=())
    return _ticked(tour, now) if tour.part in ("ask", "do") else tour


def _is_outdated(early: Healing, late: Healing | None, evidence: Evidence) -> bool:
    """Whether a pod whose release the monitor saw was adopted, and left once more since."""
    if late is None or early.cause != "released":
        return False
    made = evidence.created
    return made.get(late.replacement or "", 0.0) > made.get(early.replacement or "", 0.0)


def _uid(facts: Facts) -> str:
    return str(facts.replicaset["metadata"]["uid"]) if facts.replicaset else ""


def baseline(facts: Facts, watched: Evidence) -> StepBaseline:
    """Remember this moment as the beginning of a step."""
    return StepBaseline.of(
        facts.evidence,
        facts.own,
        desired=facts.desired if facts.replicaset else None,
        drill=facts.drills[-1].started if facts.drills else "",
        moment=watched.counts[-1].at if watched.counts else 0.0,
        replicaset=_uid(facts),
    )


def _ticked(tour: Tour, now: float) -> Tour:
    if tour.record.before is None:
        return tour
    looks = tour.step.look(tour.since)
    before = tour.record.seen or ("",) * len(looks)
    seen = tuple(
        old or (look.text if look.holds else "") for look, old in zip(looks, before, strict=True)
    )
    if seen != tour.record.seen:
        tour = tour.noting(seen=seen)
    if tour.part != "do" or not all(seen):
        return tour
    done = tour.noting(state="done", ended=now, place=tour.facts.place, reveal=reveal(tour))
    return replace(done, part="reveal", offset=0, hint=0, message="")


def reveal(tour: Tour) -> tuple[str, ...]:
    """Say what happened; where that is not to be seen any more, what the checks saw."""
    try:
        return tuple(line for line in tour.step.reveal(tour.since) if line)
    except Exception as error:  # a teacher's code may raise anything
        log.info("no reveal of %s", tour.step.name, exc_info=error)
        return tuple(text for text in tour.record.seen if text)


def press(tour: Tour, key: str, now: float) -> tuple[Tour, Effect]:
    """Take in a key; say what it wants done besides."""
    tour = replace(tour, message="")
    if key in ("q", "Q", "\x04"):
        return tour, "quit"
    if key in SCROLLING:
        return replace(tour, offset=max(0, tour.offset + SCROLLING[key])), ""
    if tour.part == "end":
        if key in ("b", "B"):
            return enter(tour, len(tour.steps) - 1, now), ""
        return tour, "quit" if key == "enter" else ""
    if tour.running and tour.part == "reveal" and key == "enter":
        return replace(tour, goes_on=True, message="The next step follows this command."), ""
    if tour.running:
        return replace(tour, message="The command still runs; q ends it and the course."), ""
    match key.lower():
        case "b":
            return enter(tour, max(0, tour.index - 1), now), ""
        case "s":
            return _skipped(tour, now), ""
        case "enter" | "escape":
            return _next(tour, now), ""
    return _in_part(tour, key.lower(), now)


def command_ended(tour: Tour, now: float) -> Tour:
    """Note that nothing is typed any more; go on where the learner wanted to."""
    tour = replace(tour, running="")
    return _forward(replace(tour, goes_on=False), now) if tour.goes_on else tour


def _in_part(tour: Tour, key: str, now: float) -> tuple[Tour, Effect]:
    """Take in a key that only some parts of a step know."""
    if tour.part == "ask" and key in ("1", "2", "3"):
        return _answered(tour, int(key), now), ""
    if tour.part == "ask" and key in ("h", "a"):
        return replace(tour, message=tour.lacks or GUESS), ""
    if tour.part == "do" and key == "h":
        level = min(HINTS, tour.hint + 1)
        tour = tour.noting(hints=max(level, tour.record.hints))
        return replace(tour, hint=level, output=(), offset=0), ""
    if tour.part == "do" and key == "a":
        return tour.noting(shown=True), "show"
    return tour, ""


def _answered(tour: Tour, answer: int, now: float) -> Tour:
    if tour.lacks:
        return replace(tour, message=tour.lacks)
    return _ticked(replace(tour.noting(answer=answer), part="do", offset=0), now)


def _skipped(tour: Tour, now: float) -> Tour:
    if tour.record.state == "open":
        tour = tour.noting(state="skipped", ended=now)
    return _forward(tour, now)


def _next(tour: Tour, now: float) -> Tour:
    if tour.part == "reveal":
        return _forward(tour, now)
    if tour.part == "ask":
        return replace(tour, message=tour.lacks or GUESS)
    if tour.output:
        return replace(tour, output=(), offset=0)
    return replace(tour, message="Not yet: a check is still open. h helps, a does it, s skips it.")


def _forward(tour: Tour, now: float) -> Tour:
    if tour.index + 1 < len(tour.steps):
        return enter(tour, tour.index + 1, now)
    return replace(tour, part="end", message="", offset=0)


def figures(steps: Sequence[Step], progress: CourseProgress) -> tuple[int, int, float]:
    """Count steps done, guesses that were right, and seconds spent."""
    done = [(step, progress.of(step.name)) for step in steps]
    done = [(step, record) for step, record in done if record.state == "done"]
    right = sum(record.answer == step.prediction.right for step, record in done)
    return len(done), right, sum(max(0.0, record.ended - record.began) for _, record in done)
