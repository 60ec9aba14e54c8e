"""A way to a Service that a running program holds open: a tunnel, or a port-forward to one pod."""

from __future__ import annotations

import asyncio
import re
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from flashsale.base.errors import ClusterUnreachableError
from flashsale.objects.models import Service

FORWARDING = re.compile(r"\b(127\.0\.0\.1:\d+)\b")  # as `kubectl port-forward` says it
CHUNK = 1 << 16  # bytes


def port_forward(service: Service) -> tuple[str, ...]:
    """Write kubectl's arguments; it chooses the port on this side, and a pod on the other."""
    port = service.ports.partition("/")[0].partition(":")[0]
    return ("port-forward", "-n", service.namespace, f"service/{service.name}", f":{port}")


async def first_match(child: Process, pattern: re.Pattern[str], limit: float) -> str:
    """Read lines until one matches, and return its last group, or all that matched.

    Empty if the program ends without one, or `limit` seconds are over.
    """
    assert child.stdout is not None
    try:
        async with asyncio.timeout(limit):
            async for raw in child.stdout:
                if match := pattern.search(raw.decode(errors="replace").strip()):
                    return match[match.lastindex or 0]
    except TimeoutError:
        pass
    return ""


@asynccontextmanager
async def while_it_lives(tunnel: Process) -> AsyncGenerator[None]:
    """Interrupt what is done inside when a tunnel ends by itself.

    What it says meanwhile is read away: kubectl writes a line for each connection, and forwards
    nothing more once a pipe is full.

    Raises:
        ClusterUnreachableError: it did.
    """
    task, ended = asyncio.current_task(), False
    assert task is not None

    async def watch() -> None:
        nonlocal ended
        async with asyncio.TaskGroup() as readers:
            readers.create_task(_drained(tunnel.stdout))
            readers.create_task(_drained(tunnel.stderr))
        await tunnel.wait()  # until the last of its processes closes its pipes
        ended = True
        task.cancel()

    watcher = asyncio.create_task(watch(), name="watch the tunnel")
    try:
        yield
    except asyncio.CancelledError:
        if not ended or task.uncancel():
            raise
        raise ClusterUnreachableError(
            "The tunnel to the sale has closed.", hint="flashsale status"
        ) from None
    finally:
        watcher.cancel()
        await asyncio.wait([watcher])  # others read what is left


async def _drained(stream: asyncio.StreamReader | None) -> None:
    while stream and await stream.read(CHUNK):
        pass
