"""Make docs/watch.svg, the picture of the live view in the README, from a real run.

    python tools/picture.py            open a sale on an embedded cluster, kill two pods, draw
    python tools/picture.py --check    the same, and compare its fixed parts with the one in docs/

It takes about half a minute, and leaves nothing running. Names and times differ from run to run;
headings, words and keys do not, and these are what --check compares.
"""

from __future__ import annotations

import asyncio
import html
import io
import os
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from random import Random

from rich.console import Console, Group
from rich.terminal_theme import TerminalTheme

from flashsale.clusters.select import ClusterOptions
from flashsale.sale.kill.kill import kill_pods
from flashsale.sale.kill.kill_method import KillMethod
from flashsale.sale.kill.victims import choose_victims
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import Condition, Update
from flashsale.sale.session import connect_to_sale
from flashsale.sale.url import open_url
from flashsale.ui.watch.layout import screen_lines
from flashsale.ui.watch.view_model import Board, Now, Place, add_update

PICTURE = Path(__file__).parent.parent / "docs" / "watch.svg"
SIZE = (102, 23)
PODS = 5
PAUSE = (
    1.3  # seconds after the last change, so that nothing flashes and the healing's clock has run
)
HEADINGS = "NAME READY STATUS RESTARTS AGE IP NODE VICTIM REPLACED CREATED STARTED GONE MESSAGE"
WORDS = (
    "desired",
    "current",
    "ready",
    "live",
    "Terminating",
    "replaces",
    "deleted",
    "k kill a pod",
)
THEME = TerminalTheme(
    (22, 27, 34),
    (201, 209, 217),
    [
        (72, 79, 88),
        (255, 123, 114),
        (63, 185, 80),
        (210, 153, 34),
        (88, 166, 255),
        (188, 140, 255),
        (57, 197, 207),
        (177, 186, 196),
    ],
)
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: "Fira Code", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


class Watcher:
    """Somebody who watches a sale and can wait for a moment worth a picture."""

    def __init__(self, monitor: SaleMonitor, board: Board) -> None:
        self.monitor = monitor
        self.board = board
        monitor.add_observer(self.see)

    def see(self, update: Update) -> None:
        self.board = add_update(self.board, update)

    async def until(self, holds: Condition, patience: float = 60.0) -> None:
        """Watch until something is so, or for so many seconds."""
        with suppress(TimeoutError):
            await self.monitor.until(holds, patience)

    async def kill(self, rng: Random) -> None:
        """Kill a random ready pod, but no replacement: both rows are to be seen."""
        state = self.monitor.state
        heirs = {one.replacement_uid for one in self.board.healings}
        pods = [pod for pod in state.own if pod.uid not in heirs]
        owner = state.replicaset.uid if state.replicaset else ""
        chosen = choose_victims(pods, owner, rng=rng)
        for mark in await kill_pods(self.monitor.sale, chosen, KillMethod()):
            self.monitor.add(mark)


async def watched() -> Board:
    """Heal once, and stop in the middle of the second time."""
    async with connect_to_sale(ClusterOptions(), None) as sale:
        async with open_url(sale) as url:
            board = Board(Place(sale.cluster.context, sale.namespace, url))
        async with SaleMonitor.of(sale) as monitor:
            watcher, rng = Watcher(monitor, board), Random(7)
            await watcher.until(lambda state: state.ready == PODS)
            await watcher.kill(rng)
            await watcher.until(lambda state: bool(state.done))
            await watcher.kill(rng)
            await watcher.until(lambda state: any(one.started for one in state.open))
            await watcher.until(lambda state: False, PAUSE)
            return watcher.board


def drawn(board: Board) -> str:
    """Draw a board as SVG."""
    console = Console(record=True, width=SIZE[0], file=io.StringIO(), force_terminal=True)
    console.print(Group(*screen_lines(board, SIZE, Now.read())))
    return console.export_svg(
        title="flashsale watch", theme=THEME, code_format=FORMAT, unique_id="watch"
    )


def missing(picture: str) -> list[str]:
    """Name the fixed parts of the view that a picture does not show."""
    shown = html.unescape(re.sub(r"<[^>]+>", " ", picture)).replace("\xa0", " ")
    words = " ".join(shown.split())
    return [part for part in (*HEADINGS.split(), *WORDS) if part not in words]


def flashsale(*words: str) -> None:
    """Run a command of ours."""
    program = "from flashsale.cli.main import main; main()"
    subprocess.run([sys.executable, "-c", program, *words], check=True)


def main() -> None:
    """Open, draw, close."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["FLASHSALE_HOME"] = home
        flashsale("up", "--cluster", "embedded", "--replicas", str(PODS))
        try:
            picture = drawn(asyncio.run(watched()))
        finally:
            flashsale("down")
    found = [*missing(picture), *missing(PICTURE.read_text() if "--check" in sys.argv else picture)]
    if found:
        sys.exit(f"The picture does not show: {', '.join(found)}")
    if "--check" not in sys.argv:
        PICTURE.parent.mkdir(exist_ok=True)
        PICTURE.write_text(picture)


if __name__ == "__main__":
    main()
