"""One name has one meaning, and a folder is no larger than a reader can take in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent / "flashsale"
COMMANDS = Path("cli/commands")  # a command is called as what it runs
NAMED_AFTER_OTHERS = (
    COMMANDS,
    Path("cli/options"),  # the type of an option is called as what it chooses
    Path("learn/steps"),  # a step is called as what it teaches; each has a `reveal`
)
SAME_MEANING = {
    "Document": "JSON with documented keys",
    "Emit": "takes a line that a build prints",
    "EventType": "Normal or Warning: the kubelet and the controllers know nothing of each other",
    "Key": "what a controller's queue holds",
    "Size": "of a terminal",
    "main": "where a program begins",
}
MOST_FILES = 12
TOP = re.compile(r"(?m)^(?:(?:async )?def|class) (\w+)[(:[]|^(?![A-Z0-9_]+ =)([A-Z]\w*) = ")


def python_files() -> list[Path]:
    return sorted(file.relative_to(ROOT) for file in ROOT.rglob("*.py"))


def names_in(text: str) -> set[str]:
    """Find the public functions, classes and types that stand at the top of a file."""
    return {name for found in TOP.finditer(text) for name in found.groups() if name}


def used_twice(named: Iterator[tuple[str, Path]]) -> dict[str, list[str]]:
    places = defaultdict(list)
    for name, file in named:
        if file.parent not in NAMED_AFTER_OTHERS and not name.startswith("_"):
            places[name].append(str(file))
    return {name: files for name, files in places.items() if len(files) > 1}


def test_no_file_name_occurs_twice() -> None:
    """Who looks for `stream.py` finds one."""
    assert used_twice((file.stem, file) for file in python_files()) == {}


def test_no_function_class_or_type_has_two_meanings() -> None:
    """What means the same everywhere is listed, and only that."""
    texts = ((file, (ROOT / file).read_text()) for file in python_files())
    twice = used_twice((name, file) for file, text in texts for name in names_in(text))
    assert twice.keys() == SAME_MEANING.keys(), twice


def test_a_folder_can_be_taken_in_at_a_glance() -> None:
    """Only the commands are more: one a file."""
    folders = {file.parent for file in python_files()} - {COMMANDS}
    files = {
        folder: sum(file.is_file() for file in (ROOT / folder).iterdir()) for folder in folders
    }
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}
