"""Figures of the dashboard: ``python -m tests.benchmarks.bench_dashboard``.

Each line says what was measured, the figure, and its limit. Machines are noisy: compare lines of
one run. Needs Linux (/proc), Playwright and Chromium. A hundred pods are made up, and everything
from the dashboard's state to the screen is real; five pods are an embedded cluster's.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from flashsale.dashboard.dashboard_state import DashboardState
from flashsale.dashboard.web_server import FILES
from tests.browser import chromium_path
from tests.command import Flashsale
from tests.dashboard.serving import served
from tests.dashboard.test_page import seen, shown
from tests.ui.watch.view_models import many, sight

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHANGES, RATE, SECONDS = 20, 300, 20.0
WATCH = """() => {
    window.painted = {};
    const note = () => { for (const one of document.querySelectorAll(".status"))
        window.painted[one.textContent] ||= Date.now(); };
    new MutationObserver(() => requestAnimationFrame(() => setTimeout(note))).observe(
        document.getElementById("places"), {subtree: true, childList: true, characterData: true});
}"""  # a frame's callbacks run before it is painted, and a timer of theirs after it
TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Measure and print."""
    from playwright.sync_api import sync_playwright

    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores")
    size = sum(file.stat().st_size for file, _ in FILES.values())
    row("the whole page", f"{size / 1000:.1f} kB", "150 kB")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path(), args=["--no-sandbox"])
        for count in (5, 100):
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            to_the_screen(page, count)
            page.close()
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        of_a_busy_sale(page)
        browser.close()


def row(what: str, figure: str, limit: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<58} {figure:>16}  {limit}", flush=True)


def to_the_screen(page: Page, count: int) -> None:
    """Change a pod's status at random moments, and look when a browser has painted it."""
    rng = Random(count)
    state: DashboardState = shown(many(count))
    delays = []
    with served(state, read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(count - 1).wait_for()
        page.evaluate(WATCH)
        for number in range(CHANGES):
            time.sleep(0.3 + rng.random())
            status = f"Changed-{number}"
            changed = sight(1.0 + number, "changed", rng.randrange(count), status=status)
            state = seen(state, changed)
            at = time.time()
            dashboard.show(state)
            page.wait_for_function("name => window.painted[name]", arg=status)
            delays.append(page.evaluate("name => window.painted[name]", status) - 1000 * at)
    report(f"change to screen, {count} pods", delays)


def of_a_busy_sale(page: Page) -> None:
    """Measure the server's own processor time while purchases come in, and a real kill's way."""
    with tempfile.TemporaryDirectory() as folder:
        sale = Flashsale(Path(folder) / "home")
        assert sale("up", "--replicas", "5", "--cluster", "embedded").code == 0
        try:
            with sale.start("dashboard", "--no-open") as serving:
                assert serving.stdout is not None
                page.goto(serving.stdout.readline().strip())
                page.locator(".pod.ready").nth(4).wait_for()
                idle = share_of_a_core(serving.pid, page.wait_for_timeout)
                row("server, 5 pods, no buyers", f"{idle:.1%} of a core")
                page.fill("#crowd-rate", str(RATE))
                page.click("#crowd-button")
                page.locator(".part").first.wait_for()
                busy = share_of_a_core(serving.pid, page.wait_for_timeout)
                row(f"server, 5 pods, {RATE} purchases a second", f"{busy:.1%} of a core", "5 %")
                page.click("#crowd-button")
                serving.terminate()
        finally:
            sale.stop_cluster()


def share_of_a_core(pid: int, wait: Callable[[float], None]) -> float:
    """Measure a process, without its children, for some seconds."""
    used, began = processor_seconds(pid), time.monotonic()
    wait(1000 * SECONDS)
    return (processor_seconds(pid) - used) / (time.monotonic() - began)


def processor_seconds(pid: int) -> float:
    """Read what a process has used, from /proc/PID/stat."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def report(what: str, delays: list[float]) -> None:
    """Print the median and the slowest."""
    figure = f"{statistics.median(delays):.0f}, {max(delays):.0f} ms"
    row(f"{what}: median, slowest", figure, "300 ms")


if __name__ == "__main__":
    main()
