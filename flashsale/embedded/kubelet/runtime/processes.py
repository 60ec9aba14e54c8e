"""Starting processes so that none is left behind, and hearing at once when one ends."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Groups(Protocol):
    """Who must know which process groups exist."""

    def add(self, group: int) -> None:
        """One more."""

    def remove(self, group: int) -> None:
        """One less."""


class Process:
    """A process in a session of its own; when it ends, its whole process group is killed.

    That is how a container ends: with process 1 of a PID namespace everything in it dies.
    """

    def __init__(self, popen: subprocess.Popen[bytes], groups: Groups) -> None:
        self.pid = popen.pid
        self._popen = popen
        self.groups = groups
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        groups.add(self.pid)
        self._unwatch = on_exit(popen, self._finish)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self.ended.done()

    def signal(self, number: int) -> None:
        """Send a signal to the first process only, as a container runtime does."""
        if self._popen.returncode is None:  # not reaped, so the number is still its own
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.pid, number)

    def terminate(self) -> None:
        """Send SIGTERM, unless it would have no effect on process 1 of a real container.

        The kernel drops signals that process 1 has no handler for. Python processes mimic that
        themselves (guest/sitecustomize.py); for all others the kubelet looks, where it can.
        """
        if handles(self.pid, signal.SIGTERM):
            self.signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL the whole group."""
        if self.running:
            _kill_group(self.pid)

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, 128 + N after signal N."""
        return await asyncio.shield(self.ended)

    def reap(self, timeout: float = 2.0) -> None:
        """Wait for the end of a killed process without the event loop (seconds)."""
        self._unwatch()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout)
            self._finish()

    def _finish(self) -> None:
        if not self.ended.done():
            _kill_group(self.pid)  # before reaping: until then nobody else can have this number
            code = self._popen.wait()
            self.groups.remove(self.pid)
            self.ended.set_result(code if code >= 0 else 128 - code)


def spawn(
    argv: Sequence[str], *, env: Mapping[str, str], cwd: Path, output: int, groups: Groups
) -> Process:
    """Start a process; both its output streams go to a file descriptor.

    Raises:
        OSError: there is no such program, or it may not be run.
    """
    try:
        popen = subprocess.Popen(
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            preexec_fn=_die_with(os.getpid()),
        )
    except ValueError as error:  # a NUL in a word, a variable or the folder
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL)) from error
    return Process(popen, groups)


def _die_with(parent: int) -> Callable[[], None] | None:
    """On Linux, let the kernel kill the child when the parent dies: a second line to the guard."""
    if _LIBC is None:
        return None
    prctl = _LIBC.prctl  # looked up here: after the fork nothing may be loaded

    def ask() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it died before the kernel was asked
            os._exit(1)

    return ask


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal; True where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return True
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), None)
    return caught is None or bool(int(caught, 16) >> (number - 1) & 1)


def _kill_group(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)


def on_exit(popen: subprocess.Popen[bytes], callback: Callable[[], None]) -> Callable[[], None]:
    """Call back on the running loop when a child has ended, before it is reaped.

    Linux tells through a pidfd. Elsewhere a thread waits (and has reaped it by then).

    Returns:
        How to stop watching; harmless after the end.
    """
    loop = asyncio.get_running_loop()
    if not hasattr(os, "pidfd_open"):
        wait = threading.Thread(
            target=_wait_in_thread, args=(popen, loop, callback), daemon=True, name="wait"
        )
        wait.start()
        return lambda: None
    descriptors = [os.pidfd_open(popen.pid)]

    def unwatch() -> None:
        while descriptors:
            descriptor = descriptors.pop()
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def ended() -> None:
        unwatch()
        callback()

    loop.add_reader(descriptors[0], ended)
    return unwatch


def _wait_in_thread(
    popen: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, callback: Callable[[], None]
) -> None:
    popen.wait()
    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(callback)
