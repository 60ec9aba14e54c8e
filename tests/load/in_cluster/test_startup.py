"""Why workers did not start is said in the cluster's own words, with a hint that may help."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from flashsale.base.errors import NotReadyError
from flashsale.kube import Api
from flashsale.load.in_cluster import startup
from flashsale.load.in_cluster.job_manifest import JobOptions
from flashsale.load.in_cluster.pods import RemoteWorker
from flashsale.load.in_cluster.startup import Startup
from tests.load.in_cluster.job_api import JobApi

# The words of Kubernetes v1.36.2, of pods that were never to run.
UNSCHEDULABLE = (
    "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    " no new claims to deallocate, preemption: 0/1 nodes are available:"
    " 1 Preemption is not helpful for scheduling."
)
NO_PYTHON = 'exec: "python3": executable file not found in $PATH'


def pending(message: str) -> dict[str, Any]:
    """Describe the status of a pod that the scheduler cannot place."""
    why = {"type": "PodScheduled", "status": "False", "message": message}
    return {"phase": "Pending", "conditions": [why]}


def waiting(reason: str, message: str) -> dict[str, Any]:
    """Describe the status of a pod whose container waits."""
    state = {"waiting": {"reason": reason, "message": message}}
    return {"phase": "Pending", "containerStatuses": [{"state": state}]}


def failed(message: str) -> dict[str, Any]:
    """Describe the status of a pod whose container could not be started."""
    ended = {"reason": "StartError", "exitCode": 128, "message": message}
    return {"phase": "Failed", "containerStatuses": [{"state": {"terminated": ended}}]}


async def refusal(
    folder: Path, statuses: list[dict[str, Any]], *, leaving: bool = False, **options: Any
) -> NotReadyError:
    """Wait for workers with such pods; a status that is empty is a worker that is ready."""
    workers = [RemoteWorker(part) for part in range(len(statuses))]
    for worker, status in zip(workers, statuses, strict=True):
        worker.heard = 0 if status else 9
        metadata = {"name": f"w-{worker.part}"}
        if leaving and status:
            metadata["deletionTimestamp"] = "2026-11-27T17:00:00Z"
        worker.see({"metadata": metadata, "status": status})
    job = JobOptions("load", "default", len(workers), "shop", **options)
    api = cast(Api, JobApi(folder))
    with pytest.raises(NotReadyError) as error:
        await Startup(api, job, "flashsale load", workers).wait(asyncio.Future())
    return error.value


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing passes by itself here."""
    monkeypatch.setattr(startup, "HOPELESS", 0.0)
    monkeypatch.setattr(startup, "LOOK_EVERY", 0.01)


async def test_a_selector_that_fits_nothing_is_named_once(tmp_path: Path) -> None:
    """What the scheduler says of preemption repeats it."""
    error = await refusal(tmp_path, [pending(UNSCHEDULABLE)] * 2, node_selector={"disk": "ssd"})
    assert str(error) == (
        "2 of 2 workers did not start in the cluster:"
        " 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."
    )
    assert error.hint.command == "flashsale load --in-cluster"


async def test_fewer_workers_are_advised_where_some_started(tmp_path: Path) -> None:
    """As many as did."""
    full = "0/1 nodes are available: 1 Insufficient cpu."
    error = await refusal(tmp_path, [{}, {}, pending(full)])
    assert str(error) == f"1 of 3 workers did not start in the cluster: {full}"
    assert error.hint.command == "flashsale load --in-cluster --workers 2"


@pytest.mark.parametrize(
    ("status", "command"),
    [
        (failed(NO_PYTHON), "flashsale load --in-cluster --worker-image python:3.11-slim"),
        (waiting("ErrImagePull", "python3:1 is nowhere"), "flashsale load --in-cluster"),
        (pending("no room"), "flashsale load"),
    ],
)
async def test_the_hint_fits_the_reason(
    tmp_path: Path, status: dict[str, Any], command: str
) -> None:
    """Another image, the shop's own image, or this machine."""
    assert (await refusal(tmp_path, [status])).hint.command == command


@pytest.mark.parametrize("status", [{"phase": "Running"}, failed("")])
async def test_a_pod_that_is_deleted_before_the_start_is_no_worker(
    tmp_path: Path, status: dict[str, Any]
) -> None:
    """No signal reaches it any more, however ready it was."""
    error = await refusal(tmp_path, [{}, status], leaving=True)
    assert "1 of 2 workers did not start in the cluster: its pod" in str(error)
