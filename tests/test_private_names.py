"""No private name of a dependency or of Python is used: the next release may not have it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.source_code import nodes_near

ROOT = Path(__file__).parent.parent
OURS = {"flashsale", "tests"}
NAMING = (ast.stmt, ast.Call)  # these may name something private; so may names that begin so
NAME = r"_+[^\W_]\w*\b(?<!__)"  # a private one
PRIVATE = re.compile(rf"\b{NAME}")
USED = re.compile(rf"[.\"']({NAME})")  # wherever an attribute may be used
IMPORTED = re.compile(rf"(?m)^\s*(?:import|from)\s(?:[^(\n]*\([^)]*|[^(\n]*)\b{NAME}")
MADE = re.compile(rf"(?m)^\s*(?:(?:(?:async )?def|class) |(?:self|cls)\.)({NAME})(?:[(:\[]| = )")
DOCUMENTED = {"_exit", "_replace", "_asdict", "_make", "_fields"}  # of os and of named tuples
ALLOWED = {  # name -> why nothing public does it
    "_signal": "in interpreters that start for each container: `signal` would cost an enum",
    "_socket": "in a pod's interpreter: the class that `socket` derives from is patched once",
    "_posixsubprocess": "in a pod's interpreter: where every child's environment passes",
}


def our_files() -> Iterator[tuple[str, str]]:
    for folder in ("flashsale", "tests", "tools"):
        for file in (ROOT / folder).rglob("*.py"):
            yield str(file.relative_to(ROOT)), file.read_text()


def private(name: str) -> bool:
    return any(
        part.startswith("_") and part.strip("_") and not part.endswith("__")
        for part in name.split(".")
    )


def plain_name(node: ast.AST) -> str:
    """Return the name or attribute that a node is; empty if it is something else."""
    return getattr(node, "id", "") or getattr(node, "attr", "")


def made_by(node: ast.AST) -> Iterator[str]:
    """Yield the names that we make there; setting one on another object makes none."""
    match node:
        case (
            ast.FunctionDef(name=name)
            | ast.AsyncFunctionDef(name=name)
            | ast.ClassDef(name=name)
            | ast.Name(id=name, ctx=ast.Store())
            | ast.Attribute(value=ast.Name(id="self" | "cls"), attr=name, ctx=ast.Store())
        ):
            yield name
        case ast.Assign(targets=[ast.Name(id="__slots__")], value=slots):
            yield from (str(getattr(slot, "value", "")) for slot in ast.walk(slots))


def imported_by(node: ast.AST) -> Iterator[str]:
    """Yield the full names of what is imported there from somebody else."""
    match node:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases)
        case ast.ImportFrom(module=str(module), names=aliases, level=0):
            if module.partition(".")[0] not in OURS:
                yield from (f"{module}.{alias.name}" for alias in aliases)


def attributes_of(node: ast.AST) -> Iterator[str]:
    """Yield the name of the attribute that is read, set or asked for there."""
    match node:
        case ast.Attribute(attr=name):
            yield name
        case ast.Call(
            func=ast.Name(id="getattr" | "setattr" | "hasattr" | "delattr"),
            args=[_, ast.Constant(value=str(name)), *_],
        ):
            yield name


def foreign(files: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return place and name of each use of a private name that no file of ours makes."""
    files = list(files)
    ours = DOCUMENTED.union(*(MADE.findall(text) for _, text in files))
    unclear = set().union(*(USED.findall(text) for _, text in files)) - ours
    imported, attributes = [], []
    for file, text in files:
        if not (unclear.intersection(PRIVATE.findall(text)) or IMPORTED.search(text)):
            continue  # most files: nothing has to be parsed
        for node in nodes_near(PRIVATE, text):
            if not isinstance(node, NAMING) and not plain_name(node).startswith("_"):
                continue
            ours.update(made_by(node))
            place = f"{file}:{getattr(node, 'lineno', 0)}"
            imported += [(place, name) for name in imported_by(node) if private(name)]
            attributes += [(place, name) for name in attributes_of(node) if private(name)]
    return imported + [(place, name) for place, name in attributes if name not in ours]


def test_no_private_name_of_others_is_used() -> None:
    """What is allowed is used, too: an excuse that nobody needs any more is taken off the list."""
    used = foreign(our_files())
    assert [f"{place}: {name}" for place, name in used if name not in ALLOWED] == []
    assert ALLOWED.keys() - {name for _, name in used} == set()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("import typer._types", ["typer._types"]),
        ("from typer import _click", ["typer._click"]),
        ("from typer._click.core import Command", ["typer._click.core.Command"]),
        ("import typer\ntyper.main._typer_name", ["_typer_name"]),
        ("thing.public._private = 1", ["_private"]),
        ("getattr(thing, '_private', None)", ["_private"]),
        ("class Own(Theirs):\n  def own(self): return self._theirs", ["_theirs"]),
        ("class Own:\n  def own(self): self._ours = 1\nOwn()._ours", []),
        ("class Own:\n  __slots__ = ('_ours',)\nOwn()._ours", []),
        ("from flashsale.cli import _ours\nfrom __future__ import annotations\nx.__class__", []),
    ],
    ids=range(10),
)
def test_it_is_found(text: str, names: list[str]) -> None:
    """However it is written; our own names, and Python's double ones, are none."""
    assert [name for _, name in foreign([("file.py", text)])] == names
