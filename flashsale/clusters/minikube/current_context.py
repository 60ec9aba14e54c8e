"""The user's kubeconfig, in which minikube keeps an entry: found as minikube finds it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError
from flashsale.base.files import replace_file
from flashsale.base.text import quoted
from flashsale.kube import kubeconfig


def kubeconfig_path() -> Path:
    """Name the file that minikube writes."""
    return kubeconfig.kubeconfig_files()[0]


def check_usable() -> None:
    """Do nothing if minikube can read and write the kubeconfig.

    Else its `status` calls a healthy cluster misconfigured, and no start of it would help.

    Raises:
        ClusterUnreachableError: with the file's name, and what is wrong with it.
    """
    file = kubeconfig_path()
    wrong, place = kubeconfig.problem(file), file
    if not wrong:
        wrong, place = _unwritable(file)
    if wrong:
        raise ClusterUnreachableError(
            f"minikube cannot use the kubeconfig: {wrong}.",
            hint=f"ls -l{'d' * place.is_dir()} {quoted(place)}",
        )


def _unwritable(file: Path) -> tuple[str, Path]:
    """Say why a file cannot be written, and what has to be changed for it; empty if it can."""
    place = file if os.path.exists(file) else next(p for p in file.parents if os.path.exists(p))
    if place != file and not place.is_dir():
        return f"{file} cannot be made, because {place} is not a folder", place
    if os.access(place, os.W_OK):
        return "", place
    return f"{place} cannot be written", place


@contextlib.contextmanager
def keep_current_context(profile: str) -> Iterator[None]:
    """Undo what a command does to the current context.

    `update-context` has no option for that, and `start --keep-context` keeps it only while a
    profile is made: each later start makes it the current one. What somebody else makes current
    meanwhile stays.
    """
    file = kubeconfig_path()
    before = read_current_context(_text(file)) or NOBODY
    try:
        yield
    finally:
        text = _text(file)
        after = read_current_context(text)
        if after and after.name == profile != before.name:
            _write(file, text[: after.start] + before.source + text[after.end :])


@dataclass(frozen=True, slots=True)
class CurrentContext:
    """The current context as a file names it."""

    name: str
    source: str  # as it is written, quotes and all
    start: int = 0  # where that stands in the text, in characters
    end: int = 0


NOBODY = CurrentContext("", '""')


def read_current_context(text: str) -> CurrentContext | None:
    """Find the current context in a kubeconfig, YAML or JSON; None if none is named.

    Only that is ever replaced: a file read and written anew would have lost its comments.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return None
    for key, value in root.value if isinstance(root, yaml.MappingNode) else ():
        if key.value == "current-context" and value.value:
            start, end = value.start_mark.index, value.end_mark.index
            return CurrentContext(value.value, text[start:end], start, end)
    return None


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()  # line ends as they are
    except (OSError, UnicodeDecodeError):
        return ""


def _write(file: Path, text: str) -> None:
    target = file.resolve()  # a link stays a link
    try:
        replace_file(target, text)
    except OSError:  # a folder that takes no new files: then in place
        target.write_bytes(text.encode())
