"""The words of commands that install packages, or build them: what pip is asked for by them."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Sequence

from flashsale.embedded.kubelet.images.build_without_docker.requirement_lists import option_value

# What installs poetry and uv, which are got from the index when they are needed.
TOOL_SCRIPTS = ("install.python-poetry.org", "astral.sh/uv")
FILES = ("-r", "--requirement", "-c", "--constraint")
WITH_VALUE = (
    *("-i", "--index-url", "--extra-index-url", "--trusted-host", "-f", "--find-links", "--cert"),
    *("--timeout", "--retries", "--proxy", "--progress-bar", "--root-user-action", "--prefix"),
    *("--target", "-t", "--root", "--no-binary", "--only-binary", "--platform", "--cache-dir"),
    *("--python", "-p", "--default-timeout", "--index", "--default-index", "--src"),
)
# What says where packages go or what is kept: the image's environment is the only place there is,
# and the cache of this machine is what makes a second build quick.
_DROPPED = (
    *("--user", "--system", "--no-cache-dir", "--no-cache", "-n", "--break-system-packages"),
    *("--no-warn-script-location", "--compile-bytecode", "--compile", "--no-compile"),
)
_DROPPED_WITH_VALUE = ("--prefix", "--target", "-t", "--root", "--python", "-p", "--cache-dir",
                       "--root-user-action", "--progress-bar", "--src")  # fmt: skip
_OF_PROJECTS = {"uv": (["sync"],), "poetry": (["install"], ["sync"]),
                "pipenv": (["install"], ["sync"]), "pdm": (["install"], ["sync"])}  # fmt: skip
_COLLECTING = ("wheel", "download")  # pip's commands that put wheels into a folder
_FOLDERS_OF_BUILDS = (("-o", "--outdir", "--out-dir", "--output"), ("-d", "--dist-dir", "--dest"))
_FOLDERS_OF_PACKAGES = (("-t", "--target"), ("--prefix", "--root"))
_TOOLS_WITH_OPTIONS = ("pip", "pip3", "uv", "poetry", "pipenv", "pdm")
_ELSEWHERE = ("--directory", "--project", "-C", "-P")  # these run as if in another folder
_FOLDER_OF_WHEELS = ("-w", "--wheel-dir", "-d", "--dest")


def parse_install(words: Sequence[str]) -> tuple[str, tuple[str, ...]] | None:
    """Return tool and words of a command that installs packages; None if it does not."""
    program, general, rest = _program_of(words)
    match (program, *rest[:2]):
        case ("pip", "install", *_):
            return "pip", ("install", *_kept(general), *_kept(rest[1:]))
        case ("pip", "wheel" | "download", *_):
            # Whoever installs the wheels gets what they depend on as well.
            return "pip", ("install", *(word for word in _kept(rest[1:]) if word != "--no-deps"))
        case ("pip", "sync", _) | ("pip-sync", *_):
            files = [word for word in rest[program == "pip" :] if not word.startswith("-")]
            return "pip", ("install", *(part for file in files for part in ("-r", file)))
        case ("uv" | "poetry" | "pdm", "add", _) | ("pipx", "install", _):
            named = [word for word in rest[1:] if word[0] != "-"]
            return ("pip", ("install", *named)) if named else None
        case ("easy_install", *_):
            return "pip", ("install", *rest)
        case ("uv" | "poetry" | "pipenv" | "pdm", "run", _):
            return parse_install([word for word in rest[1:] if word != "--"])
    if (source := _built_source(program, rest)) is not None:
        return "pip", ("install", source)
    if program.startswith("python") and rest[:2] == ["setup.py", "install"]:
        return "pip", ("install", ".")
    if rest[:1] in _OF_PROJECTS.get(program, ()):
        return program, tuple(word for word in rest if word not in _DROPPED)
    return None


def _program_of(words: Sequence[str]) -> tuple[str, list[str], list[str]]:
    """Split a command into its program, the options before what that is to do, and the rest.

    `python -m NAME`, `uv pip` and `pip3.11` are as if the program was called itself; `uv tool` is
    what pipx is.
    """
    program, *rest = [*words] or [""]
    program = posixpath.basename(program)
    if program.startswith("python"):
        module = next((at for at, word in enumerate(rest) if word[:1] != "-" or word == "-m"), 0)
        if rest[module : module + 1] == ["-m"]:
            program, rest = "".join(rest[module + 1 : module + 2]), rest[module + 2 :]
    general: list[str] = []
    while program in _TOOLS_WITH_OPTIONS and rest and rest[0].startswith("-"):
        if rest[0].partition("=")[0] in _ELSEWHERE:
            return "", [], []
        count = 2 if rest[0] in (*WITH_VALUE, "--log") else 1
        general, rest = [*general, *rest[:count]], rest[count:]
    if program == "uv" and rest[:1] in (["pip"], ["tool"]):
        return {"pip": "pip", "tool": "pipx"}[rest[0]], [], rest[1:]
    return "pip" if _is_pip(program) else program, general, rest


def _built_source(program: str, words: Sequence[str]) -> str | None:
    """Return what a command makes a distribution of; None if it makes none."""
    named = [word for word in words[1:] if not word.startswith("-")]
    if program in ("poetry", "uv", "hatch", "flit", "pdm") and words[:1] == ["build"]:
        return "."
    if program in ("build", "pyproject-build"):
        values = [option_value(words, option) for option in _FOLDERS_OF_BUILDS]
        first = [word for word in words[:1] if not word.startswith("-")]
        return "".join([*first, *named][-1:]) if {*first, *named} - {*values} else "."
    makes = words[:1] == ["setup.py"] and {"bdist_wheel", "sdist"} & {*words}
    return "." if program.startswith("python") and makes else None


def listed_files(words: Sequence[str]) -> list[str]:
    """Return the lists of requirements that are named, but for those that are no files."""
    lists = [name for option, name in itertools.pairwise(words) if option in FILES]
    return [name for name in lists if "://" not in name and not re.match(r"-$|/dev/", name)]


def _is_pip(program: str) -> bool:
    return re.fullmatch(r"pip[\d.]*", program) is not None


def wheel_folder(words: Sequence[str]) -> str | None:
    """Return where a command puts wheels that it builds or fetches; None for other commands."""
    program, _, rest = _program_of(words)
    if program == "pip" and rest[:1] in [[collecting] for collecting in _COLLECTING]:
        return option_value(rest[1:], _FOLDER_OF_WHEELS) or "."
    if _built_source(program, rest) is None:
        return None
    return next(filter(None, (option_value(rest, option) for option in _FOLDERS_OF_BUILDS)), "dist")


def package_folder(words: Sequence[str]) -> str:
    """Return where `pip install --prefix FOLDER` and its like put packages; empty if unnamed."""
    return next(filter(None, (option_value(words, option) for option in _FOLDERS_OF_PACKAGES)), "")


def _kept(words: Sequence[str]) -> list[str]:
    kept, rest = [], iter(words)
    for word in rest:
        option, _, value = word.partition("=")
        if option in _DROPPED_WITH_VALUE or option in _FOLDER_OF_WHEELS:
            value or next(rest, "")
        elif word not in _DROPPED:
            kept.append(word)
    return kept
