"""Where flashsale keeps what it must remember: `FLASHSALE_HOME`, or the platform's own place."""

from __future__ import annotations

import os
from pathlib import Path


def state_home() -> Path:
    """Name the folder; it need not exist yet."""
    named = os.environ.get("FLASHSALE_HOME")
    if named:
        return Path(named).expanduser().absolute()
    from platformdirs import user_state_path

    return user_state_path("flashsale")


def made(folder: Path) -> Path:
    """Create the folder where needed, readable by its user alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
