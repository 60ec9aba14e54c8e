"""The commands of a RUN that make, move and change files, done to the image's files."""

from __future__ import annotations

import itertools
import posixpath
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from flashsale.base.dockerfile.dockerfile_words import expand
from flashsale.base.dockerfile.dockerignore import compile_pattern
from flashsale.base.dockerfile.instructions import Instruction
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import ImageRecipe
from flashsale.embedded.kubelet.images.image_files import ImageFile, absolute

# Small programs that containers begin with and few other machines have. A user is of no account
# here, so what changes to another one only goes on.
_INIT = """#!/bin/sh
# Stands in for an init: runs a command, hands signals on to it, ends as it does.
while :; do
    case $1 in
        --) shift; break ;;
        -p | -e | -r | --rewrite) shift 2 ;;
        -*) shift ;;
        *) break ;;
    esac
done
"$@" <&0 &
child=$!
for name in TERM HUP QUIT USR1 USR2 INT; do trap "kill -$name $child 2>/dev/null" $name; done
while :; do
    wait $child
    code=$?
    kill -0 $child 2>/dev/null || exit $code
done
"""
_AS_USER = """#!/bin/sh
# Stands in for a program that runs a command as another user; there is one user alone here.
shift
exec "$@"
"""
_OWNER = """#!/bin/sh
# Stands in for one that gives files away: all belong to the one user there is.
exit 0
"""
_OWNERS = ("chown", "chgrp")
STAND_INS = {"tini": _INIT, "dumb-init": _INIT, "gosu": _AS_USER, "su-exec": _AS_USER,
             "chown": _OWNER, "chgrp": _OWNER}  # fmt: skip
Status = bool | None  # whether a command succeeds; None if that cannot be told


@dataclass(slots=True)
class Shell:
    """What one RUN has changed so far for the commands after it."""

    recipe: ImageRecipe
    instruction: Instruction
    folder: str
    variables: dict[str, str]
    run_script: Callable[[Shell, str], Status]
    skipped: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)  # variables whose values cannot be told
    may_fail: bool = False  # another command follows after `||`
    depth: int = 0  # how many scripts have called one another

    def filled(self, text: str) -> str:
        """Replace variables; quotes and escapes stay.

        Raises:
            ValueError: a shell alone could tell.
        """
        return expand(text, self.variables, has_quotes=False, keeps_escapes=True)

    def path(self, word: str) -> str:
        home = self.variables["HOME"]
        return absolute(self.folder, home + word[1:] if word.startswith("~") else word)

    def paths(self, words: Sequence[str]) -> list[str]:
        """Return the paths that words mean, wildcards included."""
        return [path for word in words for path in self.recipe.files.matching(self.path(word))]


def write_text(shell: Shell, text: bytes, target: str, *, appends: bool) -> None:
    path = shell.path(target)
    before = shell.recipe.files.get(path)
    content = (before.read() if before and appends else b"") + text
    entry = replace(before, source=content) if before else ImageFile(content)
    shell.recipe.files.put(path, entry)


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
    letters, (*sources, target) = _options(words)
    keeps_links = moves or bool({*"raRdP"} & {*letters})
    files, place = shell.recipe.files, shell.path(target)
    sources_found = shell.paths(sources)
    if not sources_found:
        raise FileNotFoundError(target)
    into = files.is_folder(place) or target.endswith("/")
    whole = [source for source in sources if source.endswith("/.")]
    for path in sources_found:
        inside = posixpath.join(place, posixpath.basename(path)) if into and not whole else place
        if files.get(path) != (meant := files.follow(path)) and meant and not keeps_links:
            files.put(inside, meant)
        else:
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
    plain = [word for word in rest if word not in flags]
    scripts = [after for word, after in itertools.pairwise(plain) if word == "-e"]
    names = [word for word in plain if word not in ("-e", *scripts)]
    scripts = scripts or [names.pop(0)]
    for path in shell.paths(names):
        entry = shell.recipe.files.get(path)
        assert entry is not None, "it matched just now"
        done = subprocess.run(
            ["sed", "--sandbox", *flags, *(part for script in scripts for part in ("-e", script))],
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


def _set(shell: Shell, words: Sequence[str]) -> None:
    """`set -- A B`; options of the shell itself make no difference here."""
    if "--" in words:
        shell.variables.update(positional([shell.variables.get("0", "sh"), *words[1:]]))


def _unset(shell: Shell, words: Sequence[str]) -> None:
    for word in words:
        shell.variables.pop(word, None)


def positional(words: Sequence[str]) -> dict[str, str]:
    """Return `$0`, `$1`, `$@` and `$#` for the name of a script and its arguments."""
    numbered = {str(number): word for number, word in enumerate(words)}
    rest = " ".join(words[1:])
    return {**numbered, "@": rest, "*": rest, "#": str(max(len(words) - 1, 0))}


def _dos2unix(shell: Shell, words: Sequence[str]) -> None:
    for path in shell.paths(_options(words)[1]):
        entry = shell.recipe.files.get(path)
        assert entry is not None, "it matched just now"
        shell.recipe.files.put(path, replace(entry, source=entry.read().replace(b"\r\n", b"\n")))


def _find(shell: Shell, words: Sequence[str]) -> None:
    """`find FOLDER -name PATTERN -type f`, and `-delete` or `-exec COMMAND {} +` with each.

    Of what the base image has nothing is found, which may be less then.
    """
    rest = list(words)
    folders = [rest.pop(0) for _ in itertools.takewhile(lambda word: word[:1] not in "-(!", words)]
    paths = [shell.path(folder) for folder in folders or ["."]]
    paths_found = [
        posixpath.join(path, name) for path in paths for name, _ in shell.recipe.files.below(path)
    ]
    if not paths_found:
        return
    while rest:
        option = rest.pop(0)
        if option in ("-name", "-iname"):
            wanted = compile_pattern(rest.pop(0))
            paths_found = [
                path for path in paths_found if wanted.fullmatch(posixpath.basename(path))
            ]
        elif option == "-type":
            folder = {"f": False, "d": True}[rest.pop(0)]
            paths_found = [
                path for path in paths_found if shell.recipe.files.is_folder(path) is folder
            ]
        elif option == "-delete":
            _rm(shell, [f"/{path}" for path in paths_found])
        elif option == "-exec":
            program, *before = rest[: rest.index("{}")]
            names, after = [f"/{path}" for path in paths_found], rest[rest.index("{}") + 1 :]
            together = after[-1:] == ["+"]
            for each in [names] if together else [[name] for name in names]:
                OPERATIONS[program](shell, [*before, *each, *after[:-1]])
            return
        elif option not in ("-print", "-depth"):
            raise ValueError(option)


def _add_system_packages(shell: Shell, words: Sequence[str]) -> None:
    """`apt-get install`, `apk add`: nothing is installed, but some programs have a stand-in.

    Raises:
        ValueError: something else is wanted that this machine does not have.
    """
    _, (command, *wanted) = _options([word for word in words if word != "-t"])
    names = [re.split("[=<>~/:]", name)[0] for name in wanted]
    if command not in ("install", "add"):
        raise ValueError(command)
    for name in {*names, *_OWNERS} & {*STAND_INS} if {*names} & {*STAND_INS} else ():
        if not shutil.which(name) or name in _OWNERS:
            place = f"usr/bin/{name}"
            shell.recipe.files.put(place, ImageFile(STAND_INS[name].encode(), 0o755))
    if missing := [
        package for package in names if package not in STAND_INS and not shutil.which(package)
    ]:
        raise ValueError(missing[0])


OPERATIONS: dict[str, Callable[[Shell, Sequence[str]], None]] = {
    "cd": _cd, "set": _set, "unset": _unset, "export": _export, "mkdir": _mkdir, "touch": _touch,
    "rm": _rm, "rmdir": _rm,
    "chmod": _chmod, "cp": _cp, "mv": _mv, "ln": _ln, "install": _install_files, "sed": _sed,
    "find": _find, "apt-get": _add_system_packages, "apt": _add_system_packages,
    "apk": _add_system_packages, "useradd": _add_user, "adduser": _add_user, "dos2unix": _dos2unix,
    "echo": lambda shell, words: None, "printf": lambda shell, words: None,
}  # fmt: skip
