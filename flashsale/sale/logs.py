"""What the pods log: now, or as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from flashsale.base.aio import end_tasks
from flashsale.base.errors import BadInputError
from flashsale.kube import REFUSALS, NotFoundError, paths
from flashsale.kube.list_watch import changes
from flashsale.kube.watch_types import Changed, Resynced, Stream
from flashsale.objects.fields import sections, text
from flashsale.objects.models import Object, Pod, ReplicaSet
from flashsale.sale.observe.monitor import raise_if_lost
from flashsale.sale.pod_names import find_pod_name
from flashsale.sale.session import Sale

MOST_FOLLOWED = 50  # pods at once: each is an open connection to the API server
PAUSE = 0.5  # seconds before a log is opened again that ended while its pod lives


@dataclass(frozen=True, slots=True)
class Line:
    """One line of one container's log."""

    pod: str
    text: str
    container: str = ""  # empty where the pod has only one

    @property
    def source(self) -> str:
        """The pod, with the container where there is more than one: `shop-rs-abcde/web`."""
        return f"{self.pod}/{self.container}" if self.container else self.pod


async def read_logs(
    sale: Sale, name: str | None, tail: int | None, container: str = ""
) -> list[Line]:
    """Fetch the last lines of one pod, or of all, pod by pod and container by container.

    Args:
        container: of this one only.

    Raises:
        BadInputError: there is no such pod, or no such container.
    """
    pods = await _chosen(sale, name)
    sources = [(pod.name, each) for pod in pods for each in containers_of(pod.raw, container)]
    alone = bool(name) and len(sources) == 1
    texts = await asyncio.gather(*(_text(sale, *place, tail, strict=alone) for place in sources))
    several = {pod.name for pod in pods if len(containers_of(pod.raw)) > 1}
    return [
        Line(pod, line, source if pod in several else "")
        for (pod, source), text in zip(sources, texts, strict=True)
        for line in text.splitlines()
    ]


def containers_of(pod: Mapping[str, Any], wanted: str = "") -> list[str]:
    """Name a pod's containers, init containers first; BadInputError if none is the wanted one."""
    both = (sections(pod, "spec", kind) for kind in ("initContainers", "containers"))
    names = [str(container_spec["name"]) for part in both for container_spec in part]
    if wanted and wanted not in names:
        raise BadInputError(
            f"The pod {pod['metadata']['name']} has no container '{wanted}', but"
            f" {', '.join(names)}.",
            hint=f"flashsale logs -c {names[-1]}",
        )
    return [wanted] if wanted else names


async def follow_logs(
    sale: Sale, name: str | None, tail: int | None, container: str = ""
) -> AsyncGenerator[Line, None]:
    """Yield lines as they come, of pods that come later too; end with the named pod, else never.

    Raises:
        BadInputError: there is no such pod or container, or too many pods to follow.
    """
    chosen = await _chosen(sale, name)
    for pod in chosen:
        containers_of(pod.raw, container)
    if len(chosen) > MOST_FOLLOWED:
        raise BadInputError(
            f"{len(chosen)} pods are too many to follow at once; {MOST_FOLLOWED} is the most.",
            hint=f"flashsale logs {chosen[0].name} -f",
        )
    lines: asyncio.Queue[Line | None] = asyncio.Queue(maxsize=1000)
    watching = asyncio.create_task(_watch(sale, name, tail, container, lines), name="logs")
    watching.add_done_callback(lambda _: lines.put_nowait(None) if not lines.full() else None)
    try:
        while (line := await lines.get()) is not None:
            yield line
        await watching
    finally:
        await end_tasks(watching)


async def _watch(
    sale: Sale,
    name: str | None,
    tail: int | None,
    container: str,
    lines: asyncio.Queue[Line | None],
) -> None:
    """Follow each pod of the sale from the moment it exists until it is gone."""
    selector = ReplicaSet.from_object(await sale.replicaset()).selector
    query = {"labelSelector": selector} if selector else {}
    pod_changes = changes(sale.api, paths.pods(sale.namespace), query)
    followed: dict[str, asyncio.Task[None]] = {}
    try:
        async with asyncio.TaskGroup() as group, aclosing(pod_changes):
            async for change in pod_changes:
                if isinstance(change, Stream):
                    raise_if_lost(sale, change)
                    continue
                pods = change.objects if isinstance(change, Resynced) else [change.object]
                for pod in pods:
                    uid, known = pod["metadata"]["uid"], pod["metadata"]["name"]
                    if isinstance(change, Changed) and change.type == "DELETED":
                        if task := followed.pop(uid, None):
                            task.cancel()
                            if name:
                                return
                    elif name in (None, known) and _started(pod) and uid not in followed:
                        followed[uid] = group.create_task(_pod(sale, pod, tail, container, lines))
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None


def _started(pod: Object) -> bool:
    return text(pod, "status", "phase") not in ("", "Pending")


async def _pod(
    sale: Sale, pod: Object, tail: int | None, wanted: str, lines: asyncio.Queue[Line | None]
) -> None:
    """Follow the logs of a pod's containers."""
    several = len(containers_of(pod)) > 1
    async with asyncio.TaskGroup() as group:
        for container in containers_of(pod, wanted):
            line = Line(pod["metadata"]["name"], "", container if several else "")
            group.create_task(_container(sale, line, container, tail, lines))


async def _container(
    sale: Sale, tag: Line, container: str, tail: int | None, lines: asyncio.Queue[Line | None]
) -> None:
    """Follow one container's log, and open it again when the container is restarted."""
    path = paths.pods(sale.namespace, tag.pod, "log")
    query: dict[str, object] = {"follow": True, "container": container}
    query |= {} if tail is None else {"tailLines": tail}
    while True:
        try:
            async with aclosing(sale.api.lines(path, query)) as texts:
                async for text in texts:
                    await lines.put(replace(tag, text=text))
        except NotFoundError:
            return
        except REFUSALS:
            pass  # between two lives there is no container whose log could be read
        query["tailLines"] = 0
        await asyncio.sleep(PAUSE)


async def _text(sale: Sale, pod: str, container: str, tail: int | None, *, strict: bool) -> str:
    query: dict[str, object] = {"container": container}
    query |= {} if tail is None else {"tailLines": tail}
    try:
        return await sale.api.text(paths.pods(sale.namespace, pod, "log"), query)
    except REFUSALS:
        if strict:
            raise
        return ""  # one pod of many that has not started yet


async def _chosen(sale: Sale, name: str | None) -> list[Pod]:
    pods = sorted(await sale.own_pods(), key=lambda pod: pod.name)
    if name is None:
        return pods
    name = find_pod_name(name, [pod.name for pod in pods], command="flashsale logs")
    return [pod for pod in pods if pod.name == name]
