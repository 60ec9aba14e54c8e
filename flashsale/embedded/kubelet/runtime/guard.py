"""Kills the pods' processes when the cluster process is gone, however it went.

A script of its own, with nothing but built-in modules: `python -I -S guard.py`. It reads lines from
standard input, `+PGID` and `-PGID`, and keeps the list. The other end of that pipe is held by the
cluster process alone; when it dies, even by SIGKILL, the pipe ends, every process group still on
the list is killed, and the guard exits.
"""

import os
import signal
import sys


def main() -> None:
    """Follow the list until the pipe ends, then kill what is left on it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever stops the cluster must not stop this
    groups: set[int] = set()
    for line in sys.stdin:
        group = int(line[1:])
        if line.startswith("+"):
            groups.add(group)
        else:
            groups.discard(group)
    for group in groups:
        try:
            os.killpg(group, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            continue  # it ended by itself (macOS says EPERM for a group of zombies)


if __name__ == "__main__":
    main()
