"""The file that remembers how far the learner is."""

from __future__ import annotations

from pathlib import Path

import pytest

from flashsale.learn import course_progress
from flashsale.learn.course_progress import CourseProgress, StepRecord
from tests.learn.facts import begun, sale


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """All of it, the beginning of a step included."""
    record = StepRecord("done", 2, 1.0, 9.0, begun(sale()), ("seen",), ("line",), 1, True, "x/y")
    written = CourseProgress({"kill": record})
    course_progress.write_progress(tmp_path / "home", written)
    assert course_progress.read_progress(tmp_path / "home") == written


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "steps": 3}'])
def test_rubbish_is_put_aside(tmp_path: Path, text: str) -> None:
    """The course begins anew, and nothing is lost."""
    (tmp_path / course_progress.NAME).write_text(text)
    assert course_progress.read_progress(tmp_path) == CourseProgress()
    assert (tmp_path / f"{course_progress.NAME}.broken").read_text() == text


def test_no_file_is_the_beginning(tmp_path: Path) -> None:
    """Nothing was done."""
    assert course_progress.read_progress(tmp_path).of("kill") == StepRecord()
