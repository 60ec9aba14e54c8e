"""The course for scripts and teachers: which steps are done, and which facts hold. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flashsale.learn.course_progress import CourseProgress
from flashsale.learn.evidence import StepBaseline
from flashsale.learn.facts import Facts
from flashsale.learn.step import Step


@dataclass(frozen=True, slots=True)
class CheckedFact:
    step: str
    fact: str
    holds: bool
    seen: str

    def as_json(self) -> dict[str, Any]:
        """Write it as an item of `learn --check -o json`."""
        return {"step": self.step, "fact": self.fact, "holds": self.holds, "seen": self.seen}


def list_json(steps: Sequence[Step], progress: CourseProgress) -> list[dict[str, Any]]:
    return [
        {"name": step.name, "title": step.title, "state": progress.of(step.name).state}
        for step in steps
    ]


def list_view(steps: Sequence[Step], progress: CourseProgress) -> str:
    """Write `learn --list`, a line a step."""
    widest = max(len(step.name) for step in steps)
    rows = (f"{step.name:<{widest}}  {progress.of(step.name).state:<7}" for step in steps)
    return "\n".join(f"{row}  {step.title}" for row, step in zip(rows, steps, strict=True))


def check_now(step: Step, facts: Facts, progress: CourseProgress) -> list[CheckedFact]:
    """Look at the facts of one step; what had happened before it began does not count."""
    counted = facts.since(progress.of(step.name).before or StepBaseline())
    looks = zip(step.checks, step.look(counted), strict=True)
    return [CheckedFact(step.name, check.fact, look.holds, look.text) for check, look in looks]


def check_all(steps: Sequence[Step], facts: Facts, progress: CourseProgress) -> list[CheckedFact]:
    """Look at all facts: each holds now, or the course saw it hold."""
    return [
        now if now.holds or not before else replace(now, holds=True, seen=before)
        for step in steps
        for now, before in zip(
            check_now(step, facts, progress), _seen_before(step, progress), strict=True
        )
    ]


def _seen_before(step: Step, progress: CourseProgress) -> list[str]:
    seen = [f"the course saw: {text}" if text else "" for text in progress.of(step.name).seen]
    return seen if len(seen) == len(step.checks) else [""] * len(step.checks)


def check_view(facts: Sequence[CheckedFact], *, one_step: bool) -> str:
    """Write `learn --check`, a line a fact."""
    lines = []
    for fact in facts:
        step = "" if one_step else f"{fact.step}: "
        lines.append(f"[{'x' if fact.holds else ' '}] {step}{fact.fact}: {fact.seen}")
    return "\n".join(lines)
