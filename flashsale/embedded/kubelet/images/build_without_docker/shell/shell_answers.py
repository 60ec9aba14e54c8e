"""What commands of a RUN answer: the text that they print, and whether a condition holds.

None stands for what cannot be told here, for it depends on the base image or on a program.
"""

from __future__ import annotations

import contextlib
import fnmatch
import itertools
import posixpath
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_state import Shell

# Programs that turn text into text, and the options with which they would do more.
_FILTERS = {
    "cat": "", "grep": "-r|-R|--recursive|-f|--file.*", "egrep": "-f.*", "tr": "", "cut": "",
    "sed": "-i.*|--in-place.*|-f|--file.*|-s", "sort": "-o.*|--output.*|--compress-program.*|-T.*",
    "head": "", "tail": r"-\w*[fF]|--follow.*|--retry", "uniq": "", "basename": "", "dirname": "",
    "printf": "",
}  # fmt: skip
_OF_WORDS = ("tr", "basename", "dirname", "printf")  # these read no files
_VALUED = {"cut": "dfcb", "head": "nc", "tail": "nc", "sort": "kt", "uniq": "fsw"}
SECONDS = 10


def output_of(shell: Shell, words: Sequence[str], given: bytes | None) -> bytes | None:
    """Return what a command prints; None where that cannot be told.

    Args:
        given: its standard input; None if that is not known.
    """
    program, rest = posixpath.basename(words[0]) if words else "true", [*words[1:]]
    if program in ("true", ":", "false"):
        return b""
    if program == "pwd":
        return f"{shell.folder}\n".encode()
    if program == "echo":
        return _echoed(rest, shell.dialect).encode()
    return done[1] if (done := _filtered(shell, program, rest, given)) else None


def _filtered(
    shell: Shell, program: str, words: Sequence[str], given: bytes | None
) -> tuple[int, bytes] | None:
    """Let this machine's program turn text into text: files of the image, or what it is given."""
    if program not in _FILTERS or any(re.fullmatch(_FILTERS[program], word) for word in words):
        return None
    argv, names = [program, *(["--sandbox"] if program == "sed" else [])], 0
    places = _file_places(program, words)
    with tempfile.TemporaryDirectory(prefix="flashsale-text-") as folder:
        for place, word in enumerate(words):
            if place not in places:
                argv.append(word)
                continue
            entry = shell.recipe.files.follow(shell.path(word))
            if entry is None or entry.is_folder:
                return None  # what the image has not is no file of this machine's either
            names += 1
            (Path(folder) / str(names)).write_bytes(entry.read())
            argv.append(str(names))
        takes_paths = program not in _OF_WORDS
        if (given is None and takes_paths and not names) or (program == "uniq" and names > 1):
            return None
        argv[1:1] = ["-h"] if program == "grep" and names > 1 else []
        with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
            done = subprocess.run(
                argv, cwd=folder, input=given or b"", capture_output=True, timeout=SECONDS,
                check=False, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            )  # fmt: skip
            found_nothing = program.endswith("grep") and done.returncode == 1
            if done.returncode == 0 or found_nothing:
                return done.returncode, done.stdout
    return None


def _file_places(program: str, words: Sequence[str]) -> list[int]:
    """Return which words name files, by their places."""
    plain = [place for place, word in enumerate(words) if not word.startswith("-")]
    if program in _OF_WORDS:
        return []
    if program in ("grep", "egrep", "sed"):
        files = [place for place in plain if not place or words[place - 1] != "-e"]
        return files if "-e" in words else files[1:]
    valued = [f"-{letter}" for letter in _VALUED.get(program, "")]
    return [place for place in plain if not place or words[place - 1] not in valued]


def _echoed(words: list[str], dialect: str) -> str:
    """Do what echo does: dash knows no option but -n and reads escapes always, others with -e."""
    known = "-n" if dialect == "dash" else "-[neE]+"
    flags = [*itertools.takewhile(lambda word: re.fullmatch(known, word), words)]
    flags = flags[:1] if dialect == "dash" else flags
    text = " ".join(words[len(flags) :])
    escaped = dialect == "dash" or any("e" in flag for flag in flags)
    end = "" if any("n" in flag for flag in flags) else "\n"
    return (_escapes(text) if escaped else text) + end


def _escapes(text: str) -> str:
    known = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r"}
    return re.sub(r"\\([nt\\r])", lambda match: known[match[1]], text)


def holds(shell: Shell, words: Sequence[str], given: bytes | None) -> bool | None:
    """Tell whether `false`, `[`, `[[` or `grep -q` succeeds; None where that cannot be told."""
    program, rest = posixpath.basename(words[0]), [*words[1:]]
    if program == "false":
        return False
    if program in ("[", "[["):
        if rest[-1:] != ["]" if program == "[" else "]]"]:
            return None
        rest.pop()
    elif program != "test":
        done = _filtered(shell, program, rest, given)
        return done[0] == 0 if done else None
    return _test(shell, rest, "[[" if program == "[[" else shell.dialect)


def _test(shell: Shell, words: list[str], rules: str) -> bool | None:
    for operator, joins in (("-o", any), ("||", any), ("-a", all), ("&&", all)):
        if operator in words[1:-1]:
            at = words.index(operator, 1)
            parts = [_test(shell, words[:at], rules), _test(shell, words[at + 1 :], rules)]
            return None if None in parts else joins(map(bool, parts))
    if words[:1] == ["!"]:
        inner = _test(shell, words[1:], rules)
        return None if inner is None else not inner
    match words:
        case []:
            return False
        case [text] | ["-n", text]:
            return text != ""
        case ["-z", text]:
            return text == ""
        case [kind, path] if kind in ("-e", "-f", "-d", "-s", "-r", "-w", "-x", "-L", "-h"):
            return _has_file(shell, kind, path)
        case [left, operator, right]:
            return _compare(left, operator, right, rules)
        case [operator, _] if not operator.startswith("-"):
            return False  # a variable without a value was not quoted, which is an error
    return None


def _compare(left: str, operator: str, right: str, rules: str) -> bool | None:
    if operator == "==" and rules == "dash":
        return False  # which is an error
    if operator in ("=", "=="):
        return fnmatch.fnmatchcase(left, right) if rules == "[[" else left == right
    if operator == "!=":
        return left != right
    signs = {"-eq": (0,), "-ne": (-1, 1), "-lt": (-1,), "-le": (-1, 0), "-gt": (1,), "-ge": (0, 1)}
    try:
        difference = int(left) - int(right)
    except ValueError:
        return None
    return (difference > 0) - (difference < 0) in signs[operator] if operator in signs else None


def _has_file(shell: Shell, kind: str, word: str) -> bool | None:
    path = shell.path(word)
    entry = shell.recipe.files.get(path)
    entry = entry if kind in ("-L", "-h") else shell.recipe.files.follow(path)
    if entry is None:
        return None if shell.comes_with_packages(path) else False
    match kind:
        case "-f":
            return not entry.is_folder
        case "-d":
            return entry.is_folder
        case "-s":
            return entry.is_folder or bool(entry.read())
        case "-x":
            return entry.is_folder or bool(entry.mode & 0o111)
        case "-L" | "-h":
            return bool(entry.link)
    return True
