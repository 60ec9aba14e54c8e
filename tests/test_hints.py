"""Every hint that the program can give is a command that works when it is pasted."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from tests import command_line
from tests.source_code import nodes_near

SOURCE = Path(__file__).parent.parent / "flashsale"
FIELD = "3"  # stands for a count, and for a name as well
NOT_TYPED = ("flashsale met a bug", "flashsale embedded CA", f"flashsale {FIELD} ")
UNFINISHED = ("flashsale scale", "flashsale up --replicas", "flashsale label")  # more comes behind
STRING = re.compile(r"[\"']flashsale ")  # a line without it begins no such string
HINT = re.compile(r"hint=|Hint\(|Finding\(")
PROGRAMS = {  # what a hint may call besides ours
    *("kubectl", "minikube", "docker", "kind", "k3d", "kill", "ls", "df", "rm", "mv", "less"),
    *("awk", "sed", "cp", "chmod", "curl", "ulimit", "export", "unset"),
    *("sudo", "ps", "lsof", "pip", "fuser", "pgrep"),
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


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Yield the strings that begin as a command of ours, but for those in docstrings."""
    inner: set[int] = set()
    for node in nodes_near(STRING, source):  # what is around a string comes before it
        inner.update(map(id, parts(node)))
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


def hints(source: str) -> Iterator[tuple[int, str]]:
    """Yield the commands of hints, where they are written down at their place."""
    for node in nodes_near(HINT, source):
        match node:
            case ast.keyword(arg="hint", value=value) if written := text(value):
                yield value.lineno, written
            case ast.Call(func=ast.Name(id="Hint"), args=[command, *_]) if written := text(command):
                yield command.lineno, written
            case ast.Call(func=ast.Name(id="Finding"), args=[_, _, _, hint]) if text(hint):
                yield hint.lineno, text(hint) or ""


def collect_hints(search: Callable[[str], Iterator[tuple[int, str]]]) -> dict[str, str]:
    """Search all files; gives what is written, and a place where it is."""
    return {
        written: f"{file.relative_to(SOURCE)}:{line}"
        for file in sorted(SOURCE.rglob("*.py"))
        for line, written in search(file.read_text())
    }


def test_every_command_of_ours_can_be_pasted() -> None:
    """It parses, its command exists, and so do its options."""
    broken = {}
    for written, place in collect_hints(strings).items():
        try:
            check(written)
        except Exception as error:  # noqa: BLE001 - whatever the program says to it
            broken[f"{place}: {written}"] = error
    assert broken == {}


def check(written: str) -> None:
    """Raise what the program would, if it does not understand a command as it is written."""
    lines = written.replace(f"flashsale {FIELD}", "flashsale status")
    for words in command_line.ours(lines):
        kinds = {param.param_type_name for param in command_line.command(words[0]).params}
        if "argument" not in kinds and words[1:] == [FIELD]:
            continue  # what is put in there are options
        command_line.check(words)


def test_every_hint_is_a_command() -> None:
    """It begins with a program; what is no command is given as words."""
    no_commands = {
        f"{place}: {written}": first
        for written, place in collect_hints(hints).items()
        for first in map(first_word, written.split(" && "))
        if first not in PROGRAMS | {"flashsale", FIELD}
    }
    assert no_commands == {}


def first_word(command: str) -> str:
    """Return the program that a line of a shell calls."""
    return next(word for word in shlex.split(command) if "=" not in word).strip("()")


def test_hints_are_found() -> None:
    """The search itself works."""
    source = 'E("", hint=f"flashsale scale {n}")\nHint("rm x")\nF("flashsale up " + x)'
    assert {written for _, written in hints(source)} == {"flashsale scale 3", "rm x"}
    assert {written for _, written in strings(source)} == {"flashsale up  3", "flashsale scale 3"}
