"""Lists of requirements that a project's tools write, or keep: what would install the same."""

from __future__ import annotations

import posixpath
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from flashsale.embedded.kubelet.images.image_files import ImageFiles, absolute

# What writes a list of requirements: what would install the same, and the options that both take.
_EXPORTS: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "poetry": ("export", ("install", "--no-root"), ("--all-extras",),
               ("--with", "--without", "--only", "-E", "--extras")),
    "uv": ("export", ("sync", "--no-install-project"),
           ("--frozen", "--locked", "--no-dev", "--all-extras", "--all-groups"),
           ("--extra", "--group", "--only-group", "--no-group")),
    "pipenv": ("requirements", ("sync", "--system"), ("--dev",), ()),
    "pdm": ("export", ("install", "--no-self"), ("--prod", "--dev"), ("-G", "--group")),
}  # fmt: skip


def read_export(words: Sequence[str], target: str) -> tuple[str, str, tuple[str, ...]] | None:
    """Read a command that writes requirements: into which file, and what would install the same.

    Args:
        target: where its output goes; empty if that is not redirected.
    """
    program, *rest = [*words] or [""]
    program = posixpath.basename(program)
    if program == "uv" and rest[:2] == ["pip", "compile"]:
        program, rest = "pip-compile", rest[2:]
    if program == "pip-compile":
        source = next((word for word in rest if word.endswith((".in", ".toml", ".py"))), None)
        source = source or "requirements.in"
        file = option_value(rest, ("-o", "--output-file")) or target
        wanted = ("-r", source) if source.endswith(".in") else (".",)
        return "pip", file or posixpath.splitext(source)[0] + ".txt", ("install", *wanted)
    if program == "pipenv" and rest[:1] == ["lock"] and {"-r", "--requirements"} & {*rest}:
        rest[0] = "requirements"  # as it was until 2022
    command, install, flags, with_value = _EXPORTS.get(program, ("", (), (), ()))
    file = option_value(rest, ("-o", "--output", "--output-file")) or target
    if not command or rest[:1] != [command] or not file:
        return None
    kept = [*install, *(word for word in rest if word in flags)]
    for option in with_value:
        kept += [option, value] if (value := option_value(rest, (option,))) else []
    if program == "poetry" and not {"--with", "--only"} & set(kept):
        kept += ["--only", "main"]
    return program, file, tuple(kept)


def option_value(words: Sequence[str], names: Sequence[str]) -> str:
    """Return the value of an option; empty where it is not there."""
    for index, word in enumerate(words):
        option, sign, value = word.partition("=")
        if option in names:
            return value if sign else next(iter(words[index + 1 :]), "")
        if word.startswith(names[0]) and len(names[0]) == 2 and len(word) > 2:
            return word[2:]
    return ""


def pdm_words(words: Sequence[str], folder: str, files: ImageFiles) -> tuple[str, ...]:
    """Return the words of the `pip install` that does what `pdm install` does.

    What its lock file pins, else what the project asks for; the groups for development are left
    out. Where neither can be read, pip says so.
    """

    def read(name: str) -> dict[str, Any]:
        entry = files.get(absolute(folder, name))
        return tomllib.loads(entry.read().decode()) if entry else {}

    try:
        project, lock = read("pyproject.toml"), read("pdm.lock")
    except (ValueError, OSError):
        return ("install", ".")
    wanted = list(map(str, project.get("project", {}).get("dependencies", ())))
    if pinned := [
        package for package in lock.get("package", ()) if "default" in package.get("groups", ())
    ]:
        wanted = list(map(_pinned, pinned))
    is_package = "build-system" in project
    is_package &= project.get("tool", {}).get("pdm", {}).get("distribution", True)
    own = ["."] if is_package and not {"--no-self", "--no-editable"} & {*words} else []
    return ("install", *wanted, *own)


def _pinned(package: Mapping[str, Any]) -> str:
    marker = f" ; {package['marker']}" if package.get("marker") else ""
    return f"{package['name']}=={package['version']}{marker}"
