"""What a learner did, as a page that needs nothing else. Pure."""

from __future__ import annotations

import getpass
import time
from collections.abc import Sequence
from typing import Any

from flashsale.learn.course_progress import CourseProgress, StepRecord
from flashsale.learn.course_state import figures
from flashsale.learn.facts import Facts
from flashsale.learn.step import Step, filled_in
from flashsale.ui.report.page import course_page


def certificate_page(steps: Sequence[Step], progress: CourseProgress) -> str:
    """Write the page, with the name of the user of this machine."""
    return course_page(certificate_document(steps, progress, _user()))


def certificate_document(
    steps: Sequence[Step], progress: CourseProgress, who: str
) -> dict[str, Any]:
    done, right, seconds = figures(steps, progress)
    records = [progress.of(step.name) for step in steps]
    ended = max((record.ended for record in records), default=0.0)
    return {
        "who": who,
        "when": time.strftime("%d %B %Y", time.localtime(ended)) if ended else "Not begun",
        "done": done,
        "total": len(steps),
        "right": right,
        "minutes": max(1, round(seconds / 60)) if done else 0,
        "alone": sum(record.unaided for record in records),
        "steps": [_step(step, record) for step, record in zip(steps, records, strict=True)],
    }


def _step(step: Step, record: StepRecord) -> dict[str, Any]:
    words = Facts().since(record.before).words() if record.before else Facts().words()
    choices = [filled_in(choice, words) for choice in step.prediction.choices]
    facts = zip(step.checks, record.seen, strict=False)
    return {
        "title": step.title,
        "state": record.state,
        "question": filled_in(step.prediction.text, words),
        "guess": choices[record.answer - 1] if record.answer else "none",
        "answer": choices[step.prediction.right - 1],
        "right": record.answer == step.prediction.right,
        "facts": [{"fact": check.fact, "seen": seen} for check, seen in facts],
        "reveal": "\n".join(record.reveal),
        "seconds": round(max(0.0, record.ended - record.began)),
        "hints": record.hints,
        "shown": record.shown,
        "place": record.place,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container without an entry for its user
        return "A learner"
