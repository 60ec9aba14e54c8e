"""RUN, as far as it can be done without a container: packages and files.

Commands that install Python packages are remembered for the image's own environment; those that
make, move and change files are done to the image's files. Users and owners make no difference here,
for pods run as whoever started the cluster. Everything else is left out, and said in a note.
"""

from __future__ import annotations

import posixpath
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from flashsale.base.dockerfile import Instruction
from flashsale.base.dockerfile_words import expand
from flashsale.embedded.kubelet.images import install_commands
from flashsale.embedded.kubelet.images.image_files import ImageFile, absolute
from flashsale.embedded.kubelet.images.image_recipe import ImageRecipe, shorten
from flashsale.embedded.kubelet.images.install_commands import Install

NO_FILES: Mapping[str, ImageFile] = MappingProxyType({})
# These make no difference to an image here, or none at all.
QUIET = (
    *("set", "true", ":", "umask", "sync", "chown", "chgrp", "usermod", "groupadd", "addgroup"),
    *("which", "ls", "pwd", "id", "whoami", "env", "cat", "test", "[", "date", "uname", "ldconfig"),
    *("shopt", "exit", "locale-gen", "update-ca-certificates", "hash"),
)
USERS = ("useradd", "adduser")
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


@dataclass(slots=True)
class Shell:
    """What one RUN has changed so far for the commands after it."""

    recipe: ImageRecipe
    one: Instruction
    folder: str
    variables: dict[str, str]
    skipped: list[str] = field(default_factory=list)

    def filled(self, text: str) -> str:
        """Replace variables; quotes and escapes stay.

        Raises:
            ValueError: a shell alone could tell.
        """
        return expand(text, self.variables, has_quotes=False, keeps_escapes=True)

    def path(self, word: str) -> str:
        """Return a word as a path of the image."""
        home = self.variables["HOME"]
        return absolute(self.folder, home + word[1:] if word.startswith("~") else word)

    def paths(self, words: Sequence[str]) -> list[str]:
        """Return the paths that words mean, wildcards included."""
        return [path for word in words for path in self.recipe.files.matching(self.path(word))]


def run(recipe: ImageRecipe, one: Instruction, mounts: Mapping[str, ImageFile] = NO_FILES) -> None:
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
        return install_commands.parse(shlex.split(raw)) is not None
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
    if target:
        if not _write(shell, program, words[1:], target, appends=appends):
            shell.skipped.append(raw)
        return
    if found := install_commands.parse(words):
        _install(shell, *found)
    elif operation := _OPERATIONS.get(program):
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


def _write(shell: Shell, program: str, words: Sequence[str], target: str, *, appends: bool) -> bool:
    """Write what a command prints into a file; whether that could be told."""
    if program == "echo":
        flags = [word for word in words[:2] if re.fullmatch("-[neE]+", word)]
        text = " ".join(words[len(flags) :])
        # /bin/sh of Debian's images, dash, reads escapes with and without -e.
        text = _escapes(text) + ("" if any("n" in flag for flag in flags) else "\n")
    elif program == "printf" and words:
        text = _escapes(words[0])
        if "%" in text:
            try:
                text = text % tuple(words[1:])
            except (TypeError, ValueError):
                return False
    elif program == "cat" and shell.one.documents and not words:
        document = shell.one.documents[0]
        text = shell.filled(document.body) if document.filled else document.body
        text = re.sub(r"\\([$`\\])", r"\1", text) if document.filled else text
    elif program in ("true", ":"):
        text = ""
    else:
        return False
    path = shell.path(target)
    before = shell.recipe.files.get(path)
    content = (before.read() if before and appends else b"") + text.encode()
    entry = replace(before, source=content) if before else ImageFile(content)
    shell.recipe.files.put(path, entry)
    return True


def _escapes(text: str) -> str:
    known = {"n": "\n", "t": "\t", "\\": "\\", "r": "\r"}
    return re.sub(r"\\([nt\\r])", lambda match: known[match[1]], text)


def _install(shell: Shell, tool: str, words: tuple[str, ...]) -> None:
    """Remember what is to be installed, with the files and variables of this moment."""
    env = {
        name: value
        for name, value in shell.variables.items()
        if name not in ("PATH", "HOME") and not name.startswith(("PYTHON", "VIRTUAL_ENV"))
    }
    if len(words) > 1 or tool != "pip":
        place = f"{posixpath.basename(shell.one.where)}:{shell.one.line}"
        files = shell.recipe.files.snapshot()
        install = Install(tool, words, shell.folder, files, env, place)
        shell.recipe.installs += (install,)
        if place := _environment_of_project(tool, shell.variables):
            shell.recipe.environments += ("/" + shell.path(place),)


def _environment_of_project(tool: str, variables: Mapping[str, str]) -> str:
    """Return where a tool makes the project's own environment; empty where it makes none."""
    if tool == "uv":
        return variables.get("UV_PROJECT_ENVIRONMENT") or ".venv"
    asked = variables.get("POETRY_VIRTUALENVS_IN_PROJECT") or variables.get(
        "PIPENV_VENV_IN_PROJECT"
    )
    return ".venv" if tool in ("poetry", "pipenv") and asked else ""


def _options(words: Sequence[str]) -> tuple[str, list[str]]:
    """Split the letters of short options, and long options by their first letter, from the rest."""
    letters = "".join(
        word.lstrip("-") if not word.startswith("--") else word[2]
        for word in words
        if word.startswith("-") and len(word) > 1
    )
    return letters, [word for word in words if not word.startswith("-") or len(word) < 2]


def _cd(shell: Shell, words: Sequence[str]) -> None:
    shell.folder = "/" + shell.path(words[0] if words else "~")


def _export(shell: Shell, words: Sequence[str]) -> None:
    for word in words:
        name, _, value = word.partition("=")
        shell.variables[name] = value


def _mkdir(shell: Shell, words: Sequence[str]) -> None:
    rest = iter(words)
    for word in rest:
        if word in ("-m", "--mode"):
            next(rest, "")
        elif not word.startswith("-"):
            for each in _braces(word):
                shell.recipe.files.make_folder(shell.path(each))


def _braces(word: str) -> Iterator[str]:
    """Take `a/{b,c}` apart, as bash does."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", word)
    if match is None:
        yield word
        return
    for part in match[1].split(","):
        yield from _braces(word[: match.start()] + part + word[match.end() :])


def _touch(shell: Shell, words: Sequence[str]) -> None:
    for word in _options(words)[1]:
        if shell.recipe.files.get(shell.path(word)) is None:
            shell.recipe.files.put(shell.path(word), ImageFile(b""))


def _rm(shell: Shell, words: Sequence[str]) -> None:
    for path in shell.paths(_options(words)[1]):
        shell.recipe.files.remove(path)


def _chmod(shell: Shell, words: Sequence[str]) -> None:
    flags = [word for word in words if re.fullmatch("-[RvcfH]+|--recursive", word)]
    mode, *rest = [word for word in words if word not in flags]
    recursive = any("R" in flag or flag == "--recursive" for flag in flags)
    paths = shell.paths(rest)
    if rest and not paths:
        raise FileNotFoundError(rest[0])
    for path in paths:
        shell.recipe.files.change_mode(path, mode, recursive=recursive)


def _cp(shell: Shell, words: Sequence[str], *, moves: bool = False) -> None:
    *sources, target = _options(words)[1]
    files, place = shell.recipe.files, shell.path(target)
    found = shell.paths(sources)
    if not found:
        raise FileNotFoundError(target)
    into = files.is_folder(place) or target.endswith("/")
    whole = [source for source in sources if source.endswith("/.")]
    for path in found:
        inside = posixpath.join(place, posixpath.basename(path)) if into and not whole else place
        files.copy(path, inside)
        if moves and path != inside:
            files.remove(path)


def _mv(shell: Shell, words: Sequence[str]) -> None:
    _cp(shell, words, moves=True)


def _ln(shell: Shell, words: Sequence[str]) -> None:
    letters, rest = _options(words)
    target = rest[0]
    name = rest[1] if len(rest) > 1 else posixpath.basename(target)
    place = shell.path(name)
    if shell.recipe.files.is_folder(place) and "n" not in letters and "T" not in letters:
        place = posixpath.join(place, posixpath.basename(target))
    if "s" in letters:
        shell.recipe.files.put(place, ImageFile(mode=0o777, link=target))
    else:
        shell.recipe.files.copy(shell.path(target), place)


def _install_files(shell: Shell, words: Sequence[str]) -> None:
    """`install -d FOLDER` and `install -m 755 FILE PLACE`."""
    mode = next((words[i + 1] for i, word in enumerate(words) if word == "-m"), "755")
    rest = [word for word in _options(words)[1] if word != mode]
    if "-d" in words:
        _mkdir(shell, rest)
        return
    _cp(shell, rest)
    _chmod(shell, [mode, rest[-1]])


def _sed(shell: Shell, words: Sequence[str]) -> None:
    """`sed -i`: done by this machine's sed, on the content alone."""
    if not any(re.fullmatch(r"-\w*i.*|--in-place.*", word) for word in words):
        return
    rest = [word for word in words if not re.fullmatch(r"-\w*i.*|--in-place.*", word)]
    flags = [word for word in rest if re.fullmatch(r"-[nEr]+", word)]
    script, *names = [word for word in rest if word not in (*flags, "-e")]
    for path in shell.paths(names):
        entry = shell.recipe.files.get(path)
        assert entry is not None, "it matched just now"
        done = subprocess.run(
            ["sed", "--sandbox", *flags, "-e", script],
            input=entry.read(), capture_output=True, timeout=10, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ValueError(done.stderr.decode(errors="replace"))
        shell.recipe.files.put(path, replace(entry, source=done.stdout))


def _add_user(shell: Shell, words: Sequence[str]) -> None:
    """A user is of no account here, but its home may hold files."""
    letters, rest = _options(words)
    if "m" in letters and rest:
        shell.recipe.files.make_folder(f"home/{rest[-1]}")


def _dos2unix(shell: Shell, words: Sequence[str]) -> None:
    for path in shell.paths(_options(words)[1]):
        entry = shell.recipe.files.get(path)
        assert entry is not None, "it matched just now"
        shell.recipe.files.put(path, replace(entry, source=entry.read().replace(b"\r\n", b"\n")))


_OPERATIONS: dict[str, Callable[[Shell, Sequence[str]], None]] = {
    "cd": _cd, "export": _export, "mkdir": _mkdir, "touch": _touch, "rm": _rm, "rmdir": _rm,
    "chmod": _chmod, "cp": _cp, "mv": _mv, "ln": _ln, "install": _install_files, "sed": _sed,
    "useradd": _add_user, "adduser": _add_user, "dos2unix": _dos2unix,
    "echo": lambda shell, words: None, "printf": lambda shell, words: None,
}  # fmt: skip
