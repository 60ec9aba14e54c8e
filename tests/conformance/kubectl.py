"""A stock kubectl that touches nothing of the user's: configuration and caches of its own."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.terminal import Person, on_terminal

LIMIT = 60.0  # seconds for one command


@dataclass(frozen=True, slots=True)
class KubectlResult:
    """What a command printed, and how it ended."""

    out: str
    err: str
    code: int

    @property
    def lines(self) -> list[str]:
        """The lines of stdout."""
        return self.out.splitlines()

    @property
    def rows(self) -> list[list[str]]:
        """A printed table without its headers, cut at white space."""
        return [line.split() for line in self.lines[1:]]

    @property
    def headers(self) -> list[str]:
        """The headers of a printed table; some have one blank inside, columns have more between."""
        return [part.strip() for part in self.lines[0].split("  ") if part.strip()]


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Calls kubectl with the options that lead it to the cluster under test."""

    binary: str
    options: tuple[str, ...]
    env: Mapping[str, str]

    def inside(self, namespace: str) -> Kubectl:
        """Return one that works in a namespace."""
        return replace(self, options=(*self.options, f"--namespace={namespace}"))

    def __call__(
        self, command: str, *, code: int | tuple[int, ...] = 0, stdin: str | None = None
    ) -> KubectlResult:
        """Run a command, written as in a shell, and check its exit code, or that it is one of."""
        done = subprocess.run(
            self._argv(command),
            env=dict(self.env),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        shown = f"kubectl {command}\n[exit {done.returncode}]\n{done.stdout}\n{done.stderr}"
        assert done.returncode in (code if isinstance(code, tuple) else (code,)), shown
        return KubectlResult(done.stdout, done.stderr, done.returncode)

    def json(self, command: str) -> Any:
        """Run a command that prints JSON."""
        return json.loads(self(f"{command} -o json").out)

    @contextmanager
    def following(self, command: str) -> Iterator[Followed]:
        """Run a command that does not end by itself, such as `get pods -w`."""
        process = subprocess.Popen(
            self._argv(command),
            env=dict(self.env),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        followed = Followed(process)
        try:
            yield followed
        finally:
            followed.stop()

    @contextmanager
    def at_terminal(self, command: str, *, size: tuple[int, int]) -> Iterator[Person]:
        """Run a command on a terminal of so many columns and lines."""
        with on_terminal(self._argv(command), self.env, size) as person:
            yield person

    def _argv(self, command: str) -> list[str]:
        return [self.binary, *self.options, *shlex.split(command)]


class Followed:
    """The output of a running command, as far as it has come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._process = process
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def code(self) -> int | None:
        """Its exit code, once all of its output is there."""
        return None if self._reader.is_alive() else self._process.wait()

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._reader.join()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))


def find_kubectl() -> str | None:
    """Find the kubectl that was installed beside this Python, else the machine's."""
    beside = Path(sys.executable).with_name("kubectl")
    return os.environ.get("KUBECTL") or (
        str(beside) if beside.exists() else shutil.which("kubectl")
    )
