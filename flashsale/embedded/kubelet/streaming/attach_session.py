"""What a running container writes, as it writes it: `kubectl attach`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from flashsale.embedded.kubelet.descriptors import CommandInput
from flashsale.embedded.kubelet.runtime.instance import Instance
from flashsale.embedded.kubelet.streaming.exec_session import STDOUT

MOST_WAITING = 1024  # pieces of output that a client may be behind before it is left alone


class AttachSession(CommandInput):
    """A client that listens, and may speak where the container has `stdin`.

    Both output streams of a container come through one pipe.
    """

    outputs = (STDOUT,)

    def __init__(self, instance: Instance, *, stdin: bool) -> None:
        super().__init__(instance.input.stdin if stdin else None, instance.input.terminal)
        self._stdin_once = instance.stdin_once
        self._pieces: asyncio.Queue[bytes] = asyncio.Queue(MOST_WAITING)
        self._behind = False

    def hear(self, data: bytes) -> None:
        """Take what the container has written; nothing at its end."""
        if self._pieces.full():
            self._pieces.get_nowait()
            self._behind = True
        self._pieces.put_nowait(b"" if self._behind else data)

    def close_stdin(self) -> None:
        """End the container's input, if its spec has `stdinOnce`: else others come after this."""
        if self._stdin_once:
            super().close_stdin()

    async def read(self, stream: int) -> bytes:
        return await self._pieces.get()

    async def wait(self) -> int:
        """Return 0 once the client has heard all: how the container ended is in its status."""
        return 0


@asynccontextmanager
async def attach_session(instance: Instance, *, stdin: bool) -> AsyncIterator[AttachSession]:
    """Listen to a container for as long as the block; its input ends after it, if so specified."""
    session = AttachSession(instance, stdin=stdin)
    instance.listeners.add(session.hear)
    if instance.output_ended:
        session.hear(b"")
    try:
        yield session
    finally:
        instance.listeners.discard(session.hear)
        session.close_stdin()
