"""Workers run as processes from the very bytes of the ConfigMap; one ledger comes out of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from flashsale.base.errors import NotReadyError
from flashsale.clusters.base import SilentProgress
from flashsale.kube import Api
from flashsale.kube.response_errors import ForbiddenError
from flashsale.load.in_cluster import cluster_run, startup
from flashsale.load.in_cluster.crowd import ClusterCrowd, CrowdRefusedError
from flashsale.load.in_cluster.job_manifest import JobOptions
from flashsale.load.plan import LoadPlan
from flashsale.load.results import LoadProgress
from flashsale.load.target import find_target
from tests.load.in_cluster.job_api import JobApi
from tests.load.lying_server import Liar

LONG = 60.0  # seconds no test waits for


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes hear of the start at once, so it may be near; and no image is waited for."""
    monkeypatch.setattr(cluster_run, "HEAD_START", 0.6)
    monkeypatch.setattr(cluster_run, "AGAIN", 0.2)
    monkeypatch.setattr(startup, "EVENTS_EVERY", 0.1)
    monkeypatch.setattr(startup, "HOPELESS", 2.0)


def crowd_on(api: JobApi, workers: int) -> ClusterCrowd:
    """Describe a crowd."""
    options = JobOptions("flashsale-load-test", "default", workers, "any")
    return ClusterCrowd(cast(Api, api), options, SilentProgress(), "flashsale drill")


def plan_for(shop: Liar, **wishes: Any) -> LoadPlan:
    """Plan a short run."""
    return LoadPlan(find_target(shop.url), **({"rate": 200, "seconds": 1.5} | wishes))


class Notes(SilentProgress):
    """Keeps what is said."""

    text = ""

    def note(self, text: str) -> None:
        """Take a note."""
        self.text += f"{text}\n"


def assert_nothing_is_left(api: JobApi) -> None:
    """The Job, its pods and its ConfigMap are gone."""
    assert not api.jobs
    assert not api.pods
    assert not api.config_maps


async def test_many_workers_give_one_ledger(tmp_path: Path, shop: Liar) -> None:
    """Every purchase of the plan was sent once, by its worker, and every one is in the figures."""
    api, seen = JobApi(tmp_path), list[LoadProgress]()
    report = await crowd_on(api, 3).run(plan_for(shop), observer=seen.append)
    assert report.figures.confirmed == report.figures.planned == 300 == shop.requests
    assert max(shop.buyers.values()) == 1
    workers = report.figures.workers
    assert [worker.confirmed for worker in workers] == [100, 100, 100]
    assert [worker.node for worker in workers] == ["node-0", "node-1", "node-0"]
    assert all(-1000 < worker.clock_offset_ms <= 0 for worker in workers)  # one machine, one clock
    assert seen
    assert_nothing_is_left(api)


async def test_logs_that_break_off_are_read_again(tmp_path: Path, shop: Liar) -> None:
    """A stream that breaks every few lines changes no figure."""
    api = JobApi(tmp_path, breaks=2)
    report = await crowd_on(api, 2).run(plan_for(shop, seconds=4, rate=100))
    assert report.figures.confirmed == 400 == shop.requests
    assert api.streams > 2
    assert report.figures.unsent == 0


async def test_a_worker_whose_kubelet_forgot_the_start_is_told_again(
    tmp_path: Path, shop: Liar
) -> None:
    """As a real one was seen to: it would write the files again a minute later."""
    api = JobApi(tmp_path, forgets=lambda part, change: part == 1 and change == 0)
    report = await crowd_on(api, 2).run(plan_for(shop))
    assert [worker.sent for worker in report.figures.workers] == [150, 150]
    assert report.figures.unsent == 0


async def test_a_worker_that_never_hears_of_the_start_holds_nobody_up(
    tmp_path: Path, shop: Liar
) -> None:
    """It is ended when the run is over, and its part is not sent."""
    api, said = JobApi(tmp_path, forgets=lambda part, change: part == 1), Notes()
    report = await replace(crowd_on(api, 2), progress=said).run(plan_for(shop, seconds=1))
    assert [worker.sent for worker in report.figures.workers] == [100, 0]
    assert report.figures.generator.unsent == {"worker": 100}
    assert "before it heard of the start" in said.text
    assert_nothing_is_left(api)


async def test_a_worker_whose_kubelet_forgot_the_stop_is_told_again(
    tmp_path: Path, shop: Liar
) -> None:
    """Else it would send on for a minute after Ctrl-C."""
    api, stop = JobApi(tmp_path, forgets=lambda part, change: change == 1), asyncio.Event()
    plan = plan_for(shop, seconds=LONG)
    running = asyncio.create_task(crowd_on(api, 2).run(plan, stop=stop))
    await shop.asked(50)
    stop.set()
    async with asyncio.timeout(LONG / 2):
        report = await running
    assert report.interrupted
    assert report.figures.unsent == 0


async def test_a_worker_that_dies_leaves_its_purchases_not_sent(tmp_path: Path, shop: Liar) -> None:
    """The others go on, and planned = sent + not sent."""
    api = JobApi(tmp_path)
    running = asyncio.create_task(crowd_on(api, 2).run(plan_for(shop, seconds=3)))
    await shop.asked(100)
    await api.kill("flashsale-load-test-1")
    report = await running
    figures = report.figures
    whole, dead = figures.workers
    assert (whole.confirmed, whole.not_sent) == (300, 0)
    assert dead.sent + dead.not_sent == 300
    assert dead.not_sent == figures.generator.unsent["worker"] > 0
    assert figures.planned == 600
    assert_nothing_is_left(api)


async def test_a_worker_that_is_evicted_tells_all_it_knows(tmp_path: Path, shop: Liar) -> None:
    """SIGTERM lets it finish: only what it had not begun yet is not sent."""
    api = JobApi(tmp_path)
    running = asyncio.create_task(crowd_on(api, 2).run(plan_for(shop, seconds=3)))
    await shop.asked(100)
    process = api.pods["flashsale-load-test-1"].process
    assert process
    process.terminate()
    report = await running
    assert report.figures.sent == report.figures.confirmed == shop.requests
    assert report.figures.workers[1].not_sent > 0
    assert report.figures.planned == 600


async def test_a_stop_ends_the_run_with_a_report(tmp_path: Path, shop: Liar) -> None:
    """Purchases under way get their answers, and what was not due yet was never planned."""
    api, stop = JobApi(tmp_path), asyncio.Event()
    plan = plan_for(shop, seconds=LONG)
    running = asyncio.create_task(crowd_on(api, 2).run(plan, stop=stop))
    await shop.asked(50)
    stop.set()
    report = await running
    assert report.figures.confirmed == report.figures.sent == shop.requests
    assert report.interrupted
    assert report.figures.unsent == 0
    assert_nothing_is_left(api)


async def test_a_stop_before_the_start_sends_nothing(tmp_path: Path, shop: Liar) -> None:
    """Nobody waits for workers then."""
    api, stop = JobApi(tmp_path), asyncio.Event()
    stop.set()
    report = await crowd_on(api, 2).run(plan_for(shop, seconds=LONG), stop=stop)
    assert report.figures.sent == 0 == shop.requests
    assert report.interrupted
    assert_nothing_is_left(api)


async def test_cancelling_leaves_nothing_behind(tmp_path: Path, shop: Liar) -> None:
    """A second Ctrl-C ends the run without a report, and still the Job goes."""
    api = JobApi(tmp_path)
    running = asyncio.create_task(crowd_on(api, 2).run(plan_for(shop, seconds=LONG)))
    await shop.asked(10)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert_nothing_is_left(api)


async def test_a_quota_is_said_in_its_own_words(tmp_path: Path, shop: Liar) -> None:
    """The hint names a number of workers that did start, and the command that was typed."""
    api = JobApi(tmp_path, created=lambda part: part < 2)
    with pytest.raises(NotReadyError, match=r"1 of 3 workers .* exceeded quota: small") as error:
        await crowd_on(api, 3).run(plan_for(shop))
    assert shop.requests == 0
    assert error.value.hint.command == "flashsale drill --in-cluster --workers 2"
    assert_nothing_is_left(api)


async def test_no_right_to_create_jobs_is_one_sentence(tmp_path: Path, shop: Liar) -> None:
    """The cluster's own words, and what works without that right."""
    refused = ForbiddenError("Not allowed on the cluster 'x': cannot create jobs.batch")
    with pytest.raises(CrowdRefusedError, match=r"cannot create jobs\.batch") as error:
        await crowd_on(JobApi(tmp_path, refused=refused), 1).run(plan_for(shop))
    assert error.value.hint.command == "flashsale drill"


async def test_nothing_is_removed_where_nothing_was_made(tmp_path: Path, shop: Liar) -> None:
    """Who may not create Jobs may not delete them, and is told only the one."""
    notes = Notes()
    refused = ForbiddenError("Not allowed on the cluster 'x': cannot create jobs.batch")
    crowd = replace(crowd_on(JobApi(tmp_path, refused=refused), 1), progress=notes)
    with pytest.raises(CrowdRefusedError):
        await crowd.run(plan_for(shop))
    assert notes.text == ""
