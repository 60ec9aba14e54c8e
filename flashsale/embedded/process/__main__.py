"""The cluster's process: ``python -m flashsale.embedded.process FOLDER READY_FD``."""

from __future__ import annotations

import asyncio
import contextlib
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from flashsale.base.errors import FlashsaleError
from flashsale.embedded.process.cluster_directory import ANNOUNCE_AGAIN, ClusterDirectory
from flashsale.embedded.process.control_plane import ControlPlane

log = logging.getLogger("flashsale.embedded")


def main() -> int:
    """Run until SIGTERM; says "ready", or what is wrong, on the given file descriptor."""
    os.umask(0o077)
    faulthandler.enable()  # a crash in C leaves at least its place in the log
    home, ready = ClusterDirectory(Path(sys.argv[1])), os.fdopen(int(sys.argv[2]), "w")
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if not home.hold():
        return 0  # another is there already; whoever started us will find it
    (home.path / "cluster.json").unlink(missing_ok=True)

    def say(text: str) -> None:
        with contextlib.suppress(OSError):  # whoever started us may be gone
            ready.write(text)
            ready.close()

    try:
        asyncio.run(_run(ControlPlane(home), say))
    except FlashsaleError as error:
        say(f"{error}\n{error.hint}\n")
        return error.exit_code
    except OSError as error:  # a full disk, say, on which no log can be written either
        log.exception("the system refused")
        where = f" ({error.filename})" if error.filename else ""
        words = f"The embedded cluster did not start in {home.path}: {error.strerror}{where}."
        say(f"{words}\ndf -h {home.path}; ls -ld {home.path}\n")
        return 1
    finally:
        (home.path / "cluster.json").unlink(missing_ok=True)
    return 0


async def _run(cluster: ControlPlane, say: Callable[[str], None]) -> None:
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    loop.add_signal_handler(ANNOUNCE_AGAIN, cluster.announce)
    with contextlib.suppress(asyncio.CancelledError):
        await cluster.run(lambda: say("ready\n"))


if __name__ == "__main__":
    sys.exit(main())
