"""The steps in their order, and a teacher's own among them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError
from flashsale.learn.course import course, find_step
from tests.learn.facts import begun, sale

DOCS = Path(__file__).parent.parent.parent / "docs" / "teaching.md"


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The folder with the step that docs/teaching.md prints."""
    match = re.search(r"^```python\n(.*?)^```", DOCS.read_text(), re.M | re.S)
    assert match
    (tmp_path / "two_pods.py").write_text(match[1])
    return tmp_path


def test_the_step_of_the_documents_works(example: Path) -> None:
    """It stands where it says, is red before the deed, green after it, and tells of it."""
    steps = course(example)
    assert [step.name for step in steps][-2:] == ["two-pods", "close"]
    step = find_step(steps, "two-pods")
    before = begun(sale())
    assert not step.look(sale().since(before))[0].holds
    after = sale("flashsale-rs-aaaaa", "flashsale-rs-bbbbb").since(before)
    assert step.look(after)[0].holds
    assert "flashsale-rs-aaaaa" in step.reveal(after)[0]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("STEP = Step(", "OTHER = Step(", "defines no STEP"),
        ('name="two-pods"', 'name="Two Pods"', "small letters"),
        ('name="two-pods"', 'name="kill"', "a step 'kill' already"),
        ('before="close"', 'before="clsoe"', "no step 'clsoe'"),
        ("        2,\n", "        4,\n", "which one is right"),
        ("from flashsale.learn.facts", "from flashsale.learn.fcats", "ModuleNotFoundError"),
        ("STEP = Step(", "STEP = Step((", "SyntaxError"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(example: Path, old: str, new: str, words: str) -> None:
    """One sentence with the file, and no traceback."""
    file = example / "two_pods.py"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(BadInputError, match=re.escape(words)) as caught:
        course(example)
    assert str(file) in str(caught.value)


def test_a_step_that_is_not_there_is_not_guessed() -> None:
    """But a close name is offered."""
    with pytest.raises(BadInputError, match="no step 'kil'"):
        find_step(course(), "kil")
