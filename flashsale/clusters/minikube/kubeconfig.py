"""The user's kubeconfig, in which minikube keeps an entry: found as minikube finds it."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

CURRENT = re.compile(r"^current-context:.*$\n?", re.MULTILINE)


def path(environ: Mapping[str, str]) -> Path:
    """The first entry of $KUBECONFIG that is not empty, else ~/.kube/config."""
    named = next(filter(None, environ.get("KUBECONFIG", "").split(os.pathsep)), "")
    return Path(named) if named else Path.home() / ".kube" / "config"


@contextlib.contextmanager
def current_context_kept() -> Iterator[None]:
    """Undo what a command does to the current context: `update-context` has no option for that."""
    file = path(os.environ)
    before = _current(file)
    try:
        yield
    finally:
        after = _current(file)
        if before is not None and before != after:
            _write(file, CURRENT.sub("", file.read_text()) + before)


def _current(file: Path) -> str | None:
    """Return the line that names the current context, empty without one; None without a file."""
    try:
        text = file.read_text()
    except OSError:
        return None
    found = CURRENT.search(text)
    return found[0].rstrip("\n") + "\n" if found else ""


def _write(file: Path, text: str) -> None:
    """Replace the file at once, so that nobody ever reads half of it."""
    target = file.resolve()  # a link stays a link
    beside = target.with_name(f"{target.name}.flashsale-{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(text)
    beside.replace(target)
