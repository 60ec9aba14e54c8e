"""The steps in their order, and a teacher's own among them."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from flashsale.base.errors import BadInputError, Hint
from flashsale.learn.step import GOAL_LINES, Step
from flashsale.learn.steps import (
    buy,
    close,
    crash,
    kill,
    lose,
    mend,
    numbers,
    open_sale,
    probe,
    relabel,
    scale,
)

_MODULES = (open_sale, numbers, buy, kill, probe, scale, relabel, crash, lose, mend, close)
OWN: tuple[Step, ...] = tuple(module.STEP for module in _MODULES)
NAME = re.compile(r"[a-z][a-z0-9-]*")
LIST = Hint("flashsale learn --list", "names all steps")


def course(folder: Path | None = None) -> tuple[Step, ...]:
    """Give all steps, a teacher's where they say; BadInputError if a file there is no step."""
    steps = list(OWN)
    for file in _files(folder) if folder else ():
        step = read_step(file)
        known = [each.name for each in steps]
        if step.name in known:
            raise _wrong(file, f"there is a step '{step.name}' already")
        if step.before not in known:
            raise _wrong(file, f"there is no step '{step.before}' to stand before")
        steps.insert(known.index(step.before), step)
    return tuple(steps)


def find_step(steps: Sequence[Step], name: str) -> Step:
    """Find a step by its name; BadInputError if there is none."""
    names = [step.name for step in steps]
    if name in names:
        return steps[names.index(name)]
    close_ones = get_close_matches(name, names, n=1)
    question = f" Did you mean '{close_ones[0]}'?" if close_ones else ""
    raise BadInputError(f"The course has no step '{name}'.{question}", hint=LIST)


def read_step(file: Path) -> Step:
    """Run a file and return its STEP; BadInputError if it cannot be run, or is not sound."""
    spec = importlib.util.spec_from_file_location(f"own_step_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # a teacher's code may raise anything
        raise _wrong(file, f"{type(error).__name__}: {error}") from error
    step = getattr(module, "STEP", None)
    if not isinstance(step, Step):
        raise _wrong(file, "it defines no STEP = Step(...)")
    if trouble := unsound(step):
        raise _wrong(file, trouble)
    return step


def unsound(step: Step) -> str:
    """Say what is wrong with a step; empty for a sound one."""
    if not NAME.fullmatch(step.name):
        return f"its name '{step.name}' is more than small letters, digits and -"
    if not 1 <= step.prediction.right <= len(step.prediction.choices) == 3:
        return "its prediction needs three choices, and which one is right (1 to 3)"
    if not step.checks:
        return "it has no check"
    if len(step.goal.splitlines()) > GOAL_LINES:
        return f"its goal has more than {GOAL_LINES} lines"
    return ""


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise BadInputError(f"There is no folder {folder}.", hint=LIST)
    return sorted(folder.glob("*.py"))


def _wrong(file: Path, why: str) -> BadInputError:
    return BadInputError(f"{file} is not a step of a course: {why}.", hint=LIST)
