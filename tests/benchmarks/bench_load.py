"""How fast our load is, beside the load generators that are installed.

``python -m tests.benchmarks.bench_load`` takes half a minute. One process serves, one sends; each
tool sends from one core over 32 connections or so. Absolute figures are the machine's; the ratios,
measured in one run against one server, are what can be compared. The figure for a second of the
sender's CPU time is the steadier one: it does not sink when others use the machine as well. Ours
keeps its ledger meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flashsale.load.coordinator import run_load
from flashsale.load.plan import LoadPlan
from flashsale.load.results import Figures
from flashsale.load.target import find_target

PARALLEL = 32
FLOOD = 200_000  # purchases a second: more than one core can, so that it sends as fast as it can
TRIES = 3
GOALS = {False: 4500, True: 15_000}  # purchases a second on new and on kept connections
FIGURE = re.compile(r"(Requests/sec:|CPU:)\s+([0-9.]+)")
DONE = re.compile(r"(\d+) requests in")  # wrk's count

AIOHTTP = """
import asyncio, sys, time, aiohttp
url, count, kept, parallel = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "True", int(sys.argv[4])
async def main():
    left = iter(range(count))
    connector = aiohttp.TCPConnector(limit=parallel, force_close=not kept)
    async with aiohttp.ClientSession(connector=connector) as session:
        async def buyer():
            for _ in left:
                async with session.get(url) as answer:
                    assert (await answer.json())["status"] == "success"
        began, cpu = time.perf_counter(), time.process_time()
        await asyncio.gather(*[buyer() for _ in range(parallel)])
        print("Requests/sec:", count / (time.perf_counter() - began))
        print("CPU:", time.process_time() - cpu)
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Speed:
    """Purchases a second."""

    wall: float  # by the clock
    cpu: float  # by the CPU time of the process that sends


@contextmanager
def shop() -> Iterator[str]:
    """Serve from a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.fast_shop"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        assert process.stdin
        process.stdin.close()


def sent(url: str, rate: float, seconds: float, kept: bool) -> Figures:
    """Send from one process."""
    plan = LoadPlan(find_target(url), rate, seconds, keepalive=kept, workers=1)
    return asyncio.run(run_load(plan)).figures


def flashsale_speed(url: str, kept: bool) -> Speed:
    """Measure our load in a flood, from the first start to the last answer."""
    figures = sent(url, FLOOD, 0.25 if kept else 0.1, kept)
    assert figures.confirmed == figures.sent, figures
    speed = figures.confirmed / figures.seconds
    return Speed(speed, speed / figures.generator.busy)


def hey(url: str, kept: bool) -> Speed:
    """Measure hey, held to one core."""
    flags = [] if kept else ["-disable-keepalive"]
    count = 40_000 if kept else 12_000
    words = ["-n", str(count), "-c", str(PARALLEL), "-cpus", "1", *flags, f"{url}/buy"]
    return run_tool(["hey", *words], count)


def wrk(url: str, kept: bool) -> Speed:
    """Measure wrk with one thread."""
    flags = [] if kept else ["-H", "Connection: close"]
    return run_tool(["wrk", "-t1", f"-c{PARALLEL}", "-d1", *flags, f"{url}/buy"])


def aiohttp(url: str, kept: bool) -> Speed:
    """Measure aiohttp's client."""
    count = 8000 if kept else 3000
    words = [f"{url}/buy", str(count), str(kept), str(PARALLEL)]
    return run_tool([sys.executable, "-c", AIOHTTP, *words], count)


def run_tool(command: list[str], count: int = 0) -> Speed:
    """Run a tool; read its requests a second, and measure its CPU time unless it says that."""
    before = cpu_of_children()
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    spent = cpu_of_children() - before
    figures = {name: float(figure) for name, figure in FIGURE.findall(text)}
    done = DONE.search(text)
    count = int(done[1]) if done else count
    return Speed(figures["Requests/sec:"], count / figures.get("CPU:", spent))


def cpu_of_children() -> float:
    """Return the CPU seconds of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def best(measure: Callable[[str, bool], Speed], url: str, kept: bool) -> Speed:
    """Return the best of a few tries: the others had to share the machine."""
    speeds = [measure(url, kept) for _ in range(TRIES)]
    return Speed(max(speed.wall for speed in speeds), max(speed.cpu for speed in speeds))


def compare(url: str, kept: bool) -> None:
    """Print one mode's comparison, and our schedule lag at 70 % of our top rate."""
    tools = {"hey": hey, "wrk": wrk, "aiohttp": aiohttp}
    top = best(flashsale_speed, url, kept)
    print(f"{'kept' if kept else 'new'} connections: purchases a second, and a CPU second")
    print(f"  flashsale {top.wall:9,.0f} {top.cpu:9,.0f}   goal {GOALS[kept]:,} a second")
    for name, tool in tools.items():
        if name == "aiohttp" or shutil.which(name):
            their = best(tool, url, kept)
            ratios = f"{top.wall / their.wall:.2f}, {top.cpu / their.cpu:.2f}"
            print(f"  {name:9} {their.wall:9,.0f} {their.cpu:9,.0f}   flashsale : {name} {ratios}")
    for share, rate in (("70 % of the goal", GOALS[kept]), ("70 % of our top rate", top.wall)):
        sender = sent(url, 0.7 * rate, 2, kept).generator
        lag = sender.lag_ms
        print(f"  lag at {share}: p99 {lag.p99:.2f} ms, max {lag.max:.2f} ms; goal p99 < 5 ms")
        print(f"    ran {sender.busy:.0%} of the time and waited for a core {sender.waiting:.0%}")


def main() -> None:
    """Print both comparisons."""
    with shop() as url:
        compare(url, kept=False)
        compare(url, kept=True)


if __name__ == "__main__":
    main()
