"""The commands of a RUN that make, move and change files, done to the image's files."""

from __future__ import annotations

import errno
import getopt
import itertools
import os
import posixpath
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from flashsale.base.dockerfile.dockerignore import compile_pattern
from flashsale.embedded.kubelet.images.build_without_docker.requirement_lists import option_value
from flashsale.embedded.kubelet.images.build_without_docker.shell.shell_state import (
    BASH_ALONE,
    ExitError,
    Shell,
    positional,
)
from flashsale.embedded.kubelet.images.build_without_docker.system_packages import (
    add_system_packages,
)
from flashsale.embedded.kubelet.images.image_files import ImageFile

_TOUCH_OPTIONS = ("date=", "reference=", "time=", "no-create", "no-dereference")
_INSTALL_OPTIONS = ("mode=", "owner=", "group=", "directory", "verbose", "preserve-timestamps")


def _options(words: Sequence[str]) -> tuple[str, list[str]]:
    """Split the letters of short options, and long options by their first letter, from the rest."""
    letters = "".join(
        word.lstrip("-") if not word.startswith("--") else word[2]
        for word in words
        if word.startswith("-") and len(word) > 1
    )
    return letters, [word for word in words if not word.startswith("-") or len(word) < 2]


def _parsed(
    words: Sequence[str], short: str, long: Sequence[str]
) -> tuple[list[tuple[str, str]], list[str]]:
    """Split options, with their values, from the rest.

    Raises:
        ValueError: an option is not known, or lacks its value.
    """
    try:
        return getopt.gnu_getopt(words, short, long)
    except getopt.GetoptError as error:
        raise ValueError(str(error)) from error


def _error(code: int, word: str) -> OSError:
    return OSError(code, os.strerror(code), word)


def _cd(shell: Shell, words: Sequence[str]) -> None:
    word = next((word for word in words if word not in ("--", "-P", "-L", "-e")), "~")
    path = shell.recipe.files.real(
        shell.path(shell.variables.get("OLDPWD", word) if word == "-" else word)
    )
    entry = shell.recipe.files.get(path)
    if entry is None and not shell.may_have(path):
        raise _error(errno.ENOENT, word)
    if entry and not entry.is_folder:
        raise _error(errno.ENOTDIR, word)
    shell.variables |= {"OLDPWD": shell.folder, "PWD": f"/{path}"}
    shell.folder = f"/{path}"


def _export(shell: Shell, words: Sequence[str]) -> None:
    for word in words:
        name, _, value = word.partition("=")
        shell.variables[name] = value


def _mkdir(shell: Shell, words: Sequence[str]) -> None:
    rest, with_parents = iter(words), "p" in _options(words)[0]
    for word in rest:
        if word in ("-m", "--mode"):
            next(rest, "")
        elif not word.startswith("-"):
            for each in _braces(word) if shell.dialect == "bash" else [word]:
                path = shell.path(each) if with_parents else shell.new_path(each)
                if not with_parents and shell.recipe.files.get(path):
                    raise _error(errno.EEXIST, each)
                shell.recipe.files.make_folder(path)


def _braces(word: str) -> Iterator[str]:
    """Take `a/{b,c}` apart, as bash does."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", word)
    if match is None:
        yield word
        return
    for part in match[1].split(","):
        yield from _braces(word[: match.start()] + part + word[match.end() :])


def _touch(shell: Shell, words: Sequence[str]) -> None:
    options, rest = _parsed(words, "acfhmd:r:t:", _TOUCH_OPTIONS)
    if {"-c", "--no-create"} & {*dict(options)}:
        return
    for word in rest:
        path = shell.recipe.files.real(shell.new_path(word))
        if shell.recipe.files.get(path) is None:
            shell.recipe.files.put(path, ImageFile(b""))


def _rm(shell: Shell, words: Sequence[str]) -> None:
    letters, rest = _options(words)
    for word in rest:
        try:
            paths = shell.paths([word])
        except FileNotFoundError:
            if "f" in letters:
                continue
            raise
        for path in paths:
            if shell.recipe.files.is_folder(path) and not {*"rRd"} & {*letters}:
                raise _error(errno.EISDIR, word)
            shell.recipe.files.remove(path)


def _rmdir(shell: Shell, words: Sequence[str]) -> None:
    for path in shell.paths(_options(words)[1]):
        if next(shell.recipe.files.below(path), None):
            raise _error(errno.ENOTEMPTY, f"/{path}")
        shell.recipe.files.remove(path)


def _chmod(shell: Shell, words: Sequence[str]) -> None:
    flags = [word for word in words if re.fullmatch("-[RvcfH]+|--recursive", word)]
    mode, *rest = [word for word in words if word not in flags]
    recursive = any("R" in flag or flag == "--recursive" for flag in flags)
    for path in shell.paths(rest):
        shell.recipe.files.change_mode(shell.recipe.files.real(path), mode, recursive=recursive)


def _cp(shell: Shell, words: Sequence[str], *, moves: bool = False) -> None:
    letters, (*sources, target) = _options(words)
    if "t" in letters or "--parents" in words:
        raise ValueError("the folder is not the last word, or others are made")
    keeps_links = moves or bool({*"raRdP"} & {*letters})
    files, place = shell.recipe.files, shell.new_path(target)
    sources_found = shell.paths(sources)
    place = files.real(place) if files.is_folder(files.real(place)) else place
    into = files.is_folder(place)
    into_named = target.endswith("/") and [*map(files.is_folder, sources_found)] != [True]
    if not into and (into_named or len(sources_found) > 1) and not shell.may_have(place):
        several_to_nothing = len(sources_found) > 1 and files.get(place) is None
        raise _error(errno.ENOENT if several_to_nothing else errno.ENOTDIR, target)
    into = into or into_named
    whole = [source for source in sources if source.endswith("/.")]
    for path in sources_found:
        if files.is_folder(path) and not moves and not {*"raR"} & {*letters}:
            raise _error(errno.EISDIR, f"/{path}")
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
    place = shell.new_path(name)
    real = place if {*"nT"} & {*letters} else shell.recipe.files.real(place)
    if shell.recipe.files.is_folder(real):
        place = posixpath.join(real, posixpath.basename(target))
    if shell.recipe.files.get(place) and "f" not in letters:
        raise _error(errno.EEXIST, name)
    if "s" in letters:
        shell.recipe.files.put(place, ImageFile(mode=0o777, link=target))
    else:
        shell.recipe.files.copy(shell.paths([target])[0], place)


def _install_files(shell: Shell, words: Sequence[str]) -> None:
    """`install -d FOLDER` and `install -m 755 FILE PLACE`."""
    options, rest = _parsed(words, "bcCdDpsTvm:o:g:", _INSTALL_OPTIONS)
    given = dict(options)
    if {"-d", "--directory"} & {*given}:
        _mkdir(shell, ["-p", *rest])
        return
    if "-D" in given:
        shell.recipe.files.make_folder(posixpath.dirname(shell.path(rest[-1])))
    _cp(shell, rest)
    _chmod(shell, [given.get("-m") or given.get("--mode") or "755", rest[-1]])


def _sed(shell: Shell, words: Sequence[str]) -> None:
    """`sed -i`: done by this machine's sed, on the content alone."""
    in_place = next((word for word in words if re.fullmatch(r"-\w*i.*|--in-place.*", word)), None)
    if in_place is None:
        return
    kept_as = re.sub(r"-\w*?i|--in-place=?", "", in_place)  # what the old file has behind its name
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
        shell.recipe.files.put(path + kept_as, entry)
        shell.recipe.files.put(path, replace(entry, source=done.stdout))


def _add_user(shell: Shell, words: Sequence[str], *, asks: bool = False) -> None:
    """A user is of no account here, but its home may hold files.

    Args:
        asks: as adduser does, which makes a home unless it is told not to.
    """
    letters, rest = _options(words)
    home = option_value(words, ("-d", "--home-dir", "--home", "-h")) or f"/home/{rest[-1]}"
    if "m" in letters or (asks and not {"--no-create-home", "-H"} & {*words}):
        shell.recipe.files.make_folder(shell.path(home))


def _ask_for_user(shell: Shell, words: Sequence[str]) -> None:
    _add_user(shell, words, asks=True)


def _set(shell: Shell, words: Sequence[str]) -> None:
    """`set -- A B`, and `set -e`; other options of the shell make no difference here."""
    options = [*itertools.takewhile(lambda word: word != "--", words)]
    for option, name in zip(options, [*options, ""][1:], strict=True):
        if re.match("[-+][a-z]*e", option) or (
            re.match("[-+][a-z]*o", option) and name == "errexit"
        ):
            shell.ends_on_failure = option[0] == "-"
    if "pipefail" in options and shell.dialect == "dash":
        raise ExitError(shell.fail("set -o pipefail", BASH_ALONE))
    if "--" in words:
        shell.variables.update(positional([shell.variables.get("0", "sh"), *words[1:]]))


def _unset(shell: Shell, words: Sequence[str]) -> None:
    for word in words:
        shell.variables.pop(word, None)


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
            for path in paths_found:
                shell.recipe.files.remove(path)
        elif option == "-exec":
            program, *before = rest[: rest.index("{}")]
            names, after = [f"/{path}" for path in paths_found], rest[rest.index("{}") + 1 :]
            together = after[-1:] == ["+"]
            for each in [names] if together else [[name] for name in names]:
                OPERATIONS[program](shell, [*before, *each, *after[:-1]])
            return
        elif option not in ("-print", "-depth"):
            raise ValueError(option)


OPERATIONS: dict[str, Callable[[Shell, Sequence[str]], None]] = {
    "cd": _cd, "set": _set, "unset": _unset, "export": _export, "mkdir": _mkdir, "touch": _touch,
    "rm": _rm, "rmdir": _rmdir,
    "chmod": _chmod, "cp": _cp, "mv": _mv, "ln": _ln, "install": _install_files, "sed": _sed,
    "find": _find, "apt-get": add_system_packages, "apt": add_system_packages,
    "apk": add_system_packages, "useradd": _add_user, "adduser": _ask_for_user,
    "dos2unix": _dos2unix,
    "echo": lambda shell, words: shell.printed.append(" ".join(words)),
    "printf": lambda shell, words: None,
}  # fmt: skip
