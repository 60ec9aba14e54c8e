"""The Docker daemon inside minikube, through the SDK: what `eval $(minikube docker-env)` does.

Nothing of it is kept: after a restart the port is another one, and certificates can be new.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from flashsale.base.addresses import url_host
from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.plain_text import find_document
from flashsale.docker import Engine, EngineError, EngineProblem, connected
from flashsale.docker.engine_errors import expired_certificates

STOPPED, MISSING = 83, 85  # exit codes
TLS = (EngineProblem.EXPIRED, EngineProblem.STALE, EngineProblem.UNTRUSTED)
AWAY = (EngineProblem.TIMEOUT, EngineProblem.ABSENT)  # building inside the node still works


@asynccontextmanager
async def node_engine(
    minikube: MinikubeCli, revive: Callable[[], Awaitable[object]]
) -> AsyncGenerator[Engine]:
    """Connect to the daemon inside the node; a first failure is met with a second reading.

    Args:
        revive: brings the profile up again if it stopped in between.

    Raises:
        EngineError: its `trouble` is one of AWAY: this machine cannot reach it.
        ClusterUnreachableError: it cannot be used, and the message says why.
    """
    async with AsyncExitStack() as stack:
        for is_last in (False, True):
            docker_env = await read_docker_env(minikube, revive)
            try:
                engine = await stack.enter_async_context(_connected(minikube, docker_env))
                break
            except EngineError as error:
                if error.trouble not in (*TLS, *AWAY):
                    raise _missing_certificates(minikube.profile, docker_env, error) from error
                if is_last and error.trouble in TLS:
                    raise invalid_certificate(minikube.profile, docker_env, error) from error
                if is_last:
                    raise
        yield engine


async def read_docker_env(
    minikube: MinikubeCli, revive: Callable[[], Awaitable[object]]
) -> dict[str, str]:
    """Read `docker-env`; a profile that stopped in between is started again, once."""
    words = ("docker-env", "--shell", "none", "-o", "json")
    output = await minikube.ask(*words)
    if output.code in (STOPPED, MISSING):
        await revive()
        output = await minikube.ask(*words)
    name = minikube.profile
    if output.code in (STOPPED, MISSING):
        raise ClusterUnreachableError(
            f"minikube '{name}' stopped while deploying.", hint=f"minikube status -p {name}"
        )
    variables = parse_docker_env(output.stdout) if output.code == 0 else {}
    if "DOCKER_HOST" not in variables:
        raise ClusterUnreachableError(
            f"minikube '{name}' does not say where its Docker is (code {output.code}).",
            hint=f"minikube -p {name} docker-env",
            details=output.stderr,
        )
    return variables


def parse_docker_env(stdout: str) -> dict[str, str]:
    """Read the JSON line; variables of ssh come empty and mean nothing."""
    try:
        document = find_document(stdout)
    except ValueError:
        return {}
    variables = document if isinstance(document, dict) else {}
    return {key: value for key, value in variables.items() if value}


def keep_proxies_off(address: str) -> None:
    """Let nothing in this process, or started by it, ask a proxy for the node's address.

    The Kubernetes client trusts the environment's proxies even for an address of this machine.
    """
    for name in ("NO_PROXY", "no_proxy"):
        listed = [word for word in os.environ.get(name, "").split(",") if word]
        if address and address not in listed:
            os.environ[name] = ",".join([*listed, address])


def _connected(
    minikube: MinikubeCli, docker_env: Mapping[str, str]
) -> AbstractAsyncContextManager[Engine]:
    keep_proxies_off(url_host(docker_env["DOCKER_HOST"]))
    wanted = ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH")
    environment = {key: docker_env[key] for key in wanted if key in docker_env}
    return connected(environment, timeout=minikube.patience.connect)


def invalid_certificate(
    name: str, docker_env: Mapping[str, str], error: EngineError
) -> ClusterUnreachableError:
    """Say what is wrong with the TLS connection, and which of two cures is the right one.

    `start` renews the daemon's certificate; ours and the CA are made with the profile, for three
    years, and only `delete` renews them (pkg/minikube/machine/client.go).
    """
    folder = Path(docker_env.get("DOCKER_CERT_PATH", ""))
    ended = expired_certificates(folder).items()
    over = [f"{file} expired on {end:%Y-%m-%d}" for file, end in ended]
    anew = f"minikube delete -p {name}, then run it again"
    again = f"minikube stop -p {name}, then run it again; if '{name}' is older than 3 years: {anew}"
    return ClusterUnreachableError(
        f"The Docker certificate of '{name}' is invalid or expired"
        + (f": {', '.join(over)}." if over else "."),
        hint=anew if over else again,
        details=error.details,
    )


def _missing_certificates(
    name: str, docker_env: Mapping[str, str], error: EngineError
) -> EngineError:
    if error.trouble is EngineProblem.NO_CERTIFICATES:
        error.args = (f"Certificates missing in {docker_env.get('DOCKER_CERT_PATH', '')}.",)
        error.hint = f"minikube start -p {name}"
    return error
