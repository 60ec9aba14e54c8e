"""Bringing a profile up, and stopping it: look, decide, do one thing, look again."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.base import Progress
from flashsale.clusters.minikube import current_context
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.profile.condition import describe_condition
from flashsale.clusters.minikube.profile.other_processes import is_at_work
from flashsale.clusters.minikube.profile.profile import (
    GONE,
    NO_PROFILE,
    Profile,
    ProfileState,
    read_profile,
    read_state,
)
from flashsale.clusters.minikube.profile.profile_nodes import switch_node, unfreeze
from flashsale.clusters.minikube.start import unfinished_profiles
from flashsale.clusters.minikube.start.events import Failure, Listener
from flashsale.clusters.minikube.start.exit_codes import MISMATCH, failure_error
from flashsale.clusters.minikube.start.profile_mismatch import find_contradiction, mismatch_error
from flashsale.clusters.minikube.start.start_plan import (
    WAITING,
    WRITING,
    Circumstances,
    Decision,
    LockedError,
    StartAction,
    Wish,
    asks_docker,
    docker_down_error,
    locked_error,
    next_action,
    start_words,
)
from flashsale.clusters.state import directory
from flashsale.docker import EngineError, EngineProblem

log = logging.getLogger(__name__)

STARTS = 3  # of ours, where another minikube has the lock each time

AskDocker = Callable[[], Awaitable[EngineError | None]]


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """What starting and stopping a profile needs."""

    minikube: MinikubeCli
    wish: Wish
    progress: Progress
    docker_trouble: AskDocker  # why this machine's Docker cannot be used, if it cannot
    home: Path  # the state folder

    async def ensure_running(self) -> Profile:
        """Return once the profile's API answers; a running one is never restarted.

        `minikube start` on a running cluster restarts the Docker inside it, which would bounce
        every pod (pkg/minikube/node/start.go). So the state is read first, each time.

        Raises:
            ClusterUnreachableError: it cannot be brought up.
            RecreateRefusedError: only deleting it helps, and the wish does not say so.
            BadInputError: the profile is not of the kind that was asked for.
        """
        tried: set[StartAction] = set()
        last, clashes = StartAction.NOTHING, 0
        deadline = time.monotonic() + self.minikube.patience.start
        while True:
            state = await read_state(self.minikube)
            decision = await self._decide(state, tried)
            if decision.do is StartAction.NOTHING:
                assert state.profile is not None  # an absent one would have been created
                return state.profile
            if decision.do in WRITING:
                current_context.check_usable()
            if decision.do is not last:
                self.progress.step(decision.message.rstrip("."))  # the view marks what goes on
            last = decision.do
            try:
                await self._carry_out(last, state)
                tried.add(last)
            except LockedError:
                clashes += 1
                if clashes == STARTS:
                    raise
                self.progress.step(WAITING.rstrip("."))
                last = StartAction.WAIT
                await asyncio.sleep(self.minikube.patience.lock)
            if last is StartAction.WAIT and time.monotonic() > deadline:
                raise locked_error(self.wish.profile)

    async def _decide(self, state: ProfileState, tried: set[StartAction]) -> Decision:
        name = self.wish.profile
        cut_off = unfinished_profiles.was_cut_off(self.home, name)
        complete = state.running and not (cut_off and state.profile and not state.profile.finished)
        busy = not complete and await is_at_work(name)
        docker = busy or not await self._lacks_docker(state)
        if cut_off and not busy and state.profile and state.profile.finished:
            # somebody's start came to its end since
            unfinished_profiles.forget_unfinished(self.home, name)
        around = Circumstances(tried, docker, busy, cut_off)
        decision = next_action(self.wish, state, around)
        log.info("minikube %s: %s", name, decision)
        return decision

    async def _lacks_docker(self, state: ProfileState) -> bool:
        """Whether the node is unseen because no Docker runs; EngineError if one is unusable."""
        trouble = await self.docker_trouble() if asks_docker(state) else None
        if trouble and trouble.trouble is not EngineProblem.ABSENT:
            raise trouble
        return trouble is not None

    async def _carry_out(self, do: StartAction, state: ProfileState) -> None:
        patience, profile = self.minikube.patience, state.profile
        match do:
            case StartAction.CREATE | StartAction.RECREATE:
                await self._create(profile, anew=do is StartAction.RECREATE)
            case StartAction.START:
                await self._start(profile)
            case StartAction.START_NODES:
                for node in state.status.stopped_nodes if state.status else ():
                    await switch_node(self.minikube, "start", node)
            case StartAction.UNPAUSE:
                await self.minikube.ask("unpause", "-o", "json", timeout=patience.stop)
            case StartAction.UNFREEZE:
                assert profile is not None  # its driver has told that
                await unfreeze(profile, timeout=patience.answer)
            case StartAction.REFRESH:  # the profile's entry in the kubeconfig
                with current_context.keep_current_context(self.minikube.profile):
                    await self.minikube.ask("update-context")
            case StartAction.WAIT:
                self.progress.detail("still waiting for it")
                await asyncio.sleep(patience.poll)

    async def _create(self, profile: Profile | None, *, anew: bool) -> None:
        name = self.wish.profile
        try:
            with unfinished_profiles.note_unfinished(self.home, name):
                await self._start(await self._delete(profile) if anew else None)
        except ClusterUnreachableError:
            if await read_profile(self.minikube) is None:
                # it failed before anything was made
                unfinished_profiles.forget_unfinished(self.home, name)
            raise

    async def _delete(self, profile: Profile | None) -> Profile | None:
        """Delete a profile; return it where it is still there and can be started as it is.

        Of the driver none, nothing can be deleted before kubeadm ran: then nothing is half-made
        either (pkg/minikube/bootstrapper/kubeadm/kubeadm.go).

        Raises:
            ClusterUnreachableError: it is still there, and was to be made anew.
        """
        failed = await self._try("delete", "delete", "-o", "json", steps=False)
        if failed is None:
            return None
        making = self.wish.making
        if profile is None or making.recreate or find_contradiction(profile, making):
            raise self._explained(failed, "delete")
        self.progress.note(
            f"minikube could not delete '{profile.name}', so its first start goes on."
        )
        return profile

    async def _start(self, profile: Profile | None) -> None:
        """Run `minikube start`; once more for a profile that proves to be of another driver."""
        try:
            failed = await self._try("start", *start_words(self.wish, profile))
            if (
                failed
                and failed.code == MISMATCH
                and (existing := await read_profile(self.minikube))
            ):
                if other := find_contradiction(existing, self.wish.making):
                    raise mismatch_error(existing, *other)
                failed = await self._try("start", *start_words(self.wish, existing))
        except asyncio.CancelledError:
            state = "is not up yet. The next `up` goes on with it."
            if profile is None:
                state = "is half-made. The next `up` makes it anew."
            self.progress.note(f"Interrupted: minikube '{self.wish.profile}' {state}")
            raise
        if failed:
            raise self._explained(failed, "start")

    async def stop(self) -> bool:
        """Stop a profile; images and objects inside survive. False if there is nothing to stop."""
        name = self.wish.profile
        state = await read_state(self.minikube)
        if not state.exists:
            self.progress.note(f"There is no minikube profile '{name}' to stop.")
            return False
        if await self._lacks_docker(state):
            raise docker_down_error()
        if state.damaged:
            raise describe_condition(name, state).error(name)
        if state.status == GONE:  # `stop` would try for 10 s, and blame ssh
            words = describe_condition(name, state).words
            nothing = f"minikube '{name}' {words}. There is nothing to stop."
            if not state.never_ran:
                raise ClusterUnreachableError(nothing, hint=f"minikube delete -p {name}")
            self.progress.note(nothing)
            return False
        if await is_at_work(name):
            raise locked_error(name)
        already = state.status is not None and state.status.host == "Stopped"
        self.progress.step(f"Stopping minikube '{name}'")
        failed = await self._try("stop", "stop", "-o", "json", steps=False)
        if failed and failed.code != NO_PROFILE:
            raise self._explained(failed, "stop")
        how = "was stopped already" if already else "stopped"
        kept = " (data kept)" if state.can_hold_sale else ""
        self.progress.note(f"minikube '{name}' {how}{kept}.")
        return True

    async def _try(self, action: str, *words: str, steps: bool = True) -> Failure | None:
        """Run a command with `-o json` to its end; None if it did what it should."""
        patience = self.minikube.patience
        listener = Listener(self.progress, action, steps=steps)
        with current_context.keep_current_context(self.wish.profile):
            async with heartbeat(listener, patience.heartbeat):
                answer = await self.minikube.follow(
                    *words,
                    each=listener.line,
                    each_error=lambda _: listener.heard(),
                    timeout=patience.stop if action == "stop" else patience.start,
                )
        failed = listener.failure(answer.code, answer.stderr)  # and the end of what is shown
        return failed if answer.code else None

    def _explained(self, failed: Failure, action: str) -> ClusterUnreachableError:
        """Say what a failure means; all of it goes to a file, as far as that can be written."""
        if failed.code >= MISMATCH - 1:
            current_context.check_usable()  # else minikube says so in the last of many lines
        name = f"minikube-{self.wish.profile}.log"
        file = None
        with contextlib.suppress(Exception):  # the failure itself is what counts
            file = directory.put(self.home, name, f"{failed.log}\n")
        return failure_error(failed, self.wish.profile, file, action=action)


@asynccontextmanager
async def heartbeat(listener: Listener, every: float) -> AsyncGenerator[None]:
    """Let a listener say that the command is alive after each `every` seconds of silence.

    Through a pipe minikube reports no downloads, and they take minutes; stopping is one long wait.
    """
    began = time.monotonic()
    sound = asyncio.Event()
    listener.heard = sound.set

    async def beat() -> None:
        while True:
            sound.clear()
            try:
                await asyncio.wait_for(sound.wait(), every)
            except TimeoutError:
                passed = time.monotonic() - began
                listener.progress.detail(f"still at '{listener.current}' after {passed:.0f} s")

    task = asyncio.create_task(beat(), name="minikube heartbeat")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
