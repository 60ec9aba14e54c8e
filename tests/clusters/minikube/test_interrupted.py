"""`flashsale up` cut off while minikube makes a profile: by keys, by signals, at any moment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flashsale.clusters.minikube.start.unfinished_profiles import was_cut_off
from tests.clusters.minikube.double_world import World, gone
from tests.command import AT_START, Flashsale, can_be_forked
from tests.forking.client import ForkedCommand

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")
HALF_MADE = "Interrupted: minikube 'shop' is half-made. The next `up` makes it anew."


Start = subprocess.Popen[str] | ForkedCommand


def started(*words: str) -> Start:
    """Start a command in a session of its own."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(AT_START)}
    if can_be_forked(own):
        return ForkedCommand(words, own, session=True)
    return subprocess.Popen(
        Flashsale(Path(own["FLASHSALE_HOME"])).command(*words),
        env=own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.fixture
def up(world: World, request: pytest.FixtureRequest) -> Iterator[Start]:
    """The command as a shell starts it, in a process group of its own.

    Its parameter is the step in which minikube stays; without one, events come slowly.
    """
    world.set(**({"hold": request.param} if hasattr(request, "param") else {"pace": 0.5}))
    with started("up", "--profile", "shop") as process:
        yield process
        process.kill()


def until(process: Start, step: str) -> None:
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
    world: World, up: Start, step: str, number: signal.Signals, code: int
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
    await world.start()
    assert world.acts().count("delete") == made
    assert world.acts()[-1] == "start"
    assert not was_cut_off(world.home / "home", "shop")


async def test_killed_start_is_begun_again(world: World, up: Start) -> None:
    """SIGKILL lets nobody say anything: the note was written before."""
    until(up, "Creating Container")
    up.kill()
    up.communicate()
    world.set(pace=0)
    world.has(unfinished=True, host="Running", kubelet="Stopped", apiserver="Stopped")
    await world.start()
    assert world.acts()[-2:] == ["delete", "start"]
