"""`.dockerignore`, and patterns of paths, as Docker reads them (moby/patternmatcher).

What is never part of an app comes first, so that a `!pattern` of the user's may bring it back. The
manifest is on that list: it says how to run the image, and scaling must not make another image.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

NEVER = (
    "**/.git",
    "**/__pycache__",
    "**/*.py[co]",
    "**/.venv",
    "**/venv",
    "**/.DS_Store",
    "**/.mypy_cache",
    "**/.pytest_cache",
    "**/.ruff_cache",
    "flashsale-replicaset.yaml",
    ".dockerignore",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One pattern."""

    pattern: re.Pattern[str]
    brings_back: bool  # it began with `!`


@dataclass(frozen=True, slots=True)
class Ignore:
    """The patterns in their order: the last one that matches a path or a folder above it wins."""

    rules: Sequence[Rule]

    @classmethod
    def of(cls, folder: Path | None) -> Ignore:
        """Read a folder's `.dockerignore`, after what is never part of an app; or that alone.

        `Dockerfile.dockerignore` takes its place, as for BuildKit.
        """
        file = folder / ".dockerignore" if folder else Path(os.devnull)
        if folder and (own := folder / "Dockerfile.dockerignore").is_file():
            file = own
        try:
            text = file.read_text(encoding="utf-8-sig", errors="replace")
        except OSError:
            text = ""
        return cls(tuple(_rules([*NEVER, *text.splitlines()])))

    def leaves_out(self, path: str) -> bool:
        """Whether a path (relative, with slashes) is no part of the context."""
        parts = path.split("/")
        above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        left_out = False
        for rule in self.rules:
            if rule.brings_back == left_out and any(map(rule.pattern.fullmatch, above)):
                left_out = not rule.brings_back
        return left_out

    def walk(self, folder: Path) -> Iterator[str]:
        """Yield every path below a folder that is not left out, sorted, folders before what is in
        them. A folder that is left out is yielded when something in it is brought back."""
        yield from self._below(folder, "")

    def _below(self, folder: Path, prefix: str) -> Iterator[str]:
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            path = f"{prefix}{entry.name}"
            left_out = self.leaves_out(path)
            inside = entry.is_dir(follow_symlinks=False)
            if not left_out:
                yield path
            if inside and not (left_out and not self._brings_back_anything):
                below = self._below(Path(entry.path), f"{path}/")
                first = next(below, None)
                if first is None:
                    continue
                if left_out:
                    yield path
                yield first
                yield from below

    @property
    def _brings_back_anything(self) -> bool:
        return any(rule.brings_back for rule in self.rules)


def _rules(lines: Iterable[str]) -> Iterator[Rule]:
    for line in lines:
        text = line.strip()
        if not text or line.startswith("#"):
            continue
        brings_back = text.startswith("!")
        text = text[brings_back:].strip()
        if not text:
            continue
        text = posixpath.normpath(text)
        text = text.lstrip("/") if len(text) > 1 else text
        yield Rule(compile_pattern(text), brings_back)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile a pattern: Go's filepath.Match, and `**` for any number of folders.

    One that is malformed (`[a`) matches its own text only; Docker refuses it.
    """
    try:
        return re.compile(_expression(pattern), re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))


def _expression(pattern: str) -> str:
    out, index, size = "", 0, len(pattern)
    while index < size:
        char = pattern[index]
        index += 1
        if char == "*" and pattern.startswith("*", index):
            first = index == 1
            index += 1
            slash = pattern.startswith("/", index)
            index += slash
            if index == size:
                out += ".*"
            else:
                # `**x` at the begin is any text that ends so, unless other wildcards follow.
                plain = first and not slash and not re.search(r"[*?\[\\]", pattern[index:])
                out += ".*" if plain else "(?:.*/)?"
        elif char == "*":
            out += "[^/]*"
        elif char == "?":
            out += "[^/]"
        elif char == "\\" and index < size:
            out += re.escape(pattern[index])
            index += 1
        elif char == "[" and (match := re.match(r"\^?\]?(?:\\.|[^\]\\])*\]", pattern[index:])):
            out += "[" + match[0].replace("[", r"\[").replace("&&", r"\&&").replace("||", r"\||")
            index += len(match[0])
        elif char == "[":
            raise re.error("a class without its end")
        else:
            out += re.escape(char)
    return out
