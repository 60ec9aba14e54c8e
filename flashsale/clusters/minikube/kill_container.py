"""Killing a container's process from outside, as nothing inside the container can."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from flashsale.base.errors import FlashsaleError
from flashsale.clusters.subprocesses.run import nothing
from flashsale.docker import Engine
from flashsale.kube import Api, paths
from flashsale.objects.fields import section, sections, text
from flashsale.objects.models import Object, Pod

DOCKER = "docker://"  # how the kubelet writes the ids of Docker's containers


async def kill_main_process(
    engine: AbstractAsyncContextManager[Engine], api: Api, namespace: str, pod: Pod
) -> None:
    """Send SIGKILL to the main process of the pod's first container, through the node's Docker.

    Raises:
        FlashsaleError: none of its containers runs in Docker now.
        EngineError: this machine cannot reach the node's Docker.
    """
    container_id = running_container_id(await api.get(paths.pods(namespace, pod.name)))
    if not container_id:
        raise FlashsaleError(
            f"No container of the pod '{pod.name}' runs in Docker now.", hint="flashsale status"
        )
    async with engine as opened:
        await opened.work(lambda _: opened.kill(container_id), nothing)


def running_container_id(pod: Object) -> str:
    """Read the id of a pod's first container; empty if it does not run, or not in Docker."""
    for status in sections(pod, "status", "containerStatuses"):
        named, running = text(status, "containerID"), "running" in section(status, "state")
        return named.removeprefix(DOCKER) if running and named.startswith(DOCKER) else ""
    return ""
