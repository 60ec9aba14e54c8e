"""Where flashsale keeps what it must remember: `FLASHSALE_HOME`, or the platform's own place."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

from flashsale.base.errors import BadInputError, FlashsaleError, room_hint
from flashsale.base.files import replace_file, writable_home_hint

FULL = (errno.ENOSPC, errno.EDQUOT)


def state_home() -> Path:
    """Name the folder, which need not exist yet; BadInputError if it cannot be looked into."""
    home = named_home()
    wrong = unreadable(home)
    if wrong:
        raise BadInputError(f"{wrong}.", hint=writable_home_hint())
    return home


def named_home() -> Path:
    """Name the folder, whatever is wrong with it."""
    named = os.environ.get("FLASHSALE_HOME")
    if named:
        return Path(os.path.abspath(os.path.expanduser(named)))
    from platformdirs import user_state_path

    return user_state_path("flashsale")


def home_key(home: Path) -> str:
    """Name a state folder without saying where it is: on images, which may leave this machine."""
    return hashlib.sha256(os.path.realpath(home).encode()).hexdigest()[:16]


def unreadable(home: Path) -> str:
    """Say why no folder can be looked into there; empty if one can, or none is there yet."""
    try:
        if not home.is_dir() and os.path.lexists(home):
            return f"{home}, where flashsale keeps its state, is not a folder"
        os.lstat(home / "sale.json")
    except FileNotFoundError:
        return ""
    except OSError as error:
        return f"{_short(home)} cannot keep flashsale's state: {os.strerror(error.errno or 0)}"
    return ""


def unwritable(home: Path) -> str:
    """Say why nothing can be kept there; empty if it can, once the folder is made."""
    place = nearest(home)
    if os.access(place, os.W_OK | os.X_OK) and place.is_dir():
        return unreadable(home)
    below = "there" if place == home else f"below it, in {_short(home)}"
    return unreadable(home) or f"{place} cannot be written, and flashsale keeps its state {below}"


def nearest(home: Path) -> Path:
    """Find the folder, or the one above it that is there."""
    return next(place for place in (home, *home.parents) if os.path.exists(place))


def made(folder: Path) -> Path:
    """Create the folder where needed, for its user alone; else :func:`cannot_keep_error`."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_keep_error(folder, error) from error
    return folder


def put(home: Path, name: str, text: str) -> Path:
    """Write a file whole or not at all, for its user alone (0600); else `cannot_keep_error`."""
    made(home)
    try:
        replace_file(home / name, text)
    except OSError as error:
        raise cannot_keep_error(home, error) from error
    return home / name


def cannot_keep_error(home: Path, error: OSError) -> FlashsaleError:
    """Say that the system does not let us keep something there."""
    if error.errno in FULL:
        return FlashsaleError(
            f"The disk is full that holds flashsale's state in {home}.", hint=room_hint(home)
        )
    return BadInputError(
        f"{_short(home)} cannot keep flashsale's state: {os.strerror(error.errno or 0)}.",
        hint=writable_home_hint(),
    )


def _short(home: Path) -> str:
    """Write a path; one that is too long for the system is too long for a sentence."""
    text = str(home)
    return text if len(text) <= 200 else f"{text[:100]}..."
