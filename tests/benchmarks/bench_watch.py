"""Figures of the live view: ``python -m tests.benchmarks.bench_watch``.

Each line says what was measured, the figure, and its limit. Machines are noisy: compare lines of
one run. Needs Linux (/proc) and kubectl for the independent observer.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import resource
import select
import statistics
import subprocess
import sys
import tempfile
import termios
import time
from contextlib import aclosing
from pathlib import Path
from random import Random
from typing import Any

import yaml
from rich.console import Console

from flashsale.kube import connect, paths
from flashsale.kube.list_watch import changes
from flashsale.kube.watch_types import Changed, Resynced, WatchTimeouts
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.stream import observe_replicaset
from flashsale.ui.watch.screen import Screen
from flashsale.ui.watch.view_model import Board, Place
from flashsale.ui.watch.watch_session import WatchSession
from tests.command import Flashsale
from tests.kube.list_watch.lying_api_server import PATH, Cluster
from tests.kube.list_watch.test_list_watch import Watcher, busy

KUBECTL = str(Path(sys.executable).parent / "kubectl")
CALM_SECONDS, BUSY_SECONDS = 15.0, 15.0
KILLS, SCALINGS, CHANGES, DEATHS = 5, 12, 10_000, 5
SEEN = (
    "{.type}{' '}{.object.metadata.name}{' '}{.object.metadata.deletionTimestamp}{' '}"
    '{.object.status.conditions[?(@.type=="Ready")].status}{"\\n"}'
)


def main() -> None:
    """Measure and print."""
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores")
    asyncio.run(many_changes())
    child_of_a_busy_cluster()
    with tempfile.TemporaryDirectory() as folder:
        sale = Flashsale(Path(folder) / "home")
        assert sale("up", "--replicas", "5", "--cluster", "embedded").code == 0
        try:
            calm(sale)
            to_the_screen(sale)
            independent(sale)
        finally:
            sale.stop_cluster()


def row(what: str, figure: str, limit: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<58} {figure:>12}  {limit}", flush=True)


class Terminal:
    """`flashsale watch` on a terminal of 80 by 24."""

    def __init__(self, sale: Flashsale) -> None:
        self.ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        self.program = subprocess.Popen(
            sale.command("watch"),
            env=sale.environment | {"TERM": "xterm-256color"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self.look(3.0)

    def look(self, seconds: float, words: str = "\0") -> str:
        """Read for so long, or until words are there."""
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end and words not in text:
            if select.select([self.ours], [], [], 0.05)[0]:
                try:
                    text += os.read(self.ours, 65536).decode(errors="replace")
                except OSError:  # how Linux says that the other end is closed
                    break
        return text

    def busy(self) -> float:
        """Seconds of processor time used so far."""
        fields = Path(f"/proc/{self.program.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """End it."""
        os.write(self.ours, b"q")
        self.look(2.0)
        self.program.kill()
        self.program.wait()
        os.close(self.ours)


def calm(sale: Flashsale) -> None:
    """Five pods at rest, younger than ten minutes: their ages tick every second."""
    terminal = Terminal(sale)
    before = terminal.busy()
    written = terminal.look(CALM_SECONDS)
    share = (terminal.busy() - before) / CALM_SECONDS
    row("watch, 5 calm pods: share of a core", f"{share:.1%}", "at most 3 %")
    row("   repaints a second", f"{written.count(chr(27) + '[?2026h') / CALM_SECONDS:.2f}", "4")
    terminal.close()


def to_the_screen(sale: Flashsale) -> None:
    """From the API's acceptance of a new number of pods to that number on the screen."""
    terminal, times = Terminal(sale), []
    kubeconfig = Path(sale("kubeconfig").out.strip())
    for turn in range(SCALINGS):
        wanted = 6 - turn % 2
        terminal.look(1.3 + turn * 0.05)
        began = asyncio.run(_scaled(kubeconfig, wanted))
        if f"desired {wanted}" not in terminal.look(5.0, f"desired {wanted}"):
            raise AssertionError("it never showed")
        times.append(time.monotonic() - began)
    row("change to screen, median", f"{statistics.median(times) * 1000:.0f} ms", "under 300 ms")
    row("   worst", f"{max(times) * 1000:.0f} ms", "under 300 ms")
    terminal.close()
    sale("scale", "5")


async def _scaled(kubeconfig: Path, replicas: int) -> float:
    """Scale, and return the moment before that was asked for."""
    async with connect(kubeconfig, "flashsale-embedded") as api:
        await api.version()  # the connection is open now
        began = time.monotonic()
        await api.scale(paths.replicasets("default", "flashsale-rs"), replicas)
        return began


def independent(sale: Flashsale) -> None:
    """Heal times of `watch -o json` beside those that kubectl sees of the same cluster."""
    environment = sale.environment | {"KUBECONFIG": sale("kubeconfig").out.strip()}
    get = [KUBECTL, "get", "pods", "-w", "--output-watch-events", "-o", f"jsonpath={SEEN}"]
    watching = sale.start("watch", "-o", "json", "--for", f"{KILLS * 10 + 4}s")
    with subprocess.Popen(get, env=environment, stdout=subprocess.PIPE) as observer:
        assert observer.stdout is not None
        seen: list[tuple[float, list[str]]] = []
        for _ in range(KILLS):
            _collect(observer.stdout.fileno(), seen, 1.0)
            kill = [KUBECTL, "delete", "pod", _somebody(environment), "--wait=false"]
            subprocess.run(kill, env=environment, check=True, capture_output=True)
            _collect(observer.stdout.fileno(), seen, 9.0)
        observer.kill()
    assert watching.stdout is not None
    healed = [line for line in map(json.loads, watching.stdout) if line["type"] == "healed"]
    watching.communicate()
    gaps = [abs(one["ready_seconds"] - _observed(one, seen)) for one in healed]
    what = f"heal time beside kubectl's, {len(gaps)} kills, worst"
    row(what, f"{max(gaps) * 1000:.0f} ms", "100 ms")


def _somebody(environment: dict[str, str]) -> str:
    """The name of a random pod."""
    get = [KUBECTL, "get", "pods", "-o", "jsonpath={.items[*].metadata.name}"]
    return Random(1).choice(subprocess.check_output(get, env=environment, text=True).split())


def _collect(file: int, seen: list[tuple[float, list[str]]], seconds: float) -> None:
    """Read lines for so long, each with its moment; they come whole, one write a line."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([file], [], [], 0.05)[0]:
            text = os.read(file, 65536).decode()
            seen += [(time.monotonic(), line.split()) for line in text.splitlines()]


def _observed(one: dict[str, Any], seen: list[tuple[float, list[str]]]) -> float:
    """Seconds from the victim's deletionTimestamp to the replacement's Ready, as kubectl saw."""
    died = next(at for at, words in seen if words[1:2] == [one["victim"]] and len(words) == 4)
    ready = next(
        at for at, words in seen if words[1:2] == [one["replacement"]] and words[-1] == "True"
    )
    return ready - died


async def many_changes() -> None:
    """Changes while the API server dies five times; the end must be exactly its state."""
    cluster, rng = Cluster(), Random(7)
    await cluster.start()
    with tempfile.TemporaryDirectory() as folder:
        async with connect(_kubeconfig(Path(folder), cluster), "test") as api:
            began = time.process_time()
            patience = WatchTimeouts(first=0.01, longest=0.05)
            async with aclosing(changes(api, PATH, patience=patience)) as news:
                watcher = Watcher(news)
                await watcher.until("live")
                for _ in range(DEATHS):
                    busy(cluster, rng, CHANGES // DEATHS // 2)
                    await watcher.until("MODIFIED")  # in the middle of it
                    await cluster.stop()
                    busy(cluster, rng, CHANGES // DEATHS // 2)
                    await cluster.start()
                    await watcher.until("resynced")
                same = watcher.pods == {
                    name: pod["metadata"]["resourceVersion"] for name, pod in cluster.pods.items()
                }
            took = time.process_time() - began
    await cluster.stop()
    assert isinstance(watcher.seen[0], Resynced)
    row(f"{CHANGES:,} changes, {DEATHS} deaths of the server: the same state", str(same), "True")
    count = sum(isinstance(changed, Changed) for changed in watcher.seen)
    row(f"   {count:,} of them passed on, processor time, server included", f"{took:.1f} s")


def child_of_a_busy_cluster() -> None:
    """200 pods and 10 changes a second, served by a process of its own (plain HTTP, no TLS)."""
    command = [sys.executable, "-c", "from tests.benchmarks.bench_watch import serve; serve()"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        share, frames = asyncio.run(_watch_busy(port))
        server.kill()
    row("watch, 200 pods, 10 changes a second: share of a core", f"{share:.1%}", "at most 12 %")
    row("   repaints a second", f"{frames:.2f}", "4")


def serve() -> None:
    """Be a cluster of 200 pods in which something happens ten times a second."""
    asyncio.run(_serve())


async def _serve() -> None:
    cluster, rng = Cluster(), Random(3)
    source = Path(__file__).parent.parent / "recordings" / "watch" / "03-delete-pod" / "pods.jsonl"
    pod = json.loads(source.read_text().splitlines()[-1])["object"]
    owner = pod["metadata"]["ownerReferences"][0]["uid"]
    replicaset = {
        "metadata": {"name": "flashsale-rs", "uid": owner, "resourceVersion": "9"},
        "spec": {"replicas": 200, "selector": {"matchLabels": {"app": "flashsale"}}},
        "status": {"replicas": 200, "readyReplicas": 200},
    }
    cluster.others[paths.replicasets("default")] = [replicaset]
    for number in range(200):
        cluster.put_whole(_named(pod, number, 0))
    await cluster.start()
    print(cluster.port, flush=True)
    for turn in range(1_000_000):
        await asyncio.sleep(0.1)
        cluster.put_whole(_named(pod, rng.randrange(200), turn))


def _named(pod: dict[str, Any], number: int, restarts: int) -> dict[str, Any]:
    status = pod["status"]
    containers = [{**one, "restartCount": restarts} for one in status["containerStatuses"]]
    meta = {**pod["metadata"], "name": f"flashsale-rs-{number:05}"}
    return {**pod, "metadata": meta, "status": {**status, "containerStatuses": containers}}


async def _watch_busy(port: int) -> tuple[float, float]:
    cluster = Cluster()
    cluster.port = port
    with tempfile.TemporaryDirectory() as folder:
        async with connect(_kubeconfig(Path(folder), cluster), "test") as api:
            paper = io.StringIO()
            console = Console(file=paper, width=80, height=24, force_terminal=True)
            screen = Screen(paper, console)
            news = observe_replicaset(api, "default", "flashsale-rs", "flashsale-svc")
            async with SaleMonitor(news, needs_cluster=False) as monitor:
                show = WatchSession(monitor, Board(Place("bench", "default")), screen)
                before, began = _used(), time.monotonic()
                await show.run(BUSY_SECONDS)
                took = time.monotonic() - began
                return (_used() - before) / took, screen.frames / took


def _used() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _kubeconfig(folder: Path, cluster: Cluster) -> Path:
    file, named = folder / "config", {"name": "test"}
    document = {
        "clusters": [{**named, "cluster": {"server": cluster.url}}],
        "users": [{**named, "user": {}}],
        "contexts": [{**named, "context": {"cluster": "test", "user": "test"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return file


if __name__ == "__main__":
    main()
