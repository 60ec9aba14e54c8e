"""A crowd inside a real cluster: a Job of pods, and one ledger (the embedded one has no Jobs)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from flashsale.base.errors import NotReadyError
from flashsale.clusters.base import SilentProgress
from flashsale.kube import paths
from flashsale.kube.api import connect
from flashsale.load.in_cluster.crowd import ClusterCrowd
from flashsale.load.in_cluster.job_manifest import LABEL, JobOptions
from flashsale.load.plan import LoadPlan
from flashsale.load.results import Figures, LoadProgress
from flashsale.load.worker.orders import LoadTarget
from tests.conformance.conftest import Cluster, image_of
from tests.conformance.scene import Scene

pytestmark = pytest.mark.running_pods
NAME = "flashsale-load-test"


@pytest.fixture
def needs_jobs(cluster: Cluster) -> None:
    """Skip where there is no Job controller."""
    if cluster.embedded:
        pytest.skip("the embedded cluster has no Jobs")


@asynccontextmanager
async def crowd_at(
    cluster: Cluster, sale: Scene, config: pytest.Config, **options: dict[str, str]
) -> AsyncIterator[tuple[ClusterCrowd, LoadTarget]]:
    """Describe a crowd of two pods, and where it sends."""
    async with connect(cluster.kubeconfig, cluster.context) as api:
        job = JobOptions(NAME, sale.namespace, 2, image_of(config), **options)  # type: ignore[arg-type]
        services = await api.list(f"/api/v1/namespaces/{sale.namespace}/services")
        spec = services[0]["spec"]
        target = LoadTarget(spec["clusterIP"], spec["ports"][0]["port"], "flashsale-svc")
        yield ClusterCrowd(api, job, SilentProgress()), target


async def left(crowd: ClusterCrowd) -> list[str]:
    """List what is left of a crowd."""
    base = f"/api/v1/namespaces/{crowd.options.namespace}"
    kinds = (f"{base}/pods", f"{base}/configmaps", base.replace("api", "apis/batch") + "/jobs")
    query = {"labelSelector": f"{LABEL}={NAME}"}
    found = [one for kind in kinds for one in await crowd.api.list(kind, query)]
    return [obj["metadata"]["name"] for obj in found]


@pytest.mark.usefixtures("needs_jobs")
async def test_a_job_sends_every_purchase_and_leaves_nothing(
    cluster: Cluster, sale: Scene, pytestconfig: pytest.Config
) -> None:
    """Both workers do their part, all of it is in one ledger, and all that was made is gone."""
    async with crowd_at(cluster, sale, pytestconfig) as (crowd, target):
        report = await crowd.run(LoadPlan(target, rate=40, seconds=3))
        assert await left(crowd) == []
    figures = report.figures
    assert figures.planned == figures.sent == figures.confirmed == 120
    assert [worker.sent for worker in figures.workers] == [60, 60]
    assert all(worker.node for worker in figures.workers)


@pytest.mark.usefixtures("needs_jobs")
async def test_a_worker_deleted_on_its_way_leaves_its_part_not_sent(
    cluster: Cluster, sale: Scene, pytestconfig: pytest.Config
) -> None:
    """The other one goes on; planned = sent + not sent."""
    seen = asyncio.Event()

    def look(progress: LoadProgress) -> None:
        if progress.figures.confirmed:
            seen.set()

    async with crowd_at(cluster, sale, pytestconfig) as (crowd, target):
        plan = LoadPlan(target, rate=40, seconds=8)
        running = asyncio.create_task(crowd.run(plan, observer=look))
        await seen.wait()
        victim = next(name for name in await left(crowd) if f"{NAME}-1-" in name)
        await crowd.api.delete(paths.pods(sale.namespace, victim))
        figures: Figures = (await running).figures
    assert figures.workers[0].not_sent == 0
    assert figures.workers[1].not_sent > 0
    assert figures.planned == 320
    assert figures.in_flight == 0


@pytest.mark.usefixtures("needs_jobs")
async def test_a_selector_that_no_node_fits_is_said(
    cluster: Cluster, sale: Scene, pytestconfig: pytest.Config
) -> None:
    """In the scheduler's own words, and nothing is left of the Job."""
    nowhere = {"flashsale-test/no-such-node": "true"}
    async with crowd_at(cluster, sale, pytestconfig, node_selector=nowhere) as (crowd, target):
        with pytest.raises(NotReadyError, match="nodes are available"):
            await crowd.run(LoadPlan(target, rate=40, seconds=3))
        assert await left(crowd) == []
