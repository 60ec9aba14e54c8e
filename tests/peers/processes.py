"""Long-running programs, each with a log of its own, that start in order and end in reverse."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PAUSE = 0.05  # seconds between two looks at a condition


class PeerError(Exception):
    """A program did not start, or did not become ready; the message says which and why."""


class Processes:
    """What was started, in that order."""

    def __init__(self, logs: Path, prefix: Sequence[str] = ()) -> None:
        """Args: prefix stands before every command, such as `nsenter` with its options."""
        self.logs = logs
        self._prefix = tuple(prefix)
        self._running: list[tuple[str, subprocess.Popen[bytes]]] = []

    def start(self, command: Sequence[str | Path], *, env: dict[str, str] | None = None) -> None:
        """Start a program that runs until it is ended; its log has its name."""
        words = [str(word) for word in command]
        name = Path(words[0]).name
        with (self.logs / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [*self._prefix, *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=env,
                process_group=0,  # a Ctrl-C in the terminal reaches the supervisor alone
            )
        self._running.append((name, process))

    def until(self, condition: Callable[[], object], what: str, *, timeout: float) -> None:
        """Wait until a condition holds.

        Args:
            timeout: in seconds.

        Raises:
            PeerError: the time passed, or a program ended meanwhile.
        """
        deadline = time.monotonic() + timeout
        while not condition():
            self._refuse_if_ended()
            if time.monotonic() > deadline:
                raise PeerError(f"not within {timeout:.0f} s: {what} (logs: {self.logs})")
            time.sleep(PAUSE)

    def watch(self) -> None:
        """Look after the programs until this process is interrupted.

        Raises:
            PeerError: one of them ended by itself.
        """
        while True:
            self._refuse_if_ended()
            time.sleep(PAUSE)

    def last_lines(self, name: str, count: int = 8) -> str:
        """Return the end of a program's log."""
        text = (self.logs / f"{name}.log").read_text(errors="replace")
        return "\n".join(text.splitlines()[-count:])

    def stop(self, *, grace: float = 10.0) -> None:
        """End all programs, the last one first, and wait for each.

        Args:
            grace: seconds until a program that ignores the request is killed.
        """
        while self._running:
            _, process = self._running.pop()
            end(process, grace=grace)

    def _refuse_if_ended(self) -> None:
        collect_orphans({process.pid for _, process in self._running})
        for name, process in self._running:
            if process.poll() is not None:
                raise PeerError(f"{name} ended by itself:\n{self.last_lines(name)}")


def end(process: subprocess.Popen[bytes], *, grace: float) -> None:
    """Ask one process to end, kill it after `grace` seconds, and collect it."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def collect_orphans(own: set[int]) -> None:
    """As the first process of a namespace, collect what ended and has no other parent any more."""
    if os.getpid() != 1:
        return
    options = os.WEXITED | os.WNOHANG | os.WNOWAIT
    with contextlib.suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, options)) and found.si_pid not in own:
            os.waitpid(found.si_pid, 0)
