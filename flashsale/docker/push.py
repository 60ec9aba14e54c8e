"""Pushing an image to a registry, and naming it so that every node runs exactly that one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from flashsale.base.errors import BadInputError, FlashsaleError, Hint
from flashsale.base.image_names import HUB, ImageName, InvalidImageNameError
from flashsale.docker.engine import Emit, Engine

AWAY = ("no such host", "connection refused", "timeout", "unreachable", "proxyconnect")
STEP = 10  # per cent between two lines about one layer


@dataclass(frozen=True, slots=True)
class PushTarget:
    repository: str  # with its registry, as typed
    tag: str

    @classmethod
    def of(cls, repository: str, name: str) -> PushTarget:
        """Take the tag from the repository, else from the name; BadInputError if it is none."""
        own = ImageName.parse(name)
        try:
            target = ImageName.parse(repository)
        except InvalidImageNameError as error:
            raise BadInputError(
                f"{repository!r} is not a repository.",
                hint=f"flashsale up --push docker.io/YOU/{own.name}",
            ) from error
        return cls(target.name, target.tag or own.tag or "latest")

    @property
    def registry(self) -> str:
        """The host to log in to."""
        return ImageName.parse(self.repository).registry

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


class PushError(FlashsaleError):
    """The registry did not take the image."""


async def push(engine: Engine, name: str, repository: str, emit: Emit) -> str:
    """Tag and push an image; return the name under which every node gets exactly this one.

    That name ends in the digest: a tag can be pushed anew, and a node that has an image of
    that tag already would go on running the old one.

    Raises:
        PushError: denied, not logged in, or not reachable.
    """
    target = PushTarget.of(repository, name)

    def work(emit: Emit) -> str:
        engine.tag(name, target.repository, target.tag)
        digest = follow_push(engine.push(target.repository, target.tag), target, emit)
        return f"{target}@{digest}" if digest else str(target)

    return await engine.work(work, emit)


def follow_push(messages: Iterable[Mapping[str, Any]], target: PushTarget, emit: Emit) -> str:
    """Pass on what happens to each layer; return the registry's digest, or raise PushError."""
    reported: dict[str, str] = {}
    digest = ""
    for message in messages:
        if "error" in message:
            raise push_refused_error(str(message["error"]), target)
        digest = (message.get("aux") or {}).get("Digest", digest)
        layer, line = message.get("id", ""), layer_line(message)
        if line and reported.get(layer) != line:
            reported[layer] = line
            emit(line)
    return digest


def layer_line(message: Mapping[str, Any]) -> str:
    """Write a layer's state, its progress in steps of ten per cent."""
    status, layer = str(message.get("status", "")), message.get("id")
    if not status or not layer:
        return status
    done = message.get("progressDetail") or {}
    if done.get("total"):
        share = min(100, int(100 * done.get("current", 0) / done["total"]) // STEP * STEP)
        return f"{layer}: {status} {share} %"
    return f"{layer}: {status}"


def push_refused_error(error: str, target: PushTarget) -> PushError:
    """Explain a refused push; the registry's own words are in the details."""
    low = error.lower()
    login = f"docker login {target.registry}" if target.registry != HUB else "docker login"
    if "no basic auth" in low or "unauthorized" in low or "authentication required" in low:
        return PushError(f"Not logged in to {target.registry}.", hint=login, details=error)
    if "denied" in low or "insufficient_scope" in low or "forbidden" in low:
        return PushError(
            f"{target.registry} denied the push to {target.repository}:"
            " not logged in, or not your repository.",
            hint=login,
            details=error,
        )
    if "server gave http response" in low:
        return PushError(
            f"{target.registry} speaks plain HTTP, which Docker takes from loopback only.",
            hint=Hint(words="add it to insecure-registries in Docker's daemon.json"),
            details=error,
        )
    if any(words in low for words in AWAY):
        return PushError(
            f"Docker does not reach the registry {target.registry}.",
            hint=Hint("docker info", "shows Docker's own proxy; check the registry's name as well"),
            details=error,
        )
    return PushError(f"The push to {target} failed.", hint=f"docker push {target}", details=error)
