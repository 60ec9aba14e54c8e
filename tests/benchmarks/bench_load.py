"""How fast the crowd is, beside the load generators that are installed.

``python -m tests.benchmarks.bench_load`` takes half a minute. One process serves, one sends; each
tool sends from one core over 32 connections or so. Absolute figures are the machine's; the ratios,
measured in one run against one server, are what can be compared. Ours keeps its ledger meanwhile.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from flashsale.figures import Figures
from flashsale.load.crowd import run
from flashsale.load.plan import Plan
from flashsale.load.target import find_target

PARALLEL = 32
FLOOD = 200_000  # purchases a second: more than one core can, so that it sends as fast as it can
TRIES = 3
GOALS = {False: 4500, True: 15_000}  # purchases a second on new and on kept connections

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
        began = time.perf_counter()
        await asyncio.gather(*[buyer() for _ in range(parallel)])
        print("Requests/sec:", count / (time.perf_counter() - began))
asyncio.run(main())
"""


@contextmanager
def shop() -> Iterator[str]:
    """Serve from a process of its own."""
    command = [sys.executable, "-m", "tests.benchmarks.fast_shop"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        assert process.stdin
        process.stdin.close()


def flooded(url: str, kept: bool) -> Figures:
    """Send as fast as one process can for about a second."""
    plan = Plan(find_target(url), FLOOD, 0.25 if kept else 0.1, keepalive=kept, workers=1)
    return asyncio.run(run(plan)).figures


def ours(url: str, kept: bool) -> float:
    """Return purchases a second, from the first start to the last answer."""
    figures = flooded(url, kept)
    assert figures.confirmed == figures.sent, figures
    return figures.confirmed / figures.seconds


def hey(url: str, kept: bool) -> float:
    """Measure hey, held to one core."""
    flags = [] if kept else ["-disable-keepalive"]
    count = 40_000 if kept else 12_000
    return said(["hey", "-n", str(count), "-c", str(PARALLEL), "-cpus", "1", *flags, f"{url}/buy"])


def wrk(url: str, kept: bool) -> float:
    """Measure wrk with one thread."""
    flags = [] if kept else ["-H", "Connection: close"]
    return said(["wrk", "-t1", f"-c{PARALLEL}", "-d1", *flags, f"{url}/buy"])


def aiohttp(url: str, kept: bool) -> float:
    """Measure aiohttp's client."""
    count = 8000 if kept else 3000
    words = [f"{url}/buy", str(count), str(kept), str(PARALLEL)]
    return said([sys.executable, "-c", AIOHTTP, *words])


def said(command: list[str]) -> float:
    """Run a tool and read its requests a second."""
    text = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    found = re.search(r"Requests/sec:\s+([0-9.]+)", text)
    assert found, text
    return float(found[1])


def best(measure: Callable[[str, bool], float], url: str, kept: bool) -> float:
    """Return the best of a few tries: the others had to share the machine."""
    return max(measure(url, kept) for _ in range(TRIES))


def main() -> None:
    """Print the comparison, and our schedule lag at 70 % of our top rate."""
    others = {"hey": hey, "wrk": wrk, "aiohttp": aiohttp}
    there = {name: tool for name, tool in others.items() if shutil.which(name) or tool is aiohttp}
    with shop() as url:
        for kept in (False, True):
            top = best(ours, url, kept)
            print(f"{'kept' if kept else 'new'} connections, purchases a second on one core")
            print(f"  flashsale  {top:9,.0f}   goal {GOALS[kept]:,}")
            for name, tool in there.items():
                rate = best(tool, url, kept)
                print(f"  {name:9}  {rate:9,.0f}   flashsale is {top / rate:.2f} times as fast")
            plan = Plan(find_target(url), 0.7 * top, 2, keepalive=kept, workers=1)
            figures = asyncio.run(run(plan)).figures
            lag = figures.generator.lag_ms
            print(
                f"  at 70 %: schedule lag p99 {lag.p99:.2f} ms, max {lag.max:.2f} ms; goal p99 5 ms"
            )


if __name__ == "__main__":
    main()
