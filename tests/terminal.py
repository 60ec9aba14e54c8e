"""Somebody at a terminal: a program of ours on a pseudo-terminal of any size."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from shutil import which

from tests.command import Flashsale, can_be_forked
from tests.forking.client import ForkedProcess, request, server

LIMIT = 20.0  # seconds for anything, on a busy machine
SGR = re.compile(r"\x1b\[[\d;]*m")  # colours, bold, dim
MOVES = re.compile(r"\x1b\[[\d;?]*[A-HJKhl]")  # of the cursor, and what else is no text


@dataclass(slots=True)
class Person:
    """Somebody at a terminal in which a command runs."""

    program: subprocess.Popen[bytes] | ForkedProcess
    terminal: int
    theirs: int
    seen: str = ""

    def sees(self, *words: str) -> None:
        """Look until all these words have been on the screen since the last time."""
        end, begin = time.monotonic() + LIMIT, len(self.seen)
        while not all(word in self.seen[begin:] for word in words):
            missing = [word for word in words if word not in self.seen[begin:]]
            assert time.monotonic() < end, f"never saw {missing} in {self.seen[begin:]}"
            self._look()

    def types(self, keys: str) -> None:
        """Type all of it at once."""
        os.write(self.terminal, keys.encode())

    def resizes(self, columns: int, lines: int) -> None:
        """Give the window another size."""
        termios.tcsetwinsize(self.terminal, (lines, columns))

    def leaves(self) -> int:
        """Look until the program ends."""
        end = time.monotonic() + LIMIT
        while self.program.poll() is None:
            assert time.monotonic() < end, f"it does not end: {self.seen}"
            self._look()
        self._look()
        return self.program.returncode

    def _look(self) -> None:
        if select.select([self.terminal], [], [], 0.1)[0]:
            with suppress(OSError):  # how Linux says that the other end is closed
                self.seen += os.read(self.terminal, 65536).decode(errors="replace")


@contextmanager
def seated(
    program: subprocess.Popen[bytes] | ForkedProcess, terminal: int, theirs: int
) -> Iterator[Person]:
    """Sit before a program; afterwards it is ended, and both ends of its terminal are closed."""
    try:
        yield Person(program, terminal, theirs)
    finally:
        program.kill()
        program.wait()
        os.close(terminal)
        os.close(theirs)


@contextmanager
def at_terminal(
    flashsale: Flashsale, *words: str, size: tuple[int, int] = (80, 24), **extra: str
) -> Iterator[Person]:
    """Run a command on a terminal of so many columns and lines; keywords are variables."""
    terminal, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, size[::-1])
    environment = flashsale.environment | {"TERM": "xterm-256color"} | extra
    program: subprocess.Popen[bytes] | ForkedProcess
    if can_be_forked(extra):
        asked = request(words, environment, flashsale.home.parent, session=True)
        program = ForkedProcess(server(), asked, [theirs] * 3)
    else:
        program = subprocess.Popen(
            flashsale.command(*words),
            env=environment,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            cwd=flashsale.home.parent,
        )
    with seated(program, terminal, theirs) as person:
        yield person


@contextmanager
def on_terminal(
    argv: Sequence[str], env: Mapping[str, str], size: tuple[int, int]
) -> Iterator[Person]:
    """Run any program on a terminal that is its own."""
    terminal, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, size[::-1])
    own = ["setsid", "--ctty"] if which("setsid") else []
    program = subprocess.Popen([*own, *argv], env=dict(env), stdin=theirs, stdout=theirs,
                               stderr=theirs)  # fmt: skip
    with seated(program, terminal, theirs) as person:
        yield person
