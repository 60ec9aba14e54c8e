""".dockerignore in a simple way: `*`, `**`, `?`, a leading `!`; the last line that matches wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath

ALWAYS = frozenset({".git", ".venv", "__pycache__"})  # never part of an app


def ignored(folder: Path) -> Callable[[PurePosixPath], bool]:
    """Return how to tell whether a path (relative to the folder) is left out of images."""
    try:
        lines = (folder / ".dockerignore").read_text(encoding="utf-8", errors="replace")
    except OSError:
        lines = ""
    rules = list(_rules(lines.splitlines()))

    def leave_out(path: PurePosixPath) -> bool:
        if not ALWAYS.isdisjoint(path.parts):
            return True
        verdict = False
        for pattern, excluded in rules:
            if pattern.fullmatch(path.as_posix()):
                verdict = excluded
        return verdict

    return leave_out


def _rules(lines: Iterable[str]) -> Iterable[tuple[re.Pattern[str], bool]]:
    for line in lines:
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        excluded = not text.startswith("!")
        pattern = text.removeprefix("!").strip().strip("/").removeprefix("./")
        if pattern:
            yield glob(pattern, below=True), excluded


def glob(pattern: str, *, below: bool = False) -> re.Pattern[str]:
    """Compile a pattern of Go's filepath.Match plus `**`.

    Args:
        below: what lies below a match matches as well.
    """
    out, index = "", 0
    while index < len(pattern):
        if pattern.startswith("**/", index):
            out, index = out + "(?:.*/)?", index + 3
        elif pattern.startswith("**", index):
            out, index = out + ".*", index + 2
        else:
            char = pattern[index]
            out += {"*": "[^/]*", "?": "[^/]"}.get(char, re.escape(char))
            index += 1
    return re.compile(out + ("(?:/.*)?" if below else ""))
