"""The wall's clock is set, or jumps after a sleep: what waits, waits as long as it should."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.objects.models import Object
from tests.embedded.kubelet.cluster import READY_AT_ONCE, Cluster, MemoryAPI, spec

HOUR = 3600.0


class Wall:
    """A clock that somebody sets."""

    def __init__(self) -> None:
        self.ahead = 0.0  # seconds

    def __call__(self) -> float:
        """Return unix seconds."""
        return time.time() + self.ahead


@pytest.fixture
def wall() -> Wall:
    """The clock of the kubelet under test."""
    return Wall()


@pytest.fixture
async def patient(tmp_path: Path, images: ImageStore, wall: Wall) -> AsyncIterator[Cluster]:
    """A kubelet on that clock whose containers wait two seconds before they start again."""
    async with Cluster(tmp_path, images, MemoryAPI(), clock=wall, max_backoff=2) as cluster:
        yield cluster


def crashing() -> Object:
    """Return a pod's spec whose container ends as soon as it has started."""
    return spec("toggle:1.0", command=["false"])


async def test_a_clock_that_is_set_back_does_not_prolong_the_back_off(
    patient: Cluster, wall: Wall
) -> None:
    """An hour back is no hour of waiting."""
    patient.api.create("p", crashing())
    await patient.until(lambda: "BackOff" in patient.api.reasons("p"))
    wall.ahead = -HOUR
    await patient.until(lambda: patient.api.container("p")["restartCount"] == 2)


async def test_a_clock_that_jumps_ahead_does_not_end_the_back_off(
    tmp_path: Path, images: ImageStore, wall: Wall
) -> None:
    """Another pod starts meanwhile, and the crashed one still waits."""
    async with Cluster(tmp_path, images, MemoryAPI(), clock=wall) as cluster:
        cluster.api.create("p", crashing())
        await cluster.until(lambda: "BackOff" in cluster.api.reasons("p"))
        wall.ahead = HOUR
        await cluster.until(lambda: "waiting" in cluster.api.container("p")["state"])
        cluster.api.create("q", spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
        await cluster.ready("q")
        waiting = cluster.api.container("p")["state"]["waiting"]
        assert waiting["reason"] == "CrashLoopBackOff"
        assert cluster.api.container("p")["restartCount"] == 1


async def test_a_clock_that_is_set_back_does_not_prolong_the_initial_delay(
    patient: Cluster, wall: Wall
) -> None:
    """Nor does the pod stay unready for an hour."""
    probe = READY_AT_ONCE | {"initialDelaySeconds": 1}
    patient.api.create("p", spec("toggle:1.0", readinessProbe=probe))
    await patient.running("p")
    wall.ahead = -HOUR
    await patient.ready("p")
