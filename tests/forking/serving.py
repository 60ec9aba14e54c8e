"""Forks a process for each request, with its streams, environment and folder (Linux)."""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import socket
from contextlib import suppress
from typing import Any

MOST_FILES = 4  # of one request: stdin, stdout, stderr, and one that stays open
LARGEST = 1 << 20  # bytes of one request


def serve(address: str, listening: str, owner: str) -> tuple[dict[str, Any], list[int]]:
    """Fork for each request, until the tests have ended; returns in what was forked.

    Args:
        listening: the descriptor of the socket that has this address.
        owner: the process that ends last of those that ask.

    Returns the request, whose streams, environment and folder are this process's by then, and the
    descriptors that came with it.
    """
    listener, end = socket.socket(fileno=int(listening)), os.pidfd_open(int(owner))
    wakeup, on_signal = socket.socketpair()
    for each in (wakeup, on_signal):
        each.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(on_signal.fileno())
    waiting: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as ready:
        for source in (end, listener, wakeup):
            ready.register(source, selectors.EVENT_READ)
        while True:
            found = {key.fileobj for key, _ in ready.select()}
            if wakeup in found:
                wakeup.recv(LARGEST)
                report_ended(waiting)
            if listener in found:
                connection = listener.accept()[0]
                sent, streams, *_ = socket.recv_fds(connection, LARGEST, MOST_FILES)
                pid = os.fork()
                if not pid:
                    break
                for stream in streams:
                    os.close(stream)
                with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked is gone
                    connection.sendall(b"%d\n" % pid)
                waiting[pid] = connection
            if end in found:
                shutil.rmtree(os.path.dirname(address), ignore_errors=True)
                os._exit(0)
    os.close(end)
    for each in (listener, wakeup, on_signal, connection, *waiting.values()):
        each.close()
    request = json.loads(sent)
    take_over(request, streams)
    return request, streams


def report_ended(waiting: dict[int, socket.socket]) -> None:
    """Send exit codes to those who wait for them."""
    while waiting:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if not pid:
            return
        # whoever asked may be gone: a cluster outlives the command that starts it
        with waiting.pop(pid) as connection, suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))


def take_over(request: dict[str, Any], streams: list[int]) -> None:
    """Have the streams, the environment and the folder of a request."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    if request["session"]:
        os.setsid()
    for number, stream in enumerate(streams[:3]):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
