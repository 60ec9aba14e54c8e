"""Programs that hold a tunnel open: none outlives the command that needs it, for long.

On every ordinary way out, Ctrl-C among them, a tunnel is asked to end. Where the command itself is
killed (SIGKILL), Linux asks in its place; and since not everything that a tunnel consists of can be
asked, and other systems ask nobody, each is noted in the state folder, and the next command ends
what is left. A note is two files: one is locked by the command, one by the tunnel. The kernel
unlocks them however their holders end, so no process id can be mistaken for another.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO

from flashsale.clusters.state.directory import made
from flashsale.clusters.subprocesses import run

BOUND = Path(__file__).with_name("exec_bound_to_parent.py")
OWNER = ".owner"


@asynccontextmanager
async def tunnel(
    home: Path, *command: str, patience: float, environment: Mapping[str, str] | None = None
) -> AsyncGenerator[Process]:
    """Hold a running program as :func:`run.child` does, and note it in the state folder."""
    if sys.platform == "win32":  # neither such locks nor exec
        async with run.child(*command, patience=patience, environment=environment) as process:
            yield process
        return
    with _noted(home) as note:
        words = (sys.executable, "-I", "-S", str(BOUND), str(note.fileno()), str(os.getpid()))
        kept = (note.fileno(),)
        async with run.child(
            *words, *command, patience=patience, environment=environment, kept_open=kept
        ) as process:
            note.close()  # from here on the tunnel alone holds its lock
            yield process


def end_left(home: Path) -> None:
    """End the tunnels of commands that did not live to do it themselves."""
    folder = home / "tunnels"
    if sys.platform == "win32" or not folder.is_dir():
        return
    for owner in folder.glob(f"*{OWNER}"):
        if not _locked(owner):
            note = owner.with_suffix("")
            if _locked(note):
                _kill(note)
            note.unlink(missing_ok=True)
            owner.unlink(missing_ok=True)


@contextmanager
def _noted(home: Path) -> Iterator[IO[bytes]]:
    """Make a note, gone afterwards, and give the file that the tunnel is to keep open."""
    import fcntl

    note = made(made(home) / "tunnels") / secrets.token_hex(4)
    unseen, seen = note.with_suffix(".new"), note.with_suffix(OWNER)
    with unseen.open("wb") as owner, note.open("wb", buffering=0) as kept:
        fcntl.flock(owner, fcntl.LOCK_EX)
        fcntl.flock(kept, fcntl.LOCK_EX)
        unseen.rename(seen)  # nobody finds it before both are locked
        try:
            yield kept
        finally:
            note.unlink(missing_ok=True)
            seen.unlink(missing_ok=True)


def _locked(file: Path) -> bool:
    import fcntl

    try:
        with file.open() as opened:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False  # gone meanwhile
    return False


def _kill(note: Path) -> None:
    """Kill a process group: whatever of it still lives is of no use to anybody."""
    with suppress(ValueError, ProcessLookupError, PermissionError):
        os.killpg(int(note.read_text()), signal.SIGKILL)
