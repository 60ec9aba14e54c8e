"""Following a minikube command that takes minutes: its events as progress, and signs of life."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.start.events import Failure, Listener, failure


async def told(
    minikube: MinikubeCli, listener: Listener, *words: str, timeout: float
) -> Failure | None:
    """Run a command with `-o json` to its end; None if it did what it should.

    Raises:
        ClusterUnreachableError: minikube is not installed, or did not end in time.
    """
    async with heartbeat(listener, minikube.patience.heartbeat):
        said = await minikube.follow(
            *words,
            each=listener.line,
            each_error=lambda _: listener.heard(),
            timeout=timeout,
        )
    return None if said.code == 0 else failure(said.code, listener.fatal, said.stderr)


@asynccontextmanager
async def heartbeat(listener: Listener, every: float) -> AsyncGenerator[None]:
    """Let a listener say that the command is alive after each `every` seconds of silence.

    Through a pipe minikube reports no downloads, and they take minutes; stopping is one long wait.
    """
    began = time.monotonic()
    sound = asyncio.Event()
    listener.heard = sound.set

    async def beat() -> None:
        while True:
            sound.clear()
            try:
                await asyncio.wait_for(sound.wait(), every)
            except TimeoutError:
                passed = time.monotonic() - began
                listener.progress.detail(f"still at '{listener.current}' after {passed:.0f} s")

    task = asyncio.create_task(beat(), name="minikube heartbeat")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
