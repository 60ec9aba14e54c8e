"""RUN, as far as it can be done without a container: packages and files.

Commands that install Python packages are remembered for the image's own environment; those that
make, move and change files are done to the image's files. Users and owners make no difference here,
for pods run as whoever started the cluster. Everything else is left out and noted.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from flashsale.base.dockerfile.instructions import Instruction
from flashsale.embedded.kubelet.images.build_without_docker import (
    install_commands,
    requirement_lists,
)
from flashsale.embedded.kubelet.images.build_without_docker.file_commands import (
    OPERATIONS,
    Shell,
    write_output,
)
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import ImageRecipe, shorten
from flashsale.embedded.kubelet.images.build_without_docker.install_commands import Install
from flashsale.embedded.kubelet.images.image_files import ImageFile

NO_FILES: Mapping[str, ImageFile] = MappingProxyType({})
# These make no difference to an image here, or none at all.
QUIET = (
    *("set", "true", ":", "umask", "sync", "chown", "chgrp", "usermod", "groupadd", "addgroup"),
    *("which", "ls", "pwd", "id", "whoami", "env", "cat", "test", "[", "date", "uname", "ldconfig"),
    *("shopt", "exit", "locale-gen", "update-ca-certificates", "hash"),
)
_QUIET_BEGINNINGS = (
    *("apt-get update", "apt update", "apt-get clean", "apt clean", "apt-get upgrade"),
    *("apt-get autoremove", "apt-get -y autoremove", "apt-get purge", "apk update", "apk del"),
    *("apt-get -y update", "apt-get -qq update", "apt-get -y upgrade", "apt-get autoclean"),
    *("pip cache", "pip3 cache", "pip config", "pip check", "pip list", "pip --version"),
    *("pip freeze", "pip uninstall", "python --version", "python -V", "uv cache", "uv --version"),
    *("poetry config", "poetry --version", "poetry cache", "poetry check", "npm cache"),
    *("python -m compileall", "python -m ensurepip", "uv python", "uv tool update-shell"),
)
# What installs poetry and uv, which are got from the index when they are needed.
_TOOL_SCRIPTS = ("install.python-poetry.org", "astral.sh/uv")
_CONTROL = ("if", "for", "while", "until", "case", "then", "do", "{", "(", "function", "else")
_QUOTED = re.compile(r"'[^']*'")
_SHELL_TOKEN = re.compile(
    r"'[^']*'|\"(?:\\.|[^\"\\])*\"|\\.|(?P<open>['\"])|(?P<operator>&&|\|\||[;|\n])"
    r"|(?P<comment>(?<![^\s;])#[^\n]*)|[^'\"\\]",
    re.DOTALL,
)


def follow_run(
    recipe: ImageRecipe, one: Instruction, mounts: Mapping[str, ImageFile] = NO_FILES
) -> None:
    """Follow a RUN as far as that goes here.

    Args:
        mounts: files that are there for this RUN alone, by their paths in the image.
    """
    before = {path: recipe.files.get(path) for path in mounts}
    for path, entry in mounts.items():
        recipe.files.put(path, entry)
    _run(recipe, one)
    for path, old in before.items():
        recipe.files.put(path, old) if old else recipe.files.remove(path)


def _run(recipe: ImageRecipe, one: Instruction) -> None:
    variables = {"HOME": "/root", **recipe.env, **one.variables}
    shell = Shell(recipe, one, recipe.workdir, variables)
    text = one.flags()[1]
    if (command := replace(one, text=text).exec_form()) is not None:
        _one(shell, list(command))
    elif one.documents and text.startswith("<<"):
        for document in one.documents:
            _script(shell, document.body)
    else:
        _script(shell, text)
    if shell.skipped:
        words = "; ".join(map(shorten, dict.fromkeys(shell.skipped)))
        recipe.skipped += (f"RUN {words} (line {one.line})",)


def _script(shell: Shell, text: str) -> None:
    """Do the commands of a script in turn; of `a || b` only the first."""
    try:
        parts = list(_commands(text))
    except ValueError:
        shell.skipped.append(" ".join(text.split()))
        return
    after, installs = "", False
    for index, (raw, operator) in enumerate(parts):
        alternative, after = after == "||", operator
        if alternative or not raw.strip():
            continue
        if raw.split()[0] in _CONTROL or raw.startswith("("):
            rest = " ".join(each for each, _ in parts[index:])
            shell.skipped.append(" ".join(rest.split()))
            return
        if operator == "|" or (index and parts[index - 1][1] == "|"):
            if _is_install(raw):  # its output alone goes to the others, or their `y` to it
                _simple(shell, raw.strip())
                installs = True
            if operator != "|":
                whole = f"{parts[index - 1][0].strip()} | {raw.strip()}"
                if not installs and not any(place in whole for place in _TOOL_SCRIPTS):
                    shell.skipped.append(whole)
                installs = False
            continue
        _simple(shell, raw.strip())


def _commands(text: str) -> Iterator[tuple[str, str]]:
    """Split a script at its operators, outside of quotes; gives each command with what follows."""
    command = ""
    for match in _SHELL_TOKEN.finditer(text.replace("\\\n", " ")):
        if match["open"]:
            raise ValueError("a quote that never ends")
        if match["operator"]:
            yield command, match["operator"]
            command = ""
        elif not match["comment"]:
            command += match[0]
    yield command, ""


def _is_install(raw: str) -> bool:
    try:
        return install_commands.parse_install(shlex.split(raw)) is not None
    except ValueError:
        return False


def _simple(shell: Shell, raw: str) -> None:
    """Do one command of a shell: variables, quotes, redirection."""
    if "$(" in raw or "`" in raw:
        shell.skipped.append(raw)
        return
    pieces, at = [], 0
    for quoted in _QUOTED.finditer(raw):
        pieces += [shell.filled(raw[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    text = "".join([*pieces, shell.filled(raw[at:])])
    reader = shlex.shlex(text, posix=True, punctuation_chars="<>")
    reader.whitespace_split, reader.commenters = True, ""
    _one(shell, list(reader), raw)


def _one(shell: Shell, words: list[str], raw: str = "") -> None:
    """Do one command, given as words."""
    raw = raw or " ".join(words)
    words, target, appends = _redirected(words)
    words = _without_prefixes(shell, words)
    if not words and not target:
        return
    program = posixpath.basename(words[0]) if words else "true"
    if place := _environment_of(program, words):
        shell.recipe.environments += ("/" + shell.path(place),)
        return
    if export := requirement_lists.read_export(words, target):
        tool, file, install = export
        _collect(shell, file, _remembered(shell, tool, install))
        return
    if target:
        if not write_output(shell, program, words[1:], target, appends=appends):
            shell.skipped.append(raw)
        return
    if found := install_commands.parse_install(words):
        _install(shell, *found, wheels=install_commands.wheel_folder(words))
    elif operation := OPERATIONS.get(program):
        try:
            operation(shell, words[1:])
        except (OSError, ValueError, IndexError):
            shell.skipped.append(raw)
    elif not _is_quiet(program, words):
        shell.skipped.append(raw)


def _is_quiet(program: str, words: Sequence[str]) -> bool:
    text = " ".join([program, *words[1:]])
    return program in QUIET or text.startswith(_QUIET_BEGINNINGS)


def _without_prefixes(shell: Shell, words: list[str]) -> list[str]:
    """Take assignments in, and leave out what only runs another command."""
    while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
        name, _, value = words.pop(0).partition("=")
        shell.variables[name] = value
    return words[1:] if words[:1] in (["sudo"], ["command"], ["exec"], ["gosu"]) else words


def _environment_of(program: str, words: Sequence[str]) -> str:
    """Return where a command makes a virtual environment; empty if it does not."""
    venv = program.startswith("python") and words[1:3] == ["-m", "venv"]
    if venv or program == "virtualenv" or (program == "uv" and words[1:2] == ["venv"]):
        named = [word for word in words[3 if venv else 2 if program == "uv" else 1 :]
                 if not word.startswith("-")]  # fmt: skip
        return named[-1] if named else ".venv"
    return ""


def _redirected(words: list[str]) -> tuple[list[str], str, bool]:
    """Take `> FILE` out of a command; what goes to /dev/null or to another stream is nothing."""
    kept: list[str] = []
    target, appends, rest = "", False, iter(words)
    for word in rest:
        if word in (">", ">>", "<<", "<", ">&", "<<-"):
            operand = next(rest, "")
            if kept and kept[-1] in ("1", "2", "&"):
                kept.pop()
            if word in (">", ">>") and not operand.startswith(("/dev/", "&")):
                target, appends = operand, word == ">>"
        else:
            kept.append(word)
    return kept, target, appends


def _install(shell: Shell, tool: str, words: tuple[str, ...], *, wheels: str | None) -> None:
    """Remember what is to be installed.

    Args:
        wheels: the folder where it is only collected for another command.
    """
    if wheels is not None:
        name = f"{wheels}/collected-{shell.one.line}-{len(shell.recipe.files.entries)}.whl"
        _collect(shell, name, _remembered(shell, tool, words))
        return
    if tool == "pip":
        collected, words = install_commands.split_off_collected(words, partial(_stand_for, shell))
        shell.recipe.installs += tuple(collected)
        if len(words) == 1:
            return
    shell.recipe.installs += (_remembered(shell, tool, words),)
    if place := _environment_of_project(tool, shell.variables):
        shell.recipe.environments += ("/" + shell.path(place),)


def _remembered(shell: Shell, tool: str, words: tuple[str, ...]) -> Install:
    """Make an Install with the files and variables of this moment."""
    env = {
        name: value
        for name, value in shell.variables.items()
        if name not in ("PATH", "HOME") and not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    files = shell.recipe.files.snapshot()
    if tool == "pdm":  # what it does is told by its files, and needs no program of its own
        tool, words = "pip", requirement_lists.pdm_words(words, shell.folder, files)
    place = f"{posixpath.basename(shell.one.where)}:{shell.one.line}"
    return Install(tool, words, shell.folder, files, env, place)


def _collect(shell: Shell, file: str, install: Install) -> None:
    """Put a file where a tool would write wheels, or a list of requirements."""
    text = f"# what `{install.text}` would install\n".encode()
    shell.recipe.files.put(shell.path(file), ImageFile(text, stands_for=install))


def _stand_for(shell: Shell, word: str) -> list[Install]:
    """Return what files stand for that a word names: one, a pattern's, or those in a folder."""
    files = shell.recipe.files
    named = {path: files.get(path) for path in shell.paths([word])}
    for path in [path for path in named if files.is_folder(path)]:
        named |= {posixpath.join(path, name): entry for name, entry in files.below(path)}
    return [entry.stands_for for entry in named.values() if entry and entry.stands_for]


def _environment_of_project(tool: str, variables: Mapping[str, str]) -> str:
    """Return where a tool makes the project's own environment; empty where it makes none."""
    if tool == "uv":
        return variables.get("UV_PROJECT_ENVIRONMENT") or ".venv"
    asked = variables.get("POETRY_VIRTUALENVS_IN_PROJECT") or variables.get(
        "PIPENV_VENV_IN_PROJECT"
    )
    return ".venv" if tool == "pdm" or (tool in ("poetry", "pipenv") and asked) else ""
