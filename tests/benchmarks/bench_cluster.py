"""Figures of the embedded cluster: ``python -m tests.benchmarks.bench_cluster``.

Each line says what was measured, the figure, and what it is measured against. Machines are noisy:
compare lines of one run.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from flashsale.embedded.process import launch

SCRIPTS = Path(sys.executable).parent
FLASHSALE, KUBECTL = str(SCRIPTS / "flashsale"), str(SCRIPTS / "kubectl")
PODS = "/api/v1/namespaces/default/pods"
WATCHERS, CHANGES, LISTED = 50, 1000, 1000


def main() -> None:
    """Measure and print."""
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores")
    command_line()
    opening()
    asyncio.run(serving())


def row(what: str, figure: str, against: str = "") -> None:
    """Print one line of the table."""
    print(f"{what:<58} {figure:>12}  {against}", flush=True)


def best(argv: list[str], env: dict[str, str] | None = None, tries: int = 7) -> float:
    """Return the median duration of a command in seconds, after one run to warm the caches."""
    times = []
    for _ in range(tries + 1):
        started = time.perf_counter()
        subprocess.run(argv, env=env, check=True, capture_output=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times[1:])


@contextmanager
def folder() -> Iterator[tuple[Path, dict[str, str]]]:
    """An empty FLASHSALE_HOME whose cluster is stopped at the end."""
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        env = os.environ | {
            "FLASHSALE_HOME": name,
            "KUBECONFIG": str(home / "embedded" / "kubeconfig"),
            "KUBECACHEDIR": str(home / "kubecache"),
        }
        try:
            yield home, env
        finally:
            launch.stop_cluster(home / "embedded")


def command_line() -> None:
    """How quickly commands come back."""
    typer = best([sys.executable, "-c", "import typer"])
    help_ = best([FLASHSALE, "--help"])
    row(
        "flashsale --help",
        f"{help_ * 1000:.0f} ms",
        f"{help_ / typer:.2f} x import typer (max 1.6)",
    )
    with folder() as (_, env):
        subprocess.run([FLASHSALE, "up", "--cluster", "embedded", "--no-wait"], env=env, check=True,
                       capture_output=True)  # fmt: skip
        kubectl = best([KUBECTL, "scale", "rs/flashsale-rs", "--replicas=3"], env)
        ours = best([FLASHSALE, "scale", "3", "--no-wait"], env)
        status = best([FLASHSALE, "status"], env)
        row("flashsale scale 3 --no-wait", f"{ours * 1000:.0f} ms",
            f"{ours / kubectl:.1f} x kubectl scale, {kubectl * 1000:.0f} ms (max 6)")  # fmt: skip
        row(
            "flashsale status", f"{status * 1000:.0f} ms", f"{status / kubectl:.1f} x kubectl scale"
        )


def opening() -> None:
    """How long the sale takes to open, and what the cluster weighs."""
    with folder() as (home, env):
        started = time.perf_counter()
        process = subprocess.Popen(
            [FLASHSALE, "up", "--cluster", "embedded"], env=env, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        answering = until(lambda: launch.find_cluster(home / "embedded"), started)
        row("up: the API answers after", f"{answering:.2f} s", "max 0.7 s")
        process.wait()
        ready = time.perf_counter() - started
        row(
            "up: three pods ready after", f"{ready:.2f} s", "probes allow 5.0 s (delay 3, period 5)"
        )
        subprocess.run([FLASHSALE, "scale", "5"], env=env, check=True, capture_output=True)
        running = launch.find_cluster(home / "embedded")
        assert running is not None
        row("cluster process with 5 pods, resident", f"{resident(running.pid):.0f} MB", "max 90 MB")
    with folder() as (home, env):
        manifest = quick_manifest(home)
        started = time.perf_counter()
        subprocess.run([FLASHSALE, "up", "--cluster", "embedded", "--manifest", str(manifest)],
                       env=env, check=True, capture_output=True)  # fmt: skip
        taken = time.perf_counter() - started
        row("up with readiness 0 s / 1 s, all ready after", f"{taken:.2f} s", "max 4 s")


def until(condition: Callable[[], Any], started: float) -> float:
    """Return the seconds from ``started`` until the condition holds."""
    while not condition():
        time.sleep(0.005)
    return time.perf_counter() - started


def resident(pid: int) -> float:
    """Return a process's resident memory in MB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"no VmRSS for {pid}")


def quick_manifest(home: Path) -> Path:
    """Write the shipped manifest with a readiness probe every second from the start."""
    text = subprocess.run([FLASHSALE, "manifest"], check=True, capture_output=True).stdout
    documents = list(yaml.safe_load_all(text))
    for document in documents:
        if document["kind"] == "ReplicaSet":
            probe = document["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
            probe |= {"initialDelaySeconds": 0, "periodSeconds": 1}
    path = home / "quick.yaml"
    path.write_text(yaml.safe_dump_all(documents))
    return path


async def serving() -> None:
    """How the API server copes with many objects and many watchers."""
    with folder() as (home, _):
        running = launch.start_cluster(home / "embedded")
        context = ssl.create_default_context(cafile=home / "embedded" / "pki" / "ca.crt")
        context.load_cert_chain(home / "embedded" / "pki" / "client.pem")
        connector = aiohttp.TCPConnector(ssl=context, limit=0)
        base = f"https://127.0.0.1:{running.port}"
        async with aiohttp.ClientSession(base, connector=connector) as session:
            await listing(session)
            await watching(session)


async def listing(session: aiohttp.ClientSession) -> None:
    """List a thousand pods that no scheduler touches."""
    for number in range(LISTED):
        body = {
            "metadata": {"name": f"pod-{number}"},
            "spec": {
                "schedulerName": "nobody",
                "containers": [{"name": "c", "image": "flashsale:1.0"}],
            },
        }
        async with session.post(PODS, json=body) as response:
            assert response.status == 201, await response.text()
    times = []
    for _ in range(9):
        started = time.perf_counter()
        async with session.get(PODS) as response:
            text = await response.read()
        times.append(time.perf_counter() - started)
    assert len(json.loads(text)["items"]) == LISTED
    row(f"list of {LISTED} pods ({len(text) / 1e6:.1f} MB)",
        f"{statistics.median(times) * 1000:.0f} ms", "max 150 ms")  # fmt: skip


async def watching(session: aiohttp.ClientSession) -> None:
    """Fifty watchers each see a thousand changes: none lost, none twice."""
    url = "/api/v1/namespaces/default/configmaps"
    async with session.post(url, json={"metadata": {"name": "c"}, "data": {"n": "0"}}) as response:
        since = (await response.json())["metadata"]["resourceVersion"]
    watchers = [asyncio.create_task(watch(session, url, since)) for _ in range(WATCHERS)]
    started = time.perf_counter()
    for number in range(1, CHANGES + 1):
        async with session.put(
            f"{url}/c", json={"metadata": {"name": "c"}, "data": {"n": str(number)}}
        ) as response:
            assert response.status == 200
    seen = await asyncio.gather(*watchers)
    taken = time.perf_counter() - started
    expected = [str(number) for number in range(1, CHANGES + 1)]
    exact = sum(1 for numbers in seen if numbers == expected)
    row(f"{WATCHERS} watchers of {CHANGES} changes: exact", f"{exact}/{WATCHERS}", f"{taken:.1f} s")


async def watch(session: aiohttp.ClientSession, url: str, since: str) -> list[str]:
    """Collect the changes of one ConfigMap until the last one."""
    numbers: list[str] = []
    query = {"watch": "1", "resourceVersion": since, "fieldSelector": "metadata.name=c"}
    async with session.get(url, params=query) as response:
        async for line in response.content:
            numbers.append(json.loads(line)["object"]["data"]["n"])
            if numbers[-1] == str(CHANGES):
                break
    return numbers


if __name__ == "__main__":
    main()
