"""Forks for each command that is asked for: `python -m tests.forking SOCKET`."""

from __future__ import annotations

import atexit
import gc
import json
import os
import random
import selectors
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from flashsale.cli import main as program
from flashsale.embedded.process import __main__ as cluster
from tests.command_line import check
from tests.forking import cluster_process

ROOMS = ("base", "objects", "embedded", "kube", "clusters", "sale", "load", "drill", "doctor",
         "ui", "learn", "dashboard", "cli")  # fmt: skip
MOST_FILES = 4  # of one request: stdin, stdout, stderr, and one that stays open
LARGEST = 1 << 20  # bytes of one request


def main() -> None:
    """Fork for each request, until stdin ends; what was forked does what was asked for."""
    preload()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    listener.listen()
    print("ready", flush=True)
    wakeup, on_signal = socket.socketpair()
    for end in (wakeup, on_signal):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(on_signal.fileno())
    waiting: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as ready:
        for source in (sys.stdin, listener, wakeup):
            ready.register(source, selectors.EVENT_READ)
        while True:
            found = {key.fileobj for key, _ in ready.select()}
            if wakeup in found:
                wakeup.recv(LARGEST)
                report_ended(waiting)
            if listener in found:
                connection = listener.accept()[0]
                request, streams, *_ = socket.recv_fds(connection, LARGEST, MOST_FILES)
                pid = os.fork()
                if not pid:
                    break
                for stream in streams:
                    os.close(stream)
                connection.sendall(b"%d\n" % pid)
                waiting[pid] = connection
            if sys.stdin in found:
                os._exit(0)
    for end in (listener, wakeup, on_signal, connection, *waiting.values()):
        end.close()
    become(json.loads(request), streams)


def preload() -> None:
    """Import what commands need, and keep it out of the garbage collector's way."""
    import_module("aiohttp")
    for room in ROOMS:
        package = import_module(f"flashsale.{room}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    check(["status"])  # what reads a command line is imported as one is read
    gc.collect()
    gc.freeze()


def report_ended(waiting: dict[int, socket.socket]) -> None:
    """Send exit codes to those who wait for them."""
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        # whoever asked may be gone: a cluster outlives the command that starts it
        with waiting.pop(pid) as connection, suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def become(request: dict[str, Any], streams: list[int]) -> None:
    """Make a process that was just forked the one that was asked for."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if request["session"]:
        os.setsid()
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
        os.close(stream)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        reopen(number, name)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    random.seed()  # all of them would draw the same
    if request["cluster"]:
        sys.argv = ["flashsale", *request["words"], *map(str, streams[3:])]
        leave_quickly(cluster.main)
    else:
        cluster_process.let_them_be_forked(sys.argv[1])
        sys.argv = ["flashsale", *request["words"]]
        leave_quickly(program.main)


def leave_quickly(main: Callable[[], int | None]) -> None:
    """Run a program, and end without taking everything apart that was imported.

    That would copy each page of memory that is shared with what forks: three quarters of what a
    short command costs.
    """
    code: int | str | None = ""

    def leave() -> None:
        if not isinstance(code, str):
            with suppress(AttributeError, OSError, ValueError):  # Python's own end says it
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code or 0)

    atexit.register(leave)  # the first one is called last
    try:
        code = main()
    except SystemExit as error:
        code = error.code
        raise
    sys.exit(code)


def reopen(number: int, name: str) -> None:
    """Have a stream of Python's know which file it has now: a pipe, a terminal, or another."""
    old = getattr(sys, name)
    lines = name == "stderr" or os.isatty(number)
    mode = "r" if name == "stdin" else "w"
    new = open(number, mode, lines or -1, old.encoding, old.errors, closefd=False)  # noqa: SIM115
    setattr(sys, name, new)
    setattr(sys, f"__{name}__", new)


if __name__ == "__main__":
    main()
