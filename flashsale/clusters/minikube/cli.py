"""Calling the `minikube` binary: always for one profile."""

from __future__ import annotations

import logging
import os
import shutil
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.clusters.minikube.home import foreign_files_error
from flashsale.clusters.subprocesses import run, tunnels
from flashsale.clusters.subprocesses.run import Each, Output, nothing

log = logging.getLogger(__name__)

INSTALL = "https://minikube.sigs.k8s.io/docs/start/"
NOT_PERMITTED = 37  # exit code where its own files are not; of `version`, too


class MinikubeSilentError(ClusterUnreachableError):
    """A command did not end in time."""


@dataclass(frozen=True, slots=True)
class MinikubeTimeouts:
    """How long each thing may take, in seconds."""

    answer: float = 60  # any question; status looks at Docker and the API server
    start: float = 900  # the host and each component may take six minutes
    stop: float = 180
    node: float = 300  # for one node's machine to start or stop
    build: float = 1800
    poll: float = 2  # between two looks at an operation of someone else's
    lock: float = 10  # before the next start, where another minikube had the lock
    heartbeat: float = 15  # silence after which a long command says that it lives
    interrupt: float = 20  # between SIGINT and SIGKILL
    probe: float = 2  # for a TCP connection to the node
    connect: float = 20  # for an answer of its Docker daemon
    url: float = 30  # for `service --url` to print its line


def is_installed() -> bool:
    return shutil.which("minikube") is not None


def environment() -> dict[str, str]:
    """Give the user's environment, with texts in English for our logs.

    go-locale reads LANGUAGE before LC_ALL. Nothing else is changed: minikube undoes an active
    docker-env itself, and would take DOCKER_HOST for a remote host if only part of it were removed.
    """
    return {**os.environ, "LANGUAGE": "en_US", "LC_ALL": "C", "MINIKUBE_IN_STYLE": "false"}


@dataclass(frozen=True, slots=True)
class MinikubeCli:
    profile: str
    patience: MinikubeTimeouts = MinikubeTimeouts()

    async def ask(self, *words: str, timeout: float | None = None) -> Output:
        """Run one command to its end and return everything it said.

        Raises:
            ClusterUnreachableError: minikube is not installed, cannot be run, may not use its own
                files, was ended by a signal, or did not end in time.
        """
        answer = await self.follow(*words, timeout=timeout)
        if answer.code < 0:
            raise signal_error(answer)
        if answer.code == NOT_PERMITTED:
            raise foreign_files_error(self.profile, f"{answer.stdout}\n{answer.stderr}")
        return answer

    async def follow(
        self,
        *words: str,
        each: Each = nothing,
        each_error: Each = nothing,
        timeout: float | None = None,
    ) -> Output:
        """Run one command and hand on its lines as they come: stdout to `each`.

        Raises:
            ClusterUnreachableError: minikube is not installed, cannot be run, or did not end in
                time.
        """
        limit = timeout or self.patience.answer
        log.debug("runs minikube %s for %s", " ".join(words), self.profile)
        try:
            answer = await run.run_program(
                *self._command(words),
                each=each,
                each_error=each_error,
                timeout=limit,
                patience=self.patience.interrupt,
                environment=environment(),
            )
        except TimeoutError as error:  # before OSError, of which it is one
            raise MinikubeSilentError(
                f"minikube {words[0]} did not end within {limit:g} s.",
                hint=f"minikube logs -p {self.profile}",
            ) from error
        except OSError as error:
            raise cannot_run_error(error) from error
        log.debug("minikube %s left with code %d", words[0], answer.code)
        return answer

    @asynccontextmanager
    async def tunnel(self, home: Path, *words: str) -> AsyncGenerator[Process]:
        """Hold a running command that keeps a tunnel open; it ends with SIGINT on the way out."""
        log.debug("holds minikube %s for %s", " ".join(words), self.profile)
        async with tunnels.tunnel(
            home, *self._command(words), patience=self.patience.interrupt, environment=environment()
        ) as process:
            yield process

    def _command(self, words: tuple[str, ...]) -> tuple[str, ...]:
        return ("minikube", words[0], "-p", self.profile, *words[1:])


def not_installed_error() -> ClusterUnreachableError:
    return ClusterUnreachableError(
        "minikube was not found in PATH.", hint=Hint(words=f"install it: {INSTALL}")
    )


def signal_error(answer: Output) -> ClusterUnreachableError:
    """Say which signal ended minikube: a broken program's own, or one from the system."""
    return ClusterUnreachableError(
        f"minikube was ended by {signal_name(-answer.code)}.",
        hint=Hint(words=f"if it happens again, install minikube anew: {INSTALL}"),
        details=answer.stderr,
    )


def signal_name(number: int) -> str:
    """Name a signal: `SIGKILL`; one that Python does not know by its number."""
    known = {int(known_signal): known_signal.name for known_signal in signal.Signals}
    return known.get(number, f"signal {number}")


def cannot_run_error(error: OSError) -> ClusterUnreachableError:
    """Say why the system cannot run minikube: none is there, or not one for this machine."""
    program = shutil.which("minikube")
    if program is None:
        return not_installed_error()
    why = os.strerror(error.errno or 0)
    if isinstance(error, FileNotFoundError):
        why = "the interpreter that it names is not there"
    return ClusterUnreachableError(
        f"{program} cannot be run: {why}.", hint=Hint(words=f"install minikube anew: {INSTALL}")
    )
