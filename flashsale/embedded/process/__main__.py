"""The cluster's process: ``python -m flashsale.embedded.process FOLDER READY_FD``."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flashsale.base.aio import without_authorities
from flashsale.base.errors import FlashsaleError
from flashsale.base.text import quoted
from flashsale.embedded.controllers.node import ADDRESS
from flashsale.embedded.process.cluster_directory import ANNOUNCE_AGAIN, ClusterDirectory

if TYPE_CHECKING:
    from flashsale.embedded.process.control_plane import ControlPlane

LOOK = 2.0  # seconds between two looks whether the folder is still there
log = logging.getLogger("flashsale.embedded")


def main() -> int:
    """Run until SIGTERM; says "ready", or what is wrong, on the given file descriptor."""
    os.umask(0o077)
    faulthandler.enable()  # a crash in C leaves at least its place in the log
    home, ready = ClusterDirectory(Path(sys.argv[1])), os.fdopen(int(sys.argv[2]), "w")
    logging.basicConfig(
        level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    lock = home.hold()
    if lock is None:
        return 0  # another is there already; whoever started us will find it
    home.forget_announcement()

    def say(text: str) -> None:
        with contextlib.suppress(OSError):  # whoever started us may be gone
            ready.write(text)
            ready.close()

    try:
        asyncio.run(_run(_control_plane(home), say, partial(home.is_lost, lock)))
    except FlashsaleError as error:
        say(f"{error}\n{error.hint}\n")
        return error.exit_code
    except OSError as error:  # a full disk, say, on which no log can be written either
        log.exception("the system refused")
        where = f" ({error.filename})" if error.filename else ""
        words = f"The embedded cluster did not start in {home.path}: {error.strerror}{where}."
        place = quoted(home.path)
        hint = f"df -h {place}; ls -ld {place}"
        if error.errno in (errno.EADDRNOTAVAIL, errno.ENETUNREACH, errno.EADDRINUSE):
            words = f"The embedded cluster cannot use {ADDRESS}: {os.strerror(error.errno)}."
            hint = "ping -c 1 127.0.0.1"
        say(f"{words}\n{hint}\n")
        return 1
    finally:
        if not home.is_lost(lock):
            home.forget_announcement()
    return 0


def _control_plane(home: ClusterDirectory) -> ControlPlane:
    """Import it, and make it; nothing in this process asks the machine's authorities."""
    with without_authorities():
        from flashsale.embedded.process.control_plane import ControlPlane
    return ControlPlane(home)


async def _run(
    cluster: ControlPlane, say: Callable[[str], None], is_lost: Callable[[], bool]
) -> None:
    """Run a cluster until a signal comes, or nobody could find it, or end it, any more."""
    task = asyncio.current_task()
    assert task is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    loop.add_signal_handler(ANNOUNCE_AGAIN, cluster.announce)

    def end_if_lost() -> None:
        if is_lost():
            log.warning("the folder was removed, or its lock: the cluster ends")
            task.cancel()
        else:
            loop.call_later(LOOK, end_if_lost)

    end_if_lost()
    with contextlib.suppress(asyncio.CancelledError):
        await cluster.run(lambda: say(f"ready\n{cluster.note}"))


if __name__ == "__main__":
    sys.exit(main())
