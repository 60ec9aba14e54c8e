"""The sale that is open from this home: one small file, so that no command needs options."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, get_args

from flashsale.base.errors import BadInputError, FlashsaleError
from flashsale.clusters.base import Image, Kind
from flashsale.clusters.state.directory import ELSEWHERE, put, refused, unreadable

NAME, FORMAT = "sale.json", 1
REPLICASET, SERVICE = "flashsale-rs", "flashsale-svc"  # as the exercise names them
FLAGS = ("allow_remote", "applied")  # all other values are words


class UnusableRecordError(FlashsaleError):
    """The record is broken, or was written by another version. It is left as it is."""


@dataclass(frozen=True, slots=True)
class SaleRecord:
    """Where the sale is, and what its objects are called."""

    kind: Kind
    context: str  # of the kubeconfig
    profile: str = "minikube"  # counts for minikube only
    namespace: str = "default"
    replicaset: str = REPLICASET
    service: str = SERVICE
    allow_remote: bool = False  # somebody insisted, at `up`
    applied: bool = True  # objects of these names; else only a cluster was started
    image: str = ""  # id of the image that `up` made last
    folder: str = ""  # whose app and manifest `up` took last, absolute; empty for the packaged ones
    former: str = ""  # words: what earlier manifests called its objects, not removed yet
    runs_as: str = ""  # how the nodes call that one, where they use other ids; words

    def with_image(self, image: Image) -> SaleRecord:
        """Note how the nodes call an image."""
        return replace(self, image=image.id, runs_as=" ".join(image.others))

    def recognised(self, image: Image) -> Image:
        """Give an image all names that the nodes are known to have for it."""
        more = self.runs_as.split() if image.id and image.id == self.image else []
        known = dict.fromkeys([*image.others, *more])
        return replace(image, others=tuple(known))


def path(home: Path) -> Path:
    """Name the file."""
    return home / NAME


def read(home: Path) -> SaleRecord | None:
    """Read the record; None if no sale is open.

    Raises:
        UnusableRecordError: there is one, but it cannot be read or understood.
        BadInputError: the state folder itself cannot be looked into.
    """
    try:
        raw = path(home).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(home, error) from error
    try:
        return parse(_json(raw))
    except ValueError as error:
        raise _unusable(home, str(error)) from error


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error


def _unreadable(home: Path, error: OSError) -> FlashsaleError:
    """Tell a file that cannot be read from a folder that cannot be looked into."""
    if wrong := unreadable(home):
        return BadInputError(f"{wrong}.", hint=ELSEWHERE)
    words = "it is a folder" if path(home).is_dir() else os.strerror(error.errno or 0)
    return _unusable(home, words)


def _unusable(home: Path, why: str) -> UnusableRecordError:
    file = shlex.quote(str(path(home)))
    hint = f"flashsale up --cluster embedded, or remove the file: rm {file}"
    if path(home).is_dir():
        hint = f"remove that folder: rm -r {file}"
    return UnusableRecordError(f"{path(home)} does not tell where the sale is: {why}.", hint=hint)


def parse(document: Any) -> SaleRecord:
    """Read the record's JSON; keys that a later version added are left out.

    Raises:
        ValueError: it is of another format, or says something impossible.
    """
    if not isinstance(document, dict):
        raise ValueError("it is not a JSON object")
    if document.get("format") != FORMAT:
        raise ValueError(
            f"another version of flashsale wrote it (format {document.get('format')}, not {FORMAT})"
        )
    known = {one.name: one.type for one in fields(SaleRecord)}
    values = {key: value for key, value in document.items() if key in known}
    for key, value in values.items():
        if not isinstance(value, bool if key in FLAGS else str):
            raise ValueError(f"'{key}' cannot be {value!r}")
    if "context" not in values:
        raise ValueError("it names no context")
    if values.get("kind") not in get_args(Kind):
        raise ValueError(f"there is no kind of cluster called {values.get('kind')!r}")
    return SaleRecord(**values)


def write(home: Path, record: SaleRecord) -> None:
    """Write the record at once or not at all, for its user alone (0600).

    Raises:
        UnusableRecordError: a folder stands in its place.
        BadInputError, FlashsaleError: the state folder cannot be written, or its disk is full.
    """
    if path(home).is_dir():
        raise _unusable(home, "it is a folder")
    document = {"format": FORMAT, **asdict(record)}
    put(home, NAME, json.dumps(document, indent=2) + "\n")


def forget(home: Path) -> None:
    """Remove the record; it may be gone already."""
    try:
        path(home).unlink(missing_ok=True)
    except OSError as error:
        raise refused(home, error) from error
