"""A few texts the way Go writes them, because people search the web for exactly these."""

from __future__ import annotations

import errno
import json

_SYSCALL_TEXT = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by peer",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EPIPE: "broken pipe",
}


def duration(seconds: float) -> str:
    """Write whole seconds as Go's time.Duration does: 40s, 1m20s, 5m0s, 1h0m0s."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def quote(text: str) -> str:
    """Write a string as Go's %q does, near enough for names and commands."""
    return json.dumps(text, ensure_ascii=False)


def os_error(error: OSError) -> str:
    """Write what a system call failed with: `connection refused`."""
    text = _SYSCALL_TEXT.get(error.errno or 0)
    return text or (error.strerror or str(error)).lower()
