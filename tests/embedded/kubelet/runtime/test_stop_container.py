"""How pods end.

Many of these last for seconds, because grace periods do. So all pods end at the same time, once,
and each test looks at its own.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.objects.models import Object
from tests.embedded.kubelet.cluster import NAME, Cluster, MemoryAPI, env, spec
from tests.embedded.kubelet.conftest import Ask
from tests.embedded.processes import alive

BUSY = 5.0  # seconds that a busy machine may add; the default grace period is 30


@dataclass
class Ending:
    """How one pod ended."""

    seconds: float = 0.0  # from the first DELETE until object and process were gone
    phase: str = ""
    exit_code: int = 0
    reason: str = ""
    conditions: dict[str, str] = field(default_factory=dict)  # Ready -> PodFailed
    reasons: list[str] = field(default_factory=list)  # of its events
    log: str = ""


@dataclass
class Case:
    """A pod to end, and how."""

    name: str
    stop: str = "exit"  # what its app does at SIGTERM
    grace: int | None = None  # of the DELETE
    then: Callable[[Cluster, str], Awaitable[None]] | None = None  # what is done after it
    wait: str = "listening"  # what the app says before its pod is deleted
    image: str = "toggle:1.0"
    container: Object = field(default_factory=dict)


async def shorten(cluster: Cluster, name: str) -> None:
    """`kubectl delete --now` on a pod that is already Terminating."""
    await cluster.until_logged(name, "got SIGTERM")
    cluster.api.delete(name, grace=2)


async def force(cluster: Cluster, name: str) -> None:
    """`kubectl delete --force` on a pod that is already Terminating."""
    await cluster.until_logged(name, "got SIGTERM")
    cluster.api.delete(name, grace=0)


def hook(**action: Any) -> Object:
    """Return a container with a preStop hook."""
    return {"lifecycle": {"preStop": action}}


TRAP = 'trap "exit 0" USR1; echo listening; while :; do sleep 0.1; done'

CASES = [
    Case("clean"),
    Case("code-3", container={"env": [*env(CODE="3")]}),
    Case("stubborn", "ignore", grace=3),
    Case("stretched", "ignore", grace=1),
    Case("shortened", "ignore", then=shorten),
    Case("forced", "ignore", grace=0),
    Case("forced-later", "ignore", then=force),
    Case("sleep-hook", container=hook(sleep={"seconds": 1})),
    Case("exec-hook", container=hook(exec={"command": ["sh", "-c", "test -f toggle.py"]})),
    Case("http-hook", container=hook(httpGet={"path": "/set?health=1", "port": 5000})),
    Case("bad-hook", container=hook(exec={"command": ["false"]})),
    Case("long-hook", "ignore", grace=1, container=hook(exec={"command": ["sleep", "60"]})),
    Case("python", "default", grace=1),
    Case("program", grace=1, wait="", container={"command": ["sleep", "60"]}),
    Case("usr1", image="stopsignal:1.0", container={"command": ["sh", "-c", TRAP]}),
    Case("usr1-unhandled", image="stopsignal:1.0", grace=1),
    Case("without-image", wait="none", image="nobody-has-built:this"),
    *(Case(f"young-{milliseconds}", grace=1, wait="none") for milliseconds in (0, 2, 10, 40)),
]


async def end(cluster: Cluster, case: Case) -> Ending:
    """Create a pod, delete it and see what comes of it."""
    api, name = cluster.api, case.name
    container = dict(case.container)
    variables = [*env(STOP=case.stop), *container.pop("env", [])]
    pod = api.create(name, spec(case.image, env=variables, **container))
    await begun(cluster, case)
    pid = 0 if case.wait == "none" else cluster.pid(name)
    begin = time.monotonic()
    api.delete(name, case.grace)
    log = cluster.follow(name) if case.grace and pid else None
    if case.then:
        await case.then(cluster, name)
    text = b"".join([part async for part in log]) if log else b""
    await cluster.gone(name)
    assert not alive(pid), "the process outlived its pod"
    ending = Ending(time.monotonic() - begin, reasons=api.reasons(name), log=text.decode())
    status = api.statuses(name)[-1]
    ending.phase = status["phase"]
    if terminated := status["containerStatuses"][0]["state"].get("terminated"):
        ending.exit_code, ending.reason = terminated["exitCode"], terminated["reason"]
    ending.conditions = {
        condition["type"]: condition.get("reason", "") for condition in status["conditions"]
    }
    assert pod["metadata"]["uid"] not in cluster.network._attached
    return ending


async def begun(cluster: Cluster, case: Case) -> None:
    """Wait until the pod stands where it is to be deleted."""
    if case.name == "without-image":
        await cluster.until(lambda: "Failed" in cluster.api.reasons(case.name))
    elif case.wait == "none":
        await asyncio.sleep(int(case.name.rpartition("-")[2]) / 1000)
    else:
        await cluster.running(case.name)
        await cluster.until_logged(case.name, case.wait)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def endings(
    images: ImageStore, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[dict[str, Ending]]:
    """How each of the cases ended."""
    root: Path = tmp_path_factory.mktemp("endings")
    async with Cluster(root, images, MemoryAPI()) as cluster:
        found = await asyncio.gather(*(end(cluster, case) for case in CASES))
        yield dict(zip((case.name for case in CASES), found, strict=True))


def logs_below(folder: Path) -> list[Path]:
    """List the logs of containers."""
    return list(folder.glob("pods/*/*/logs/*"))


def open_below(folder: Path) -> list[str]:
    """List the files below a folder that this process has open, deleted ones too."""
    links = (one for one in Path("/proc/self/fd").iterdir() if one.is_symlink())
    return [file for file in map(os.readlink, links) if str(folder) in file]


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
async def test_a_pod_that_is_deleted_while_it_starts_leaves_no_file_open(
    images: ImageStore, tmp_path: Path
) -> None:
    """The log is opened before the process is there."""
    async with Cluster(tmp_path, images, MemoryAPI()) as cluster:
        cluster.api.create("young", spec("toggle:1.0"))
        async with asyncio.timeout(10):
            while not logs_below(tmp_path):  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0)
        cluster.api.delete("young", grace=0)
        await cluster.gone("young")
        assert open_below(tmp_path) == []


def test_sigterm_lets_the_app_leave(endings: dict[str, Ending]) -> None:
    """Exit code 0 makes a pod that Succeeded, and it takes no longer than the app."""
    clean = endings["clean"]
    assert (clean.phase, clean.exit_code, clean.reason) == ("Succeeded", 0, "Completed")
    assert clean.conditions["Ready"] == "PodCompleted"
    assert clean.seconds < BUSY


def test_the_images_stopsignal_is_sent_instead(endings: dict[str, Ending]) -> None:
    """As a runtime does for Kubernetes; a shell that only waits for SIGUSR1 would get SIGKILL."""
    assert (endings["usr1"].phase, endings["usr1"].exit_code) == ("Succeeded", 0)


def test_a_stopsignal_without_a_handler_does_nothing(endings: dict[str, Ending]) -> None:
    """SIGKILL ends the app, which knows SIGTERM alone."""
    assert endings["usr1-unhandled"].exit_code == 137
    assert "got SIGTERM" not in endings["usr1-unhandled"].log


def test_another_exit_code_is_a_failure(endings: dict[str, Ending]) -> None:
    """Phase Failed, reason Error, PodFailed."""
    failed = endings["code-3"]
    assert (failed.phase, failed.exit_code, failed.reason) == ("Failed", 3, "Error")
    assert failed.conditions["Ready"] == "PodFailed"


def test_who_ignores_sigterm_is_killed_after_the_grace_period(endings: dict[str, Ending]) -> None:
    """It is asked first; 128 + 9 = 137."""
    stubborn = endings["stubborn"]
    assert (stubborn.phase, stubborn.exit_code, stubborn.reason) == ("Failed", 137, "Error")
    assert 2.9 < stubborn.seconds < 3 + BUSY
    assert "got SIGTERM" in stubborn.log


def test_sigkill_comes_no_sooner_than_two_seconds(endings: dict[str, Ending]) -> None:
    """A grace period of 1 s is stretched, as by a real kubelet."""
    assert 1.9 < endings["stretched"].seconds < 2 + BUSY


def test_a_shorter_grace_period_later_is_heeded(endings: dict[str, Ending]) -> None:
    """It counts from the first DELETE."""
    assert 1.9 < endings["shortened"].seconds < 2 + BUSY


@pytest.mark.parametrize("name", ["forced", "forced-later"])
def test_a_forced_deletion_still_ends_the_process(endings: dict[str, Ending], name: str) -> None:
    """The object vanishes at once; SIGTERM, and SIGKILL 2 s later."""
    forced = endings[name]
    assert 1.9 < forced.seconds < 2 + BUSY
    assert forced.phase == "Running"  # nobody was left to be told


def test_pre_stop_sleep_delays_sigterm(endings: dict[str, Ending]) -> None:
    """By its seconds."""
    slept = endings["sleep-hook"]
    assert 1 < slept.seconds < 1 + BUSY
    assert slept.phase == "Succeeded"


@pytest.mark.parametrize("name", ["exec-hook", "http-hook"])
def test_pre_stop_hooks_run_in_the_pod(endings: dict[str, Ending], name: str) -> None:
    """A command sees the container's files, a request reaches the app."""
    assert "FailedPreStopHook" not in endings[name].reasons
    assert endings[name].phase == "Succeeded"


def test_a_failing_hook_does_not_stop_the_stopping(endings: dict[str, Ending]) -> None:
    """A warning, then SIGTERM at once."""
    assert "FailedPreStopHook" in endings["bad-hook"].reasons
    assert endings["bad-hook"].seconds < BUSY
    assert endings["bad-hook"].phase == "Succeeded"


def test_a_hook_is_cut_at_the_end_of_the_grace_period(endings: dict[str, Ending]) -> None:
    """Then SIGTERM with its two seconds."""
    cut = endings["long-hook"]
    assert 2.9 < cut.seconds < 3 + BUSY
    assert "FailedPreStopHook" in cut.reasons
    assert cut.exit_code == 137


@pytest.mark.parametrize("name", ["python", "program"])
def test_process_1_without_a_handler_ignores_sigterm(endings: dict[str, Ending], name: str) -> None:
    """As in a real container: it is there until SIGKILL."""
    assert 1.9 < endings[name].seconds < 2 + BUSY
    assert endings[name].exit_code == 137


@pytest.mark.parametrize("name", [case.name for case in CASES if case.wait == "none"])
def test_a_pod_that_is_deleted_while_it_starts_goes(endings: dict[str, Ending], name: str) -> None:
    """At any moment of its start: it ends, and nothing of it stays."""
    assert endings[name].phase in ("Succeeded", "Failed")
    assert endings[name].seconds < 2 + BUSY


def test_a_pod_that_never_ran_says_so(endings: dict[str, Ending]) -> None:
    """Deleted before its container exists, for want of an image: nobody knows how it ended."""
    ending = endings["without-image"]
    assert (ending.phase, ending.exit_code) == ("Failed", 137)
    assert ending.reason == "ContainerStatusUnknown"
    assert "Killing" not in ending.reasons


async def test_killing_is_told_at_once_and_the_app_serves_on(cluster: Cluster, ask: Ask) -> None:
    """While the hook runs, connections that still come are answered."""
    cluster.api.create("p", spec("toggle:1.0", **hook(sleep={"seconds": 9})))
    await cluster.until_logged("p", "listening")
    cluster.api.delete("p")
    await cluster.until(lambda: "Killing" in cluster.api.reasons("p"), limit=0.5)
    assert (await ask(cluster.url("p", "/who")))[1] == "p"


async def test_readiness_is_still_asked_while_a_pod_terminates(cluster: Cluster, ask: Ask) -> None:
    """Liveness is not: a stopping app must not be restarted."""
    alive = {"httpGet": {"path": "/live", "port": 5000}, "periodSeconds": 0.1}
    alive |= {"failureThreshold": 30}
    ready = alive | {"httpGet": {"path": "/health", "port": 5000}}
    probes = {"livenessProbe": alive, "readinessProbe": ready}
    cluster.api.create("p", spec("toggle:1.0", **probes, **hook(sleep={"seconds": 9})))
    await cluster.ready("p")
    cluster.api.delete("p")
    await cluster.until(lambda: "Killing" in cluster.api.reasons("p"))
    await ask(cluster.url("p", "/set?health=503&live=500"))
    unhealthy = cluster.api.messages
    await cluster.until(lambda: len([m for m in unhealthy("p", "Unhealthy") if "503" in m]) > 3)
    assert not any("500" in one.rpartition(":")[2] for one in unhealthy("p", "Unhealthy"))


async def test_a_liveness_restart_stops_as_gently(cluster: Cluster, ask: Ask) -> None:
    """With the probe's own grace period where it has one; the pod stays ready meanwhile."""
    probe = {"httpGet": {"path": "/live", "port": 5000}, "periodSeconds": 0.1}
    probe |= {"failureThreshold": 1, "terminationGracePeriodSeconds": 2}
    cluster.api.create("p", spec("toggle:1.0", livenessProbe=probe, env=[*env(STOP="ignore")]))
    await cluster.until_logged("p", "listening")
    await ask(cluster.url("p", "/set?live=500"))
    await cluster.until(lambda: "Killing" in cluster.api.reasons("p"))
    assert cluster.api.container("p")["ready"]
    took = await cluster.until(lambda: cluster.api.container("p")["restartCount"] == 1)
    assert 1.9 < took < 2 + BUSY
    assert cluster.api.container("p")["lastState"]["terminated"]["exitCode"] == 137
    text = f"Container {NAME} failed liveness probe, will be restarted"
    assert cluster.api.messages("p", "Killing")[0] == text
