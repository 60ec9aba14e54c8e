"""Tunnels do not outlive the command that needs them, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flashsale.clusters.subprocesses.tunnels import end_left, tunnel
from tests.clusters.minikube.double_world import gone

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such locks")

LIMIT = 20  # seconds
HOLDER = """
import asyncio, pathlib, sys
from flashsale.clusters.subprocesses.tunnels import tunnel

async def hold():
    async with tunnel(pathlib.Path(sys.argv[1]), *sys.argv[2:], patience=5) as process:
        print(await process.stdout.readline(), flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(hold())
"""
OBEDIENT = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN);" + OBEDIENT
WITH_CHILD = f"""
import os, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
if not os.fork():
    time.sleep(60)
signal.signal(signal.SIGINT, signal.default_int_handler)
{OBEDIENT}
"""


def held(home: Path, script: str) -> tuple[subprocess.Popen[str], int]:
    """Start a command that holds a tunnel; gives it, and the tunnel's process."""
    words = [sys.executable, "-c", HOLDER, str(home), sys.executable, "-c", script]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    holder = subprocess.Popen(words, text=True, **pipes)
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline().strip()[2:-3])


def kill(holder: subprocess.Popen[str]) -> None:
    """End it without any chance to tidy up."""
    with holder:
        holder.kill()


def until_gone(pid: int) -> None:
    deadline = time.monotonic() + LIMIT
    while not gone(pid):
        assert time.monotonic() < deadline


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux asks in our place")
def test_killed_command_takes_its_tunnel_along(tmp_path: Path) -> None:
    """SIGKILL leaves no time for anything; the kernel sends SIGINT to the tunnel."""
    holder, child = held(tmp_path, OBEDIENT)
    kill(holder)
    until_gone(child)


def test_next_command_ends_what_is_left(tmp_path: Path) -> None:
    """A tunnel that does not listen, or a system that asks nobody."""
    holder, child = held(tmp_path, STUBBORN)
    kill(holder)
    assert not gone(child)
    end_left(tmp_path)
    until_gone(child)
    assert list((tmp_path / "tunnels").iterdir()) == []


def test_tunnel_of_a_living_command_is_left_alone(tmp_path: Path) -> None:
    """Somebody watches in another window."""
    holder, child = held(tmp_path, STUBBORN)
    end_left(tmp_path)
    assert not gone(child)
    kill(holder)
    end_left(tmp_path)
    until_gone(child)


def test_note_of_a_tunnel_that_ended_harms_nobody(tmp_path: Path) -> None:
    """Its process id may be somebody else's by now."""
    bystander = subprocess.Popen([sys.executable, "-c", STUBBORN], start_new_session=True)
    (tmp_path / "tunnels").mkdir()
    (tmp_path / "tunnels" / "a").write_text(f"{bystander.pid}\n")
    (tmp_path / "tunnels" / "a.owner").touch()
    end_left(tmp_path)
    assert list((tmp_path / "tunnels").iterdir()) == []
    assert bystander.poll() is None
    os.killpg(bystander.pid, signal.SIGKILL)
    bystander.wait(LIMIT)


@pytest.mark.parametrize("script", [OBEDIENT, WITH_CHILD])
def test_ordinary_end_is_silent(tmp_path: Path, script: str) -> None:
    """Though a child of the tunnel, as minikube's ssh is, may hold its pipes until it is killed."""
    holder, child = held(tmp_path, script)
    out, err = holder.communicate(timeout=LIMIT)
    assert (holder.returncode, out, err) == (0, "", "")
    until_gone(child)


async def test_note_goes_with_the_tunnel(tmp_path: Path) -> None:
    """Nothing is left on the ordinary way out."""
    async with tunnel(tmp_path, sys.executable, "-c", OBEDIENT, patience=5) as process:
        assert process.stdout is not None
        child = int(await process.stdout.readline())
        assert child == process.pid
        assert len(list((tmp_path / "tunnels").iterdir())) == 2
    until_gone(child)
    assert list((tmp_path / "tunnels").iterdir()) == []
