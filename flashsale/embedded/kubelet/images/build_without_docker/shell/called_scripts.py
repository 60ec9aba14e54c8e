"""Scripts that a command of a RUN calls: `sh -c`, a file of the image, `.`."""

from __future__ import annotations

import errno
import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_state import (
    BASH_ALONE,
    Shell,
    Status,
    own_dialect,
    positional,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_words import content_of

_SHELLS = ("sh", "bash", "ash", "dash")
MOST_CALLS = 10  # scripts that call one another


def why_not_run(shell: Shell, words: Sequence[str]) -> str:
    """Say why the file that a command runs cannot be run; empty if it can, or may be."""
    program, first = posixpath.basename(words[0]), "".join(words[1:2])
    if program in ("[[", "source") and shell.dialect == "dash":
        return f"{program}: {BASH_ALONE}"
    reads = program in _SHELLS or (program.startswith("python") and first.endswith(".py"))
    if "/" not in words[0] and (not reads or not first or first.startswith("-")):
        return ""
    word = words[0] if "/" in words[0] else first
    path = shell.path(word)
    entry = shell.recipe.files.follow(path)
    if entry is None:
        unknown = "bin" in path.split("/") or shell.may_have(path)  # of an environment, say
        return "" if unknown else f"{word}: {os.strerror(errno.ENOENT)}"
    if word == first or entry.is_folder:
        return ""
    if not entry.mode & 0o111:
        return "it is not executable; chmod +x it first"
    begin = entry.read().partition(b"\n")[0].decode(errors="replace")
    if not begin.startswith("#!") or not begin.endswith("\r"):
        return ""
    return f"{word}: its lines end as on Windows, and no program is named {begin[2:]!r}"


def script_of(shell: Shell, words: Sequence[str]) -> tuple[str, list[str]] | None:
    """Return the script that a command runs, with its `$0`, `$1`...: `-c`'s, or an image's file."""
    program, rest = posixpath.basename(words[0]), list(words[1:])
    if program in _SHELLS:
        at = next((i for i, word in enumerate(rest) if re.fullmatch("-[a-z]*c", word)), None)
        if at is not None:
            after = without_options(rest[at + 1 :], "o")
            after = after[1:] if rest[at].endswith("oc") else after  # -oc pipefail
            return "".join(after[:1]), after[1:]
        rest = without_options(rest, "o")
    elif program not in (".", "source"):
        rest = list(words) if "/" in words[0] else []
    if not rest:
        return None
    if rest[0].endswith("/bin/activate"):
        return "", rest
    text = content_of(shell, rest[0]) or b""
    runs_all = program in (*_SHELLS, ".", "source")
    is_script = runs_all or re.match(rb"#!.*\b(ba|da|a)?sh\b", text.split(b"\n", 1)[0])
    return (text.decode(errors="replace"), rest) if text and is_script else None


def call(shell: Shell, called: tuple[str, list[str]], words: Sequence[str], raw: str) -> Status:
    """Do a script that a command calls, in a shell of its own unless it is read into this one.

    Args:
        called: what `script_of` tells of the command.
    """
    script, arguments = called
    if shell.depth > MOST_CALLS:
        return shell.skip(raw)
    if words[0] in (".", "source"):
        return shell.run_script(shell, script)
    program, own = posixpath.basename(words[0]), {**shell.variables, **positional(arguments)}
    begin = " ".join(words[:2]) if program in _SHELLS else script.partition("\n")[0]
    own_shell = replace(
        shell, variables=own, depth=shell.depth + 1, is_tested=False,
        dialect="bash" if "bash" in begin else own_dialect(shell.recipe),
        ends_on_failure=re.search(r" -[a-z]*e", begin) is not None,
    )  # fmt: skip
    return shell.run_script(own_shell, script)


def without_options(words: Sequence[str], *with_value: str) -> list[str]:
    """Leave out the options before the first other word; some have their value as next word."""
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option[1:] in with_value and rest:
            rest.pop(0)
    return rest
