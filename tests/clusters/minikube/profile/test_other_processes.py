"""Other minikubes at work on the same profile: started by hand, or by another `flashsale up`."""

from __future__ import annotations

import asyncio
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from flashsale.clusters.minikube.profile.other_processes import changes_profile, is_at_work
from flashsale.clusters.minikube.start.start_plan import LockedError, RecreateRefusedError
from flashsale.clusters.subprocesses import run
from tests.clusters.minikube.double_world import PROFILE, STOPPED, World

HALF_UP = {"kubelet": "Stopped", "apiserver": "Stopped", "kubeconfig": "Misconfigured"}
THEIR_START = "minikube start -p shop --driver=docker"
WAITING = "Another minikube operation is running; waiting"
CLASH = {"code": 80, "id": "GUEST_PROVISION_ACQUIRE_LOCK", "message": "Sperre"}


@pytest.mark.parametrize("state", [HALF_UP, {**HALF_UP, "kubelet": "Nonexistent"}, STOPPED])
async def test_start_of_somebody_else_is_waited_for_at_every_stage(
    world: World, state: dict[str, str]
) -> None:
    """Past its first half it holds no lock, and ours would restart the Docker under its hands."""
    world.has(**state, busy=3)
    world.runs(THEIR_START, THEIR_START, THEIR_START)
    await world.start()
    assert world.acts() == []
    assert world.progress.steps == [WAITING]


async def test_profile_that_somebody_else_is_making_is_not_made_twice(world: World) -> None:
    """It is not listed from the first moment on."""
    world.runs(THEIR_START)
    await world.start()
    assert world.progress.steps[:2] == [
        WAITING,
        "Creating minikube profile 'shop' (first start downloads about 1 GB)",
    ]
    assert world.acts() == ["start"]


async def test_profile_that_is_half_written_or_half_gone_is_not_called_damaged(
    world: World,
) -> None:
    """A start makes its folder before it knows its config; the advice would be to delete it."""
    world.set(invalid=["shop"])
    world.runs(THEIR_START)
    with pytest.raises(RecreateRefusedError, match="'shop' is damaged"):
        await world.start()
    assert world.progress.steps == [WAITING]  # as long as somebody was at it


async def test_start_that_somebody_else_gave_up_is_taken_up(world: World) -> None:
    """Once their minikube is gone, what is half up is ours to repair."""
    world.has(**HALF_UP)
    world.runs(THEIR_START, "minikube start -p other")
    await world.start()
    assert world.acts() == ["start"]
    assert world.progress.steps[:2] == [WAITING, "Kubernetes in 'shop' is not answering; repairing"]


async def test_waiting_for_somebody_else_has_a_limit(world: World) -> None:
    """And the error says for whom."""
    world.has(host="Stopping")
    impatient = replace(world.minikube, patience=replace(world.minikube.patience, start=0.1))
    with pytest.raises(LockedError, match="Another minikube is at work on 'shop'") as caught:
        await impatient.start(world.progress)
    assert "delete" not in caught.value.hint
    assert world.acts() == []


async def test_clash_of_locks_is_met_with_another_try(world: World) -> None:
    """Certificates are made in a moment."""
    world.set(faults={"start": [CLASH]})
    await world.start()
    assert world.acts() == ["start", "start"]
    assert WAITING in world.progress.steps


async def test_clash_of_locks_never_restarts_what_the_other_one_started(world: World) -> None:
    """The state is read again before another try."""
    world.set(faults={"start": [{**CLASH, "world": {"shop": PROFILE}}]})
    await world.start()
    assert world.acts() == ["start"]


async def test_lock_that_is_never_free_is_explained(world: World) -> None:
    """Deleting the profile would be the worst advice: somebody else is using it."""
    world.set(faults={"start": [CLASH] * 5})
    with pytest.raises(LockedError, match="Another minikube is at work on 'shop'") as caught:
        await world.start()
    assert caught.value.hint == "ps ax | grep minikube"
    assert "delete" not in caught.value.hint
    assert "Sperre" in (world.home / "home" / "minikube-shop.log").read_text()
    assert world.acts() == ["start"] * 3


@pytest.mark.parametrize(
    ("line", "profile", "expected"),
    [
        ("minikube start", "minikube", True),
        ("/usr/local/bin/minikube start --nodes=1", "minikube", True),
        ("sudo -E minikube -p shop start", "shop", True),
        ("minikube start --profile=shop -o json", "shop", True),
        ("minikube stop -p shop", "shop", True),
        ("sh -c cd /srv/minikube && minikube start -p shop", "shop", True),
        ("minikube delete --profile shop", "shop", True),
        ("minikube delete --all --purge", "shop", True),
        ("minikube start -p shop", "minikube", False),
        ("minikube start", "shop", False),
        ("minikube status -p shop", "shop", False),
        ("minikube service start -p shop --url", "shop", False),
        ("minikube kubectl -p shop -- delete pod x", "shop", False),
        ("flashsale up --profile minikube", "minikube", False),
        ("flashsale down --stop --profile minikube --timeout 5s", "minikube", False),
        ("kubectl --context minikube delete pod x", "minikube", False),
        ("kubectl --cluster minikube delete pod x", "minikube", False),
        ("ssh -i /home/me/.minikube/machines/minikube/id_rsa start", "minikube", False),
        ("", "minikube", False),
    ],
)
def test_commands_that_change_the_profile_are_told_by_their_words(
    line: str, profile: str, expected: bool
) -> None:
    """Its name may stand before or after; questions and other profiles are of no concern."""
    assert changes_profile(profile, line) is expected


@pytest.mark.skipif(sys.platform == "win32", reason="no ps")
async def test_processes_of_this_machine_are_found() -> None:
    """With the system's own `ps`, however wide its lines are."""
    profile = f"p{secrets.token_hex(4)}"
    words = ["-c", "import time; time.sleep(60)", "x" * 300, "minikube", "start", "-p", profile]
    assert not await is_at_work(profile)
    async with run.child(sys.executable, *words, patience=0), asyncio.timeout(20):
        while not await is_at_work(profile):
            pass


async def test_machine_that_lists_no_processes_is_taken_to_be_idle(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """minikube's own locks are left, then."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not await is_at_work("minikube")


async def test_minikubes_of_other_users_are_nobodys_matter(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine of many each has a profile called minikube."""
    script = '#!/bin/sh\ntest "$1 $2" = "-U 4242" && echo minikube start -p shop\n'
    (world.home / "bin" / "ps").write_text(script)
    assert not await is_at_work("shop")
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    assert await is_at_work("shop")
