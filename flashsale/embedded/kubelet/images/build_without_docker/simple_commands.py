"""One command of a RUN: its words as its program gets them, and what it does to the image."""

from __future__ import annotations

import errno
import posixpath
import re
from collections.abc import Mapping, Sequence
from functools import partial

from flashsale.embedded.kubelet.images.build_without_docker import (
    install_commands,
    install_words,
    requirement_lists,
)
from flashsale.embedded.kubelet.images.build_without_docker.file_commands import (
    OPERATIONS,
)
from flashsale.embedded.kubelet.images.build_without_docker.install_commands import Install
from flashsale.embedded.kubelet.images.build_without_docker.shell.called_scripts import (
    call,
    script_of,
    why_not_run,
    without_options,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_answers import (
    holds,
    output_of,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_state import (
    ExitError,
    Shell,
    Status,
    write_text,
)
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_words import (
    content_of,
    split_redirections,
    words_of,
)
from flashsale.embedded.kubelet.images.image_files import ImageFile

# These make no difference to an image here, or none at all.
QUIET = (
    *("true", ":", "umask", "sync", "chown", "chgrp", "usermod", "groupadd", "addgroup"),
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
# What runs another command, and its options that have a value.
_PREFIXES = {"sudo": ("u", "g"), "command": (), "exec": (), "builtin": (), "eval": (), "time": (),
             "env": ("u",), "nohup": (), "nice": ("n",), "ionice": ("c", "n")}  # fmt: skip
_CERTAIN = (errno.ENOENT, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY)


def run_simple(shell: Shell, raw: str) -> Status:
    """Do one command of a shell: variables, quotes, redirection."""
    words = words_of(shell, raw)
    if words is None:
        assigned = re.match(r"(?:export\s+)?([A-Za-z_]\w*)=", raw)
        shell.unknown |= {assigned[1]} if assigned else set()
        return shell.skip(raw)
    return run_words(shell, words, raw)


def run_words(shell: Shell, words: list[str], raw: str = "", given: bytes | None = None) -> Status:
    """Do one command, given as words.

    Args:
        given: its standard input, if that is known.
    """
    raw = raw or " ".join(words)
    try:
        return _run_words(shell, words, raw, given)
    except OSError as error:
        if error.errno not in _CERTAIN or not error.filename:
            raise
        word, is_missing = str(error.filename), isinstance(error, FileNotFoundError)
        if not shell.is_certain or (is_missing and shell.may_have(shell.path(word))):
            return shell.skip(raw)
        return shell.fail(raw, f"{word}: {error.strerror}")


def _run_words(shell: Shell, words: list[str], raw: str, given: bytes | None) -> Status:
    words, target, appends, source = split_redirections(words)
    given = content_of(shell, source) if source else given
    words = _without_prefixes(shell, words)
    if words[:1] == ["xargs"] and given is not None:
        command = without_options(words[1:], "n", "L", "P", "d")
        if len(words) > len(command) + 1 and not install_words.parse_install(command):
            return shell.skip(raw)  # it is run more than once
        words = [*command, *given.decode(errors="replace").split()]
    status: Status = True
    if not words and not target:
        return status
    if export := requirement_lists.read_export(words, target):
        tool, file, install = export
        _collect(shell, file, _remembered(shell, tool, install))
        return True
    if not target and words[0] != "tee":
        return _run_program(shell, words, raw, given)
    text = given if words[:1] == ["tee"] else output_of(shell, words, given)
    if text is None:
        if not install_words.parse_install(words) and words[0] not in OPERATIONS:
            return shell.skip(raw)
        status, text = _run_program(shell, words, raw, given), b""  # what it prints is not known
    for file in [target] if target else without_options(words[1:]):
        write_text(shell, text, file, appends=appends or words[:2] == ["tee", "-a"])
    return status


def _run_program(shell: Shell, words: list[str], raw: str, given: bytes | None) -> Status:
    """Do a command whose output goes nowhere."""
    program = posixpath.basename(words[0])
    if why := why_not_run(shell, words):
        return shell.fail(raw, why)
    if program == "exit":
        raise ExitError(_exit_status(shell, words[1:], raw))
    if program in ("false", "test", "[", "[[") or program.endswith("grep"):
        held = holds(shell, words, given)
        return shell.fail(raw) if held is False else held
    if (script := script_of(shell, words)) is not None:
        return call(shell, script, words, raw)
    if place := _environment_of(program, words):
        shell.recipe.environments += ("/" + shell.path(place),)
        return True
    if install := install_words.parse_install(words):
        shell.paths(install_words.listed_files(install[1]))  # which are there
        tool, named = install
        if {"-", "/dev/stdin"} & {*named}:
            return shell.skip(raw)
        _install(
            shell, tool, tuple(each for word in named for each in _expanded(shell, word)), words
        )
        return True
    if _is_quiet(program, words):
        return True if program in ("true", ":") else None
    try:
        OPERATIONS[program](shell, words[1:])
    except (KeyError, ValueError, IndexError):
        return shell.skip(raw)
    return True


def _exit_status(shell: Shell, words: Sequence[str], raw: str) -> Status:
    if not words and "?" in shell.unknown:
        return None
    status = [*words, shell.variables["?"]][0] == "0"
    return status or shell.fail(raw, "".join(shell.printed[-1:]))


def _is_quiet(program: str, words: Sequence[str]) -> bool:
    text = " ".join([re.sub(r"(?<=^python)3[\d.]*", "", program), *words[1:]])
    return program in QUIET or text.startswith(_QUIET_BEGINNINGS)


def _without_prefixes(shell: Shell, words: list[str]) -> list[str]:
    """Take assignments in, and leave out what only runs another command."""
    while words:
        program = posixpath.basename(words[0])
        if re.fullmatch(r"[A-Za-z_]\w*=.*", words[0], re.DOTALL):
            name, _, value = words.pop(0).partition("=")
            shell.variables[name] = value
        elif program in _PREFIXES and len(words) > 1 and words[1] != "-v":
            words = without_options(words[1:], *_PREFIXES[program])
        elif program in ("gosu", "su-exec") and len(words) > 2:
            words = words[2:]
        else:
            break
    return words


def _environment_of(program: str, words: Sequence[str]) -> str:
    """Return where a command makes a virtual environment; empty if it does not."""
    venv = program.startswith("python") and words[1:3] == ["-m", "venv"]
    if venv or program == "virtualenv" or (program == "uv" and words[1:2] == ["venv"]):
        named = [word for word in words[3 if venv else 2 if program == "uv" else 1 :]
                 if not word.startswith("-")]  # fmt: skip
        return named[-1] if named else ".venv"
    return ""


def _expanded(shell: Shell, word: str) -> list[str]:
    """Return the files that a pattern names, as a shell does; the word itself where it is none."""
    names = shell.recipe.files.matching(shell.path(word)) if "*" in word else []
    return [f"/{name}" for name in names] or [word]


def _install(shell: Shell, tool: str, words: tuple[str, ...], command: Sequence[str]) -> None:
    """Remember what is to be installed, or collected for another command.

    Args:
        command: all its words, with those that say where to.
    """
    folders = [word.partition("[")[0] for word in words if "/" in word or word[:1] == "."]
    # A build leaves others beside it.
    shell.recipe.has_unknown_files |= any(
        shell.recipe.files.is_folder(shell.path(folder)) for folder in folders
    )
    if place := install_words.package_folder(command):
        shell.recipe.package_folders += (shell.path(place),)
    wheels = install_words.wheel_folder(command)
    if wheels is not None:
        name = f"{wheels}/collected-{shell.instruction.line}-{len(shell.recipe.files.entries)}.whl"
        _collect(shell, name, _remembered(shell, tool, words))
        return
    if tool == "pip":
        collected, words = install_commands.split_off_collected(words, partial(_stand_for, shell))
        shell.recipe.installs += tuple(collected)
        if len(words) == 1:
            return
    install = _remembered(shell, tool, words)
    shell.recipe.installs += (install,) if len(install.words) > 1 or install.tool != "pip" else ()
    adds = [posixpath.basename(command[0]), *command[1:2]] == ["uv", "add"]
    if place := _environment_of_project("uv" if adds else tool, shell.variables):
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
    place = f"{posixpath.basename(shell.instruction.where)}:{shell.instruction.line}"
    return Install(tool, words, shell.folder, files, env, place)


def _collect(shell: Shell, file: str, install: Install) -> None:
    """Put a file where a tool would write wheels, or a list of requirements."""
    text = f"# what `{install.text}` would install\n".encode()
    shell.recipe.files.put(shell.path(file), ImageFile(text, stands_for=install))


def _stand_for(shell: Shell, word: str) -> list[Install]:
    """Return what files stand for that a word names: one, a pattern's, or those in a folder."""
    files = shell.recipe.files
    named = {path: files.get(path) for path in files.matching(shell.path(word))}
    for path in [path for path in named if files.is_folder(path)]:
        named |= {posixpath.join(path, name): entry for name, entry in files.below(path)}
    if not named and word.endswith((".whl", ".tar.gz")):  # its name is known to its builder alone
        named = dict(files.below(posixpath.dirname(shell.path(word))))
    return [entry.stands_for for entry in named.values() if entry and entry.stands_for]


def _environment_of_project(tool: str, variables: Mapping[str, str]) -> str:
    """Return where a tool makes the project's own environment; empty where it makes none."""
    if tool == "uv":
        return variables.get("UV_PROJECT_ENVIRONMENT") or ".venv"
    in_project = variables.get("POETRY_VIRTUALENVS_IN_PROJECT") or variables.get(
        "PIPENV_VENV_IN_PROJECT"
    )
    return ".venv" if tool == "pdm" or (tool in ("poetry", "pipenv") and in_project) else ""
