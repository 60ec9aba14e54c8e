"""minikube's own folder and the rules for what lies in it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from flashsale.base.errors import BadInputError, ClusterUnreachableError, Hint
from flashsale.base.text import quoted
from flashsale.clusters.minikube.plain_text import read_reason

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
NAME = re.compile(rf"(?:{LABEL}\.)*{LABEL}")  # pkg/minikube/config/profile.go
NO_FOLDER = "HOST_HOME_MKDIR"  # id of the failure to make its folder
RESERVED = (
    *("start", "stop", "status", "delete", "config"),
    *("open", "profile", "addons", "cache", "logs"),
)


class MinikubeFilesError(ClusterUnreachableError):
    """minikube may not use its own files."""


def check_profile_name(profile: str) -> None:
    """Raise BadInputError for a name that minikube takes for no profile."""
    if profile.lower() in RESERVED:
        raise BadInputError(
            f"minikube keeps the name '{profile}' to itself: no profile can have it.",
            hint="flashsale up --profile shop",
        )
    if len(profile) < 2 or not NAME.fullmatch(profile):
        raise BadInputError(
            f"minikube takes no profile named '{profile}': a name has two or more letters, digits"
            " and dashes, and begins and ends with a letter or a digit.",
            hint="flashsale up --profile shop",
        )


def folder() -> Path:
    """Name minikube's folder: `$MINIKUBE_HOME`, to which it adds `.minikube`, or `~/.minikube`."""
    named = os.environ.get("MINIKUBE_HOME", "")
    home = Path(named) if named else Path.home()
    return home if home.name == ".minikube" else home / ".minikube"


def config_file(profile: str) -> Path:
    """Name the file in which minikube keeps how a profile was made."""
    return folder() / "profiles" / profile / "config.json"


def foreign_files_error(profile: str, words: str) -> MinikubeFilesError:
    """Say which file minikube may not use and how to get it back; else repeat its ``words``."""
    if read_reason(words)[0] == NO_FOLDER:
        return _no_folder_error(words)
    mend = _chown(folder())
    file = next(filter(_closed, _files(profile)), None)
    if file is None:
        return MinikubeFilesError(
            f"minikube may not use its files in {folder()}.",
            hint=mend,
            details=read_reason(words)[1] or words.strip(),
        )
    owner = _owner(file)
    return MinikubeFilesError(
        f"minikube may not use {file}" + (f", which belongs to {owner}." if owner else "."),
        hint=mend,
    )


def _no_folder_error(words: str) -> MinikubeFilesError:
    """Say what stands in the way of minikube's folder."""
    place = next(place for place in (folder(), *folder().parents) if os.path.lexists(place))
    owner = _owner(place)
    if not place.is_dir():
        why = f"{place} is not a folder"
    elif not _closed(place):  # full, or read-only
        why = read_reason(words)[1].rpartition(": ")[2] or f"{place} takes no new folder"
    else:
        why = f"{place} " + (f"belongs to {owner}" if owner else "cannot be written")
    hint = Hint(f"ls -ld {quoted(place)}")
    if os.environ.get("MINIKUBE_HOME"):
        hint = Hint("unset MINIKUBE_HOME", "or let it name a folder of your own")
    return MinikubeFilesError(f"minikube cannot make its folder {folder()}: {why}.", hint=hint)


def _chown(place: Path) -> str:
    path = quoted(place)
    if place.is_relative_to(Path.home()) and place != Path.home():
        path = "~/" + quoted(place.relative_to(Path.home()))  # no tilde inside of quotes
    return f"sudo chown -R $USER {path} && chmod -R u+rwX {path}"


def _files(profile: str) -> Iterator[Path]:
    home, config = folder(), config_file(profile)
    yield from (home, home / "profiles", config.parent, config)
    yield from (home / name for name in ("certs", "machines", f"machines/{profile}", "config"))
    yield from (home / name for name in ("config/config.json", "ca.crt", "ca.key", "logs"))


def _closed(file: Path) -> bool:
    try:
        mode = os.R_OK | os.W_OK | (os.X_OK if file.is_dir() else 0)
        return os.path.lexists(file) and not os.access(file, mode)
    except PermissionError:  # the folder above it was said already
        return False


def _owner(file: Path) -> str:
    """Name the file's owner; empty if it is this user, or nobody knows."""
    try:
        number = file.stat().st_uid
        if number == os.getuid():
            return ""
        import pwd

        return pwd.getpwuid(number).pw_name
    except (OSError, KeyError, ImportError, AttributeError):  # Windows has neither
        return ""
