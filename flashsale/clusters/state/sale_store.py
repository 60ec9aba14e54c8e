"""The file that remembers the open sale, so that no command needs options."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from flashsale.base.errors import BadInputError, FlashsaleError
from flashsale.base.files import put_aside, writable_home_hint
from flashsale.base.text import quoted
from flashsale.clusters.state.directory import cannot_keep_error, put, unreadable
from flashsale.clusters.state.sale_record import (
    ForeignFormatError,
    SaleRecord,
    parse_record,
    to_json,
)

NAME = "sale.json"
log = logging.getLogger(__name__)


class UnusableRecordError(FlashsaleError):
    """The record cannot be read, or another version wrote it. It is left as it is."""


class SaleStore:
    """The record of the sale that is open from one state folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.path = home / NAME

    def read(self) -> SaleRecord | None:
        """Read the record; None if no sale is open.

        What is cut, holds rubbish or is a folder tells nothing any more: it is put aside as
        `sale.json.broken`, with a warning, so that no later command stumbles over it.

        Raises:
            UnusableRecordError: it cannot be read, or another version of flashsale wrote it.
            BadInputError: the state folder itself cannot be looked into.
        """
        try:
            raw = self.path.read_bytes()
        except FileNotFoundError:
            return None
        except IsADirectoryError:
            self._put_aside("it is a folder")
            return None
        except OSError as error:
            raise self._unreadable(error) from error
        try:
            return parse_record(_decoded(raw))
        except ForeignFormatError as error:
            raise self._unusable(str(error)) from error
        except ValueError as error:
            self._put_aside(str(error))
            return None

    def read_if_usable(self) -> SaleRecord | None:
        """Read the record where it only adds something; None where it cannot be used, too."""
        try:
            return self.read()
        except FlashsaleError:
            return None

    def write(self, record: SaleRecord) -> None:
        """Write it whole or not at all, for its user alone, as :func:`directory.put` does."""
        put_aside(self.path)
        put(self.home, NAME, json.dumps(to_json(record), indent=2) + "\n")

    def forget(self) -> None:
        """Remove the record; it may be gone already."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise cannot_keep_error(self.home, error) from error

    def may_replace(self, record: SaleRecord) -> bool:
        """Whether what is recorded is about the same cluster, or nothing is; else it stays."""
        recorded = self.read_if_usable()
        if recorded is None:
            return not self.path.exists()
        return (recorded.kind, recorded.context) == (record.kind, record.context)

    def _put_aside(self, why: str) -> None:
        aside = self.path.with_name(f"{NAME}.broken")
        put_aside(self.path)
        with suppress(OSError):
            self.path.replace(aside)
        log.warning(
            "%s is broken (%s). It is kept as %s, and no sale counts as open.",
            self.path, why, aside.name,
        )  # fmt: skip

    def _unreadable(self, error: OSError) -> FlashsaleError:
        """Tell a file that cannot be read from a folder that cannot be looked into."""
        if wrong := unreadable(self.home):
            return BadInputError(f"{wrong}.", hint=writable_home_hint())
        if isinstance(error, PermissionError):  # another user's sale: not ours to remove
            return BadInputError(f"{self.path} is not yours to read.", hint=writable_home_hint())
        return self._unusable(os.strerror(error.errno or 0))

    def _unusable(self, why: str) -> UnusableRecordError:
        wrong = f"{self.path} does not tell where the sale is: {why}."
        return UnusableRecordError(wrong, hint=f"rm {quoted(self.path)}")


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode())
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not JSON") from error
