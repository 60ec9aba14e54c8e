"""A dashboard of a made-up state, served in a thread: for states that are hard to bring about."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from flashsale.dashboard.actions import Action
from flashsale.dashboard.dashboard_state import DashboardState
from flashsale.dashboard.follow import DashboardClock
from flashsale.dashboard.page_document import page_document
from flashsale.dashboard.page_stream import Broadcast
from flashsale.dashboard.security import Guard
from flashsale.dashboard.web_server import Dashboard, bind


@dataclass(slots=True)
class ServedState:
    """What is served, and where."""

    state: DashboardState
    guard: Guard
    broadcast: Broadcast
    loop: asyncio.AbstractEventLoop

    def show(self, state: DashboardState) -> None:
        """Change it."""

        def change() -> None:
            self.state = state
            self.broadcast.change()

        self.loop.call_soon_threadsafe(change)


@contextmanager
def served(
    state: DashboardState, *, read_only: bool = True, actions: Mapping[str, Action] | None = None
) -> Iterator[ServedState]:
    """Serve a state for as long as the block runs."""
    clock, begun, ending = DashboardClock(), threading.Event(), asyncio.Event()
    found: list[ServedState] = []

    async def serve() -> None:
        with bind(0) as sock:
            guard = Guard(sock.getsockname()[1])
            broadcast = Broadcast(
                lambda: page_document(
                    found[0].state if found else state, clock.now(), read_only=read_only
                )
            )
            dashboard = Dashboard(guard, broadcast, actions or {})
            found.append(ServedState(state, guard, broadcast, asyncio.get_running_loop()))
            sending = asyncio.create_task(broadcast.run())
            async with dashboard.listening(sock):
                begun.set()
                await ending.wait()
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="served state")
    thread.start()
    begun.wait()
    try:
        yield found[0]
    finally:
        found[0].loop.call_soon_threadsafe(ending.set)
        thread.join()
