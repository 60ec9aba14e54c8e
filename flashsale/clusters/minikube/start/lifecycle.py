"""Bringing a profile up: look, decide, do one thing, look again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from flashsale.clusters.base import Progress
from flashsale.clusters.minikube import current_context
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.other_processes import at_work
from flashsale.clusters.minikube.profile import Profile, ProfileState, known, observe
from flashsale.clusters.minikube.start.events import Failure, Listener
from flashsale.clusters.minikube.start.exit_codes import MISMATCH, explained
from flashsale.clusters.minikube.start.following import told
from flashsale.clusters.minikube.start.start_plan import (
    WAITING,
    Action,
    Decision,
    LockedError,
    Wish,
    contradiction,
    locked,
    mismatch,
    needs_docker,
    next_action,
    start_words,
)

STARTS = 3  # of ours, where another minikube has the lock each time

Question = Callable[[], Awaitable[bool]]


async def ensure_running(
    minikube: MinikubeCli, wish: Wish, progress: Progress, docker_answers: Question
) -> Profile:
    """Return once the profile's API answers; a running one is never restarted.

    `minikube start` on a running cluster restarts the Docker inside it, which would bounce every
    pod (pkg/minikube/node/start.go). So the state is read first, each time.

    Raises:
        ClusterUnreachableError: it cannot be brought up.
        BadInputError: the profile is not of the kind that was asked for.
    """
    tried: set[Action] = set()
    last, clashes = Action.NOTHING, 0
    deadline = time.monotonic() + minikube.patience.start
    while True:
        state = await observe(minikube)
        decision = await _decide(wish, state, tried, docker_answers)
        if decision.do is Action.NOTHING:
            assert state.profile is not None  # an absent one would have been created
            if tried <= {Action.WAIT}:  # else the steps have told it
                progress.note(decision.message)
            return state.profile
        if decision.do is not last:
            progress.step(decision.message.rstrip("."))  # what goes on is marked where it is shown
        last = decision.do
        try:
            await _carry_out(last, minikube, wish, state.profile, progress)
            tried.add(last)
        except LockedError:
            clashes += 1
            if clashes == STARTS:
                raise
            progress.step(WAITING.rstrip("."))
            last = Action.WAIT
            await asyncio.sleep(minikube.patience.lock)
        if last is Action.WAIT and time.monotonic() > deadline:
            raise locked(wish.profile)


async def _decide(
    wish: Wish, state: ProfileState, tried: set[Action], docker_answers: Question
) -> Decision:
    busy = not state.running and await at_work(wish.profile)
    docker = busy or not needs_docker(state) or await docker_answers()
    return next_action(wish, state, tried=tried, docker=docker, busy=busy)


async def _carry_out(
    do: Action, minikube: MinikubeCli, wish: Wish, profile: Profile | None, progress: Progress
) -> None:
    patience = minikube.patience
    match do:
        case Action.CREATE | Action.START:
            await start(minikube, wish, profile, progress)
        case Action.UNPAUSE:
            await minikube.ask("unpause", "-o", "json", timeout=patience.stop)
        case Action.REFRESH:
            await refresh_kubeconfig(minikube)
        case Action.WAIT:
            progress.detail("still waiting for it")
            await asyncio.sleep(patience.poll)


async def start(
    minikube: MinikubeCli, wish: Wish, profile: Profile | None, progress: Progress
) -> None:
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
    minikube: MinikubeCli, wish: Wish, profile: Profile | None, progress: Progress
) -> Failure | None:
    listener = Listener(progress, "start")
    try:
        return await told(
            minikube, listener, *start_words(wish, profile), timeout=minikube.patience.start
        )
    except asyncio.CancelledError:
        progress.note(
            f"Interrupted during '{listener.current}':"
            f" profile '{wish.profile}' may be half-made."
            f" Run again to resume, or minikube delete -p {wish.profile}."
        )
        raise


async def refresh_kubeconfig(minikube: MinikubeCli) -> None:
    """Point the profile's kubeconfig entry at where its API is now."""
    with current_context.current_context_kept():
        await minikube.ask("update-context")
