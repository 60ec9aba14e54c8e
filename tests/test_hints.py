"""Every hint that the program can give is a command that works when it is pasted."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import command_line

SOURCE = Path(__file__).parent.parent / "flashsale"
FIELD = "3"  # stands for a count, and for a name as well
NOT_TYPED = ("flashsale met a bug", "flashsale embedded CA", f"flashsale {FIELD} ")
UNFINISHED = ("flashsale scale", "flashsale up --replicas", "flashsale label")  # more comes behind
PROGRAMS = {  # what a hint may call besides ours
    *("kubectl", "minikube", "docker", "kind", "k3d", "kill", "ls", "df", "rm", "mv", "less"),
    *("awk", "curl", "export", "sudo", "ps", "lsof", "pip", "fuser", "pgrep"),
}


def text(node: ast.AST) -> str | None:
    """Return a string as it is written, with something for what is put in; None if it is none."""
    match node:
        case ast.Constant(value=str(written)):
            return written
        case ast.JoinedStr(values=parts):
            return "".join(text(part) or FIELD for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return (text(left) or f" {FIELD}") + (text(right) or f" {FIELD}")
    return None


def strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the strings that begin as a command of ours, but for those in docstrings."""
    inner = {id(part) for node in ast.walk(tree) for part in parts(node)}
    for node in ast.walk(tree):
        written = None if id(node) in inner else text(node)
        if not written or written in UNFINISHED or written.startswith(NOT_TYPED):
            continue
        if re.match(r"flashsale \S", written):
            yield getattr(node, "lineno", 0), written


def parts(node: ast.AST) -> list[ast.AST]:
    """List what is inside of a longer string, and docstrings."""
    match node:
        case ast.JoinedStr(values=values):
            return list(values)
        case ast.BinOp(left=left, right=right) if text(node) is not None:
            return [left, right]
        case ast.Expr(value=ast.Constant() as docstring):
            return [docstring]
    return []


def hints(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the commands of hints, where they are written down at their place."""
    for node in ast.walk(tree):
        match node:
            case ast.keyword(arg="hint", value=value) if written := text(value):
                yield value.lineno, written
            case ast.Call(func=ast.Name(id="Hint"), args=[command, *_]) if written := text(command):
                yield command.lineno, written
            case ast.Call(func=ast.Name(id="Finding"), args=[_, _, _, hint]) if text(hint):
                yield hint.lineno, text(hint) or ""


def found(search: object) -> list[object]:
    """Search all files."""
    cases = {}
    for file in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(file.read_text())
        for line, written in search(tree):  # type: ignore[operator]
            cases[written] = f"{file.relative_to(SOURCE)}:{line}"
    return [pytest.param(written, id=f"{place}:{written}") for written, place in cases.items()]


@pytest.mark.parametrize("written", found(strings))
def test_every_command_of_ours_can_be_pasted(written: str) -> None:
    """It parses, its command exists, and so do its options."""
    lines = written.replace(f"flashsale {FIELD}", "flashsale status")
    for words in command_line.ours(lines):
        kinds = {param.param_type_name for param in command_line.command(words[0]).params}
        if "argument" not in kinds and words[1:] == [FIELD]:
            continue  # what is put in there are options
        command_line.check(words)


@pytest.mark.parametrize("written", found(hints))
def test_every_hint_is_a_command(written: str) -> None:
    """It begins with a program; what is no command is given as words."""
    for part in written.split(" && "):
        first = next(word for word in shlex.split(part) if "=" not in word)
        assert first.strip("()") in PROGRAMS | {"flashsale", FIELD}, written


def test_hints_are_found() -> None:
    """The search itself works."""
    tree = ast.parse('E("", hint=f"flashsale scale {n}")\nHint("rm x")\nF("flashsale up " + x)')
    assert {written for _, written in hints(tree)} == {"flashsale scale 3", "rm x"}
    assert {written for _, written in strings(tree)} == {"flashsale up  3", "flashsale scale 3"}
