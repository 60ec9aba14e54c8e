"""What past drills found, a line each: kept in the state folder for the course."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flashsale.base.files import replace_file

NAME = "drills.json"
KEPT = 50


@dataclass(frozen=True, slots=True)
class PastDrill:
    """One drill, in the figures of its document."""

    started: str  # RFC 3339
    context: str
    namespace: str
    pre_stop: bool  # its pods had a preStop hook
    sent: int
    lost: int
    kills: int
    verdict: str

    @property
    def place(self) -> tuple[str, str]:
        return self.context, self.namespace


def remember(home: Path, document: dict[str, Any]) -> None:
    """Add a drill's document; on a full disk nothing is kept, and nobody minds."""
    where = document["environment"]
    drill = PastDrill(
        document["started"],
        where["context"],
        where["namespace"],
        "preStop:" in where["manifest"],
        document["load"]["sent"],
        document["load"]["lost"],
        len(document["kills"]),
        document["verdict"],
    )
    drills = [*past_drills(home), drill][-KEPT:]
    with suppress(OSError):
        replace_file(home / NAME, json.dumps([*map(asdict, drills)]))


def past_drills(home: Path) -> list[PastDrill]:
    """Read them, the oldest first; none where there is no such file."""
    try:
        return [PastDrill(**fields) for fields in json.loads((home / NAME).read_text())]
    except (OSError, ValueError, TypeError):
        return []
