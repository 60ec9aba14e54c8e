"""The user's kubeconfig, in which minikube keeps an entry: found as minikube finds it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.files import replace_file


def path(environ: Mapping[str, str]) -> Path:
    """The first entry of $KUBECONFIG that is not empty, else ~/.kube/config."""
    named = next(filter(None, environ.get("KUBECONFIG", "").split(os.pathsep)), "")
    return Path(named) if named else Path.home() / ".kube" / "config"


@contextlib.contextmanager
def current_context_kept() -> Iterator[None]:
    """Undo what a command does to the current context: `update-context` has no option for that."""
    file = path(os.environ)
    before = current(_text(file)) or NOBODY
    try:
        yield
    finally:
        text = _text(file)
        after = current(text)
        if after and after.name != before.name:
            replace_file(file.resolve(), text[: after.start] + before.source + text[after.end :])


@dataclass(frozen=True, slots=True)
class Current:
    """The current context as a file names it."""

    name: str
    source: str  # as it is written, quotes and all
    start: int = 0  # where that stands in the text, in characters
    end: int = 0


NOBODY = Current("", '""')


def current(text: str) -> Current | None:
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
            return Current(value.value, text[start:end], start, end)
    return None


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode()  # line ends as they are
    except (OSError, UnicodeDecodeError):
        return ""
