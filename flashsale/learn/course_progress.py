"""How far the learner is: one small file in the state folder."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from flashsale.clusters.state.directory import put
from flashsale.learn.evidence import StepBaseline

NAME = "learn.json"
FORMAT = 1
StepState = Literal["open", "done", "skipped"]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StepRecord:
    state: StepState = "open"
    answer: int = 0  # 1 to 3; 0 for none yet
    began: float = 0.0  # unix seconds
    ended: float = 0.0
    before: StepBaseline | None = None  # what was there when it began
    seen: tuple[str, ...] = ()  # for each check, what proved it; empty if nothing did yet
    reveal: tuple[str, ...] = ()
    hints: int = 0
    shown: bool = False  # the tour typed the commands
    place: str = ""
    prepared: str = ""  # folder that the step handed out

    @property
    def unaided(self) -> bool:
        """Whether the step was done without a hint, and nobody typed its commands."""
        return self.state == "done" and not self.hints and not self.shown


@dataclass(frozen=True, slots=True)
class CourseProgress:
    steps: Mapping[str, StepRecord] = field(default_factory=dict)  # by name

    def of(self, name: str) -> StepRecord:
        """What became of one; a new record if nothing did."""
        return self.steps.get(name, StepRecord())

    def with_step(self, name: str, record: StepRecord) -> CourseProgress:
        """Put a record in the place of the one before."""
        return CourseProgress({**self.steps, name: record})

    def noting(self, name: str, **changes: Any) -> CourseProgress:
        """Change parts of one record."""
        return self.with_step(name, replace(self.of(name), **changes))


def read_progress(home: Path) -> CourseProgress:
    """Read it; a file that makes no sense is put aside, and the course begins anew."""
    file = home / NAME
    try:
        return parse_progress(json.loads(file.read_text()))
    except FileNotFoundError:
        return CourseProgress()
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        aside = file.with_name(f"{NAME}.broken")
        with suppress(OSError):
            file.replace(aside)
        log.warning("%s is broken (%s). It is kept as %s.", file, error, aside.name)
        return CourseProgress()


def write_progress(home: Path, progress: CourseProgress) -> None:
    """Write it whole or not at all, as :func:`put` does."""
    steps = {name: asdict(record) for name, record in progress.steps.items()}
    put(home, NAME, json.dumps({"format": FORMAT, "steps": steps}, indent=1) + "\n")


def forget_progress(home: Path) -> None:
    """Remove it; it may be gone already."""
    (home / NAME).unlink(missing_ok=True)


def parse_progress(document: Any) -> CourseProgress:
    """Read its JSON; ValueError, TypeError, KeyError or AttributeError if it is something else."""
    if document["format"] != FORMAT:
        raise ValueError(f"format {document['format']}, not {FORMAT}")
    return CourseProgress({name: _record(**fields) for name, fields in document["steps"].items()})


def _record(before: Any = None, seen: Any = (), reveal: Any = (), **rest: Any) -> StepRecord:
    if before is not None:  # JSON has no tuples
        parts: dict[str, Any] = {
            name: tuple(v) if isinstance(v, list) else v for name, v in before.items()
        }
        rest["before"] = StepBaseline(**parts)
    return StepRecord(seen=tuple(seen), reveal=tuple(reveal), **rest)
