"""`flashsale up` cut off while minikube makes a profile: by keys, by signals, at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from flashsale.clusters.minikube import MinikubeCluster
from flashsale.clusters.minikube.start.unfinished_profiles import was_cut_off
from tests.clusters.minikube.double_world import Told, World, gone
from tests.command import Flashsale

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
HALF_MADE = "Interrupted: minikube 'shop' is half-made. The next `up` makes it anew."


@pytest.fixture
def up(world: World, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    """The command as a shell starts it, in a process group of its own.

    Its parameter is the step in which minikube stays; without one, events come slowly.
    """
    world.set(**({"hold": request.param} if hasattr(request, "param") else {"pace": 0.5}))
    process = subprocess.Popen(
        Flashsale(world.home / "home").command("up", "--profile", "shop"),
        env=dict(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    yield process
    process.kill()
    process.communicate()


def until(process: subprocess.Popen[str], step: str) -> None:
    """Return once a step is shown."""
    assert process.stderr
    for line in process.stderr:
        if step in line:
            return
    raise AssertionError(f"it never came to {step}")


@pytest.mark.parametrize(
    ("up", "step"),
    [
        ("Initial Minikube Setup", "Creating minikube profile"),
        ("Selecting Driver", "Selecting"),
        ("Booting control plane", "Booting control"),
    ],
    indirect=["up"],
)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
async def test_cut_off_start_is_remembered_and_begun_again(
    world: World,
    up: subprocess.Popen[str],
    minikube: MinikubeCluster,
    told: Told,
    step: str,
    number: signal.Signals,
    code: int,
) -> None:
    """The whole group gets the signal, as by Ctrl-C; minikube goes, and is told once."""
    until(up, step)
    os.killpg(up.pid, number)
    out, err = up.communicate(timeout=30)
    assert (up.returncode, out) == (code, "")
    assert err.count("Interrupted") == 1
    assert HALF_MADE in err
    assert "Traceback" not in err
    started = world.home / "start.pid"
    assert not started.exists() or gone(int(started.read_text()))
    assert was_cut_off(world.home / "home", "shop")
    made = len(world.get()["profiles"])
    world.set(hold="")
    await minikube.start(told)
    assert world.acts().count("delete") == made
    assert world.acts()[-1] == "start"
    assert not was_cut_off(world.home / "home", "shop")


async def test_killed_start_is_begun_again(
    world: World, up: subprocess.Popen[str], minikube: MinikubeCluster, told: Told
) -> None:
    """SIGKILL lets nobody say anything: the note was written before."""
    until(up, "Creating Container")
    up.kill()
    up.communicate()
    world.set(pace=0)
    world.has(unfinished=True, host="Running", kubelet="Stopped", apiserver="Stopped")
    await minikube.start(told)
    assert world.acts()[-2:] == ["delete", "start"]
