"""Files written whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import get_ident

from flashsale.base.errors import Hint

PRIVATE = 0o600  # for its user alone


def put_aside(path: Path) -> None:
    """Rename a folder that stands in a file's place to `NAME.broken`; leave all else alone."""
    if path.is_dir() and not path.is_symlink():
        names = (f"{path.name}.broken{number or ''}" for number in count())
        aside = next(each for each in map(path.with_name, names) if not os.path.lexists(each))
        with suppress(OSError):  # two do it at once
            path.rename(aside)


def replace_file(path: Path, content: str | bytes, *, mode: int = PRIVATE) -> None:
    """Write a file so that readers see the old content or the new, never a half.

    Args:
        content: text is written as UTF-8, line ends as they are.
        mode: of the new file, less what the process's umask takes away.

    Raises:
        OSError: it cannot be written; the old file is as it was, and nothing is left beside it.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}-{get_ident()}")
    data = content.encode() if isinstance(content, str) else content
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(data)
        draft.replace(path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise


def writable_home_hint() -> Hint:
    """Name a state folder that can be written, whatever is wrong with the one there is."""
    own = os.path.expanduser("~")
    if os.access(own, os.W_OK | os.X_OK) and os.path.isabs(own):
        return Hint("export FLASHSALE_HOME=~/.flashsale", "or another folder that you may write")
    return Hint("export FLASHSALE_HOME=$(mktemp -d)", "or another folder that you may write")
