"""From a Dockerfile's instructions to what an image consists of: which files where, how to start.

RUN is not executed: nothing is installed on the embedded cluster, its pods use the packages of
flashsale's own environment. So a RUN that only installs what is there, or adds a user (pods run as
the user who started the cluster), is passed over; any other becomes a note.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path, PurePosixPath

from flashsale.embedded.kubelet.images.dockerfile import Instruction
from flashsale.embedded.kubelet.images.dockerignore import ALWAYS, glob, ignored

_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")
_PIP = (["pip"], ["pip3"], ["python", "-m", "pip"], ["python3", "-m", "pip"])
_USERS = ("useradd", "adduser", "groupadd", "addgroup")
_WITH_VALUE = ("-i", "--index-url", "--extra-index-url", "--trusted-host", "-f", "--find-links")


@dataclass(slots=True)
class ImageRecipe:
    """What the instructions add up to."""

    files: dict[str, Path] = field(
        default_factory=dict
    )  # path in the image (no leading /) -> source
    folders: set[str] = field(default_factory=set)
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    user: str = ""
    ports: tuple[int, ...] = ()
    notes: tuple[str, ...] = ()


def write(instructions: Sequence[Instruction], folder: Path) -> ImageRecipe:
    """Follow the last stage's instructions over an app folder.

    Raises:
        BadInputError: something cannot be done; file and line are named.
    """
    recipe = ImageRecipe()
    leave_out = ignored(folder)
    for one in instructions:
        if one.keyword in ("COPY", "ADD"):
            _copy(recipe, one, folder, leave_out)
        elif one.keyword == "RUN":
            if not _needless(one.text, folder):
                _note(recipe, one, "packages come from flashsale's own environment")
        else:
            _configure(recipe, one)
    return recipe


def _configure(recipe: ImageRecipe, one: Instruction) -> None:
    match one.keyword:
        case "WORKDIR":
            recipe.workdir = posixpath.join(recipe.workdir, one.text)
            recipe.folders.add(_inside(recipe.workdir))
        case "ENV":
            recipe.env |= one.assignments()
        case "ENTRYPOINT":
            recipe.entrypoint, recipe.cmd = one.command(), ()
        case "CMD":
            recipe.cmd = one.command()
        case "USER":
            recipe.user = one.text
        case "EXPOSE":
            recipe.ports += tuple(_ports(one))
        case "STOPSIGNAL" | "SHELL":
            _note(recipe, one, "containers get SIGTERM, and /bin/sh for shell form")


def _note(recipe: ImageRecipe, one: Instruction, why: str) -> None:
    done = "executed" if one.keyword == "RUN" else "followed"
    text = " ".join(one.text.split())
    recipe.notes += (f"{one.keyword} {text} is not {done} on the embedded cluster: {why}",)


def _ports(one: Instruction) -> Iterator[int]:
    for word in one.text.split():
        first, _, last = word.partition("/")[0].partition("-")
        if not first.isdecimal() or not (last or first).isdecimal():
            raise one.wrong(f"EXPOSE {word} is not a port")
        yield from range(int(first), int(last or first) + 1)


def _inside(path: str) -> str:
    return posixpath.normpath(posixpath.join("/", path)).lstrip("/")


def _copy(
    recipe: ImageRecipe, one: Instruction, folder: Path, leave_out: Callable[[PurePosixPath], bool]
) -> None:
    words = one.words()
    flags = [word for word in words if word.startswith("--")]
    *sources, target = [word for word in words if not word.startswith("--")] or [""]
    if not sources:
        raise one.wrong(f"{one.keyword} needs a source and a destination")
    if any(flag.startswith("--from") for flag in flags):
        _note(recipe, one, "only the last stage's own files are there")
        return
    found = [match for source in sources for match in _sources(one, source, folder, leave_out)]
    place = _inside(posixpath.join(recipe.workdir, target))
    folder_meant = posixpath.basename(target) in ("", ".", "..")
    into = folder_meant or len(found) > 1 or place in _folders(recipe)
    for source in found:
        _place(recipe, source, place, into, folder, leave_out)


def _folders(recipe: ImageRecipe) -> set[str]:
    parents = {str(parent) for file in recipe.files for parent in PurePosixPath(file).parents}
    return recipe.folders | parents | {""}


def _sources(
    one: Instruction, source: str, folder: Path, leave_out: Callable[[PurePosixPath], bool]
) -> list[Path]:
    """Find what a source names; nothing found is an error, as it is for Docker."""
    if one.keyword == "ADD" and ("://" in source or source.endswith(_ARCHIVES)):
        raise one.wrong(
            f"ADD {source} would have to be fetched or unpacked, which the embedded cluster"
            " does not do",
            hint="put the files themselves into the app folder and use COPY",
        )
    relative = posixpath.normpath(source.lstrip("/") or ".")
    if relative.startswith(".."):
        raise one.wrong(f"{source} lies outside the app folder {folder}")
    if relative == ".":
        return [folder]
    if any(char in relative for char in "*?["):
        pattern = glob(relative)
        found = [
            path
            for path in sorted(folder.rglob("*"))
            if pattern.fullmatch(path.relative_to(folder).as_posix())
        ]
    else:
        found = [folder / relative] if (folder / relative).exists() else []
    found = [path for path in found if not leave_out(PurePosixPath(path.relative_to(folder)))]
    if not found:
        raise one.wrong(
            f"{one.keyword} names {source}, which is not in {folder} (or is left out of images)"
        )
    return found


def _place(
    recipe: ImageRecipe,
    source: Path,
    place: str,
    into: bool,
    folder: Path,
    leave_out: Callable[[PurePosixPath], bool],
) -> None:
    if source.is_file():
        recipe.files[_inside(posixpath.join(place, source.name) if into else place)] = source
        return
    recipe.folders.add(place)
    for file in files_below(source):
        if not leave_out(PurePosixPath(file.relative_to(folder))):
            recipe.files[_inside(posixpath.join(place, file.relative_to(source)))] = file


def files_below(folder: Path) -> Iterator[Path]:
    """Walk the regular files; links to files count as files, links to folders are not entered."""
    for entry in sorted(folder.iterdir()):
        if entry.name in ALWAYS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from files_below(entry)
        elif entry.is_file():
            yield entry


def _needless(command: str, folder: Path) -> bool:
    """Whether everything that a RUN does is already so, or makes no difference here."""
    for part in re.split(r"&&|;", command):
        try:
            words = shlex.split(part)
        except ValueError:
            return False
        if words and words[0] not in _USERS and not _installed_already(words, folder):
            return False
    return True


def _installed_already(words: list[str], folder: Path) -> bool:
    for pip in _PIP:
        if words[: len(pip) + 1] == [*pip, "install"]:
            wanted = _packages(words[len(pip) + 1 :], folder)
            return wanted is not None and all(map(_installed, wanted))
    return False


def _packages(words: list[str], folder: Path) -> list[str] | None:
    """Return the package names of a `pip install`; None if they cannot be told."""
    names: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in ("-r", "--requirement"):
            try:
                lines = (folder / next(rest, "")).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                return None
            names += [line for line in (one.split("#")[0].strip() for one in lines) if line]
        elif word in _WITH_VALUE:
            next(rest, "")
        elif not word.startswith("-"):
            names.append(word)
    return names


def _installed(requirement: str) -> bool:
    """Whether a package is there, in some version: which one is flashsale's choice."""
    match = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", requirement)
    if match is None:
        return requirement.startswith("-")  # an option line of a requirements file
    try:
        metadata.distribution(match[0])
    except metadata.PackageNotFoundError:
        return False
    return True
