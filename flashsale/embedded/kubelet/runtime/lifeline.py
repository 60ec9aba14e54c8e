"""The cluster's end of the guard's pipe: whatever kills the cluster kills its pods as well."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from flashsale.embedded.kubelet.runtime.processes import on_exit

SCRIPT = Path(__file__).with_name("guard.py")


class Lifeline:
    """Starts the guard, and again if it dies; tells it which process groups exist."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._guard: subprocess.Popen[bytes] | None = None
        self._unwatch: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Start the guard and tell it all that it has to know."""
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            bufsize=0,
            start_new_session=True,
        )
        self._unwatch = on_exit(self._guard, self._restart)
        self._tell("".join(f"+{group}\n" for group in self._groups))

    @property
    def pid(self) -> int:
        """The guard's process id; 0 when there is none."""
        return self._guard.pid if self._guard else 0

    def add(self, group: int) -> None:
        """Have this process group killed if we die."""
        self._groups.add(group)
        self._tell(f"+{group}\n")

    def remove(self, group: int) -> None:
        """Forget a process group that has ended."""
        self._groups.discard(group)
        self._tell(f"-{group}\n")

    def close(self) -> None:
        """Let the guard go; it kills what is still on its list."""
        self._unwatch()
        guard, self._guard = self._guard, None
        if guard and guard.stdin:
            guard.stdin.close()
            guard.wait()

    def _tell(self, text: str) -> None:
        if self._guard and self._guard.stdin:
            with contextlib.suppress(BrokenPipeError):  # it died: the next one hears it all
                self._guard.stdin.write(text.encode())

    def _restart(self) -> None:
        if self._guard:
            self.close()
            self.start()
