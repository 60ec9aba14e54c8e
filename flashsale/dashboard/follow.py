"""Keeping the sale in view, whatever happens to it: none yet, closed, its cluster gone or new."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from flashsale.base.aio import end_tasks
from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, NoSaleError, RefusedError
from flashsale.dashboard import dashboard_state as states
from flashsale.dashboard.dashboard_state import DashboardState, Moment, Trouble
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import Update
from flashsale.sale.session import Sale
from flashsale.sale.url import follow_url
from flashsale.ui.watch.load_status import Buyers
from flashsale.ui.watch.view_model import Now, Place

LOG = logging.getLogger(__name__)
LOOK_AGAIN = 2.0  # seconds between two looks for a sale where there is none
PATIENCE = 4  # looks for which a monitor may try to reach a sale that another look finds

Connect = Callable[[], AbstractAsyncContextManager[Sale]]


@dataclass(frozen=True, slots=True)
class DashboardClock:
    """Both clocks, a fixed distance apart: a moment is always written as the same time."""

    began: Now = field(default_factory=Now.read)

    def now(self) -> Now:
        mono = time.monotonic()
        return Now(mono, self.began.unix_time(mono))


class SaleFollower:
    """Holds what the dashboard knows, and the monitor of the sale that there is now."""

    def __init__(self, connect: Connect, home: Path) -> None:
        """Prepare; nothing is asked of a cluster before :meth:`run`.

        Args:
            connect: finds the sale as every command does.
            home: the state folder, where a load of another window announces itself.
        """
        self.state = DashboardState()
        self.monitor: SaleMonitor | None = None
        self.changed: Callable[[], None] = lambda: None
        self.looked = asyncio.Event()  # set once it is known whether there is a sale
        self._connect = connect
        self._buyers = Buyers(home)

    def show(self, state: DashboardState) -> None:
        self.state = state
        self.changed()

    async def current(self) -> SaleMonitor:
        """Return the sale's monitor once it is known what there is; FlashsaleError without one."""
        monitor, down = self.monitor, self.state.board.down
        if monitor is None or (down is not None and self.state.trouble):
            trouble = self.state.trouble
            if trouble:
                raise FlashsaleError(trouble.text, hint=trouble.hint)
            raise NoSaleError("No sale is open.", hint="flashsale up")
        await monitor.until_synced()
        return monitor

    async def run(self) -> None:
        """Follow the sale, and look for one while there is none, until cancelled.

        Raises:
            FlashsaleError: what no waiting mends: a refusal, or input that makes no sense.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._tick(), name="dashboard: seconds")
            while True:
                try:
                    async with self._connect() as sale:
                        await self._follow(sale)
                except (NoSaleError, ClusterUnreachableError) as error:
                    self._lose(error)
                    await asyncio.sleep(LOOK_AGAIN)

    async def _follow(self, sale: Sale) -> None:
        """Show one sale until it is to be looked for anew."""
        await sale.replicaset()  # it is really there
        self.looked.set()
        LOG.info("following the sale on %s", sale.cluster.context)
        timing = (await sale.cluster.node_timing(sale.api)).describe()
        place = Place(sale.cluster.context, sale.namespace, node_timing=timing)
        state = states.with_sale(self.state, place, time.monotonic())
        self.show(replace(state, kills_nodes=await _kills_nodes(sale)))
        monitor = SaleMonitor.of(
            sale, self._see, needs_cluster=False, needs_replicaset=False, nodes=True
        )
        try:
            async with monitor, follow_url(monitor, self._set_url):
                self.monitor = monitor
                await self._until_elsewhere(monitor)
        finally:
            self.monitor = None

    async def _until_elsewhere(self, monitor: SaleMonitor) -> None:
        """Return when another look finds a sale where this one does not answer any more.

        The same one is left to its monitor for some looks: that reconnects by itself, and then
        knows what happened meanwhile.

        Raises:
            NoSaleError: the record of it is gone, so somebody closed it.
        """
        left = PATIENCE
        ending = asyncio.create_task(monitor.until_it_ends(), name="dashboard: monitor")
        try:
            while True:
                await asyncio.wait({ending}, timeout=LOOK_AGAIN)
                if ending.done():
                    ending.result()
                elsewhere = await self._found_anew() if self._seems_lost() else None
                left = left - 1 if elsewhere else PATIENCE
                if (
                    elsewhere
                    and self._seems_lost()
                    and (elsewhere != _place(monitor.sale) or not left)
                ):
                    return
        finally:
            await end_tasks(ending)

    def _seems_lost(self) -> bool:
        closed = self.state.board.closed is not None
        return closed or states.seems_away(self.state, time.monotonic())

    async def _found_anew(self) -> tuple[str, ...] | None:
        """Return where a sale is, if one is found."""
        try:
            async with self._connect() as sale:
                await sale.replicaset()
                return _place(sale)
        except NoSaleError as error:
            if self.state.board.closed is None:
                raise
            self.show(replace(self.state, trouble=Trouble.of(error)))
        except ClusterUnreachableError as error:
            self.show(replace(self.state, trouble=Trouble.of(error)))
        return None

    def note(self, text: str) -> None:
        """Put something that was done on the time line."""
        self.show(states.with_moment(self.state, Moment(time.monotonic(), "node", text)))

    def _see(self, update: Update) -> None:
        state = states.with_update(self.state, update)
        if state.trouble and state.board.down is None and state.board.closed is None:
            state = replace(state, trouble=None)
        self.show(state)

    def _set_url(self, url: str) -> None:
        board = self.state.board
        self.show(replace(self.state, board=replace(board, place=replace(board.place, url=url))))

    def _lose(self, error: FlashsaleError) -> None:
        """Keep the last picture, and say that there is no sale."""
        self.looked.set()
        if not self.state.trouble or self.state.trouble.text != str(error):
            LOG.info("no sale to show: %s", error)
        state = self.state
        if isinstance(error, NoSaleError):
            state = states.with_closed(state, time.monotonic())
        self.show(replace(state, trouble=Trouble.of(error)))

    async def _tick(self) -> None:
        """Note once a second how things are, and look for buyers of another window."""
        while True:
            await asyncio.sleep(1.0 - time.monotonic() % 1.0)
            board = self.state.board
            names = [pod.pod.name for pod in board.state.pods.values()]
            with suppress(OSError):
                board = replace(board, purchases=self._buyers.look(names))
            state = replace(self.state, board=board)
            at = time.monotonic()
            self.show(states.with_second(state, int(at - 0.5), at))


def _place(sale: Sale) -> tuple[str, ...]:
    return sale.api.host, sale.namespace, sale.name


async def _kills_nodes(sale: Sale) -> bool:
    try:
        await sale.cluster.check_node_kill()
    except RefusedError:
        return False
    return True
