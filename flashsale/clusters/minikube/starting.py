"""Bringing a profile up: look, decide, do one thing, look again."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from flashsale.clusters.base import Progress
from flashsale.clusters.minikube import kubeconfig
from flashsale.clusters.minikube.binary import Binary
from flashsale.clusters.minikube.deciding import (
    Do,
    Wish,
    contradiction,
    decide,
    mismatch,
    needs_docker,
    not_answering,
    start_words,
)
from flashsale.clusters.minikube.events import Failure, Listener, failure
from flashsale.clusters.minikube.failures import MISMATCH, TIMED_OUT, explained
from flashsale.clusters.minikube.state import NO_PROFILE, Profile, known, observe
from flashsale.errors import ClusterUnreachableError

Question = Callable[[], Awaitable[bool]]


async def ensure_running(
    minikube: Binary, wish: Wish, progress: Progress, docker_answers: Question
) -> Profile:
    """Return once the profile's API answers; a running one is never restarted.

    `minikube start` on a running cluster restarts the Docker inside it, which would bounce every
    pod (pkg/minikube/node/start.go). So the state is read first, each time.

    Raises:
        ClusterUnreachableError: it cannot be brought up.
        BadInputError: the profile is not of the kind that was asked for.
    """
    tried: set[Do] = set()
    patience = minikube.patience
    deadline = time.monotonic() + patience.start
    while True:
        state = await observe(minikube)
        docker = not needs_docker(state) or await docker_answers()
        decision = decide(wish, state, tried=tried, docker=docker)
        if decision.do is Do.NOTHING:
            assert state.profile is not None  # an absent one would have been created
            if not tried:
                progress.note(decision.message)
            return state.profile
        if decision.do not in tried:
            progress.step(decision.message.rstrip("."))  # what goes on is marked where it is shown
        tried.add(decision.do)
        match decision.do:
            case Do.CREATE | Do.START:
                await start(minikube, wish, state.profile, progress)
            case Do.UNPAUSE:
                await minikube.ask("unpause", "-o", "json", timeout=patience.stop)
            case Do.REFRESH:
                await refresh_kubeconfig(minikube)
            case Do.WAIT:
                if time.monotonic() > deadline:
                    raise not_answering(wish.profile)
                await asyncio.sleep(patience.poll)


async def start(minikube: Binary, wish: Wish, profile: Profile | None, progress: Progress) -> None:
    """Run `minikube start` once; a profile that turns out to be of another driver, once more.

    Raises:
        ClusterUnreachableError: it failed.
        BadInputError: the profile's driver is not the one that was asked for.
    """
    failed = await _start(minikube, wish, profile, progress)
    if failed and failed.code == MISMATCH:
        found = await known(minikube)
        if found and (other := contradiction(found, wish.making)):
            raise mismatch(found, *other)
        if found:
            failed = await _start(minikube, wish, found, progress)
    if failed:
        raise explained(failed, wish.profile)


async def _start(
    minikube: Binary, wish: Wish, profile: Profile | None, progress: Progress
) -> Failure | None:
    async with heartbeat(progress, minikube.patience.heartbeat) as (listener, heard):
        try:
            said = await minikube.follow(
                *start_words(wish, profile),
                each=listener.line,
                each_error=lambda _: heard(),
                timeout=minikube.patience.start,
            )
        except asyncio.CancelledError:
            progress.note(
                f"Interrupted during '{listener.current or 'start'}':"
                f" profile '{wish.profile}' may be half-made."
                f" Run again to resume, or minikube delete -p {wish.profile}."
            )
            raise
    return None if said.code == 0 else failure(said.code, listener.fatal, said.stderr)


@asynccontextmanager
async def heartbeat(
    progress: Progress, every: float
) -> AsyncGenerator[tuple[Listener, Callable[[], None]]]:
    """Give a listener that says it is alive after each `every` seconds of silence.

    Through a pipe minikube reports no downloads, and they take minutes.
    """
    began = time.monotonic()
    sound = asyncio.Event()
    listener = Listener(progress, sound.set)

    async def beat() -> None:
        while True:
            sound.clear()
            try:
                await asyncio.wait_for(sound.wait(), every)
            except TimeoutError:
                passed = time.monotonic() - began
                progress.detail(f"still at '{listener.current or 'start'}' after {passed:.0f} s")

    task = asyncio.create_task(beat(), name="minikube heartbeat")
    try:
        yield listener, sound.set
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def refresh_kubeconfig(minikube: Binary) -> None:
    """Point the profile's kubeconfig entry at where its API is now."""
    with kubeconfig.current_context_kept():
        await minikube.ask("update-context")


async def stop(minikube: Binary, progress: Progress) -> None:
    """Stop a profile; images and objects inside survive.

    Raises:
        ClusterUnreachableError: it did not stop, also not when asked again.
    """
    name = minikube.profile
    progress.step(f"Stopping minikube '{name}'")
    for attempt in (1, 2):
        listener = Listener(progress, steps=False)
        said = await minikube.follow(
            "stop", "-o", "json", each=listener.line, timeout=minikube.patience.stop
        )
        if said.code == NO_PROFILE:
            progress.note("Nothing to stop.")
            return
        if said.code == 0:
            progress.note(f"minikube '{name}' stopped (data kept).")
            return
        if said.code != TIMED_OUT or attempt == 2:
            break
    failed = failure(said.code, listener.fatal, said.stderr)
    raise stop_failed(failed, name)


def stop_failed(failed: Failure, name: str) -> ClusterUnreachableError:
    error = explained(failed, name)
    if failed.code == TIMED_OUT:
        return ClusterUnreachableError(
            "minikube did not stop in time.",
            hint=f"check Docker or the hypervisor, then: minikube stop -p {name}",
            details=error.details,
        )
    return error
