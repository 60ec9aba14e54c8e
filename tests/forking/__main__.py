"""Forks for each process that is asked for: `python -m tests.forking SOCKET`."""

from __future__ import annotations

import gc
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from pkgutil import walk_packages
from runpy import run_module
from types import SimpleNamespace
from typing import Any

from tests.forking.client import CLUSTER, PROGRAM, cluster

LARGEST = 1 << 20  # bytes of one request
MOST_STREAMS = 8
ROOMS = (
    *("base", "objects", "kube", "clusters", "sale", "load", "drill", "doctor", "ui", "learn"),
    *("dashboard", "cli", "embedded.process", "embedded.apiserver", "embedded.kubelet"),
)


def main() -> dict[str, Any]:
    """Fork for each request, until stdin ends; only what was forked returns, with its request."""
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
                request, streams, *_ = socket.recv_fds(connection, LARGEST, MOST_STREAMS)
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
    asked: dict[str, Any] = json.loads(request)
    become(asked, streams)
    return asked


def preload() -> None:
    """Import what commands and clusters need, out of the garbage collector's way."""
    import_module("aiohttp.web")
    for room in ROOMS:
        package = import_module(f"flashsale.{room}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(("__main__", "sitecustomize")):
                import_module(module.name)
    gc.collect()
    gc.freeze()


def report_ended(waiting: dict[int, socket.socket]) -> None:
    """Send exit codes to those who wait for them."""
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        with waiting.pop(pid) as connection, suppress(BrokenPipeError):  # nobody waits any more
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def become(request: dict[str, Any], streams: list[int]) -> None:
    """Make a process that was just forked the one that was asked for."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if request.get("session"):
        os.setsid()
    highest = max(*streams, *request["numbers"]) + 1
    for place, stream in enumerate(streams):  # out of each other's way
        os.dup2(stream, highest + place)
        os.close(stream)
    for place, number in enumerate(request["numbers"]):
        os.dup2(highest + place, number)
        os.close(highest + place)
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        old = getattr(sys, name)  # knows of another file whether it can be sought, or is a terminal
        lines = name == "stderr" or os.isatty(number)
        new = open(number, mode, lines or -1, old.encoding, old.errors, closefd=False)  # noqa: SIM115
        setattr(sys, name, new)
        setattr(sys, f"__{name}__", new)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    sys.argv = ["flashsale", *request["words"]]
    random.seed()  # all of them would draw the same
    launch = import_module("flashsale.embedded.process.launch")
    forking = partial(cluster, SOCKET)
    launch.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": forking})


if __name__ == "__main__":
    SOCKET = os.path.abspath(sys.argv[1])
    if main()["module"] == PROGRAM:
        from flashsale.cli.main import main as program

        program()
    else:
        run_module(CLUSTER, run_name="__main__", alter_sys=True)
