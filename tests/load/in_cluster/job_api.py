"""An API that runs Jobs as processes on this machine, for what no cluster of one machine can show.

It takes the objects that a real API takes and runs each pod's own command, with its volumes in a
folder; a pod's stdout is its log. Logs can be broken off, pods killed, and pods refused.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import Process
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flashsale.base.errors import ClusterUnreachableError
from flashsale.kube import NotFoundError
from flashsale.load.in_cluster.job_manifest import INDEX

Object = dict[str, Any]
OVERLAP = 3  # lines that `sinceSeconds` gives once more


@dataclass(slots=True)
class RunningPod:
    """One pod, its process, and what it wrote."""

    object: Object
    folder: Path
    process: Process | None = None
    lines: list[str] = field(default_factory=list)
    ended: bool = False
    changes: int = 0  # of its annotations
    tasks: list[asyncio.Task[None]] = field(default_factory=list)


class JobApi:
    """The few requests that a crowd makes."""

    context = "here"

    def __init__(
        self,
        folder: Path,
        *,
        breaks: int = 0,
        refused: Exception | None = None,
        created: Callable[[int], bool] = lambda part: True,
        forgets: Callable[[int, int], bool] = lambda part, change: False,
    ) -> None:
        """Prepare.

        Args:
            breaks: lines after which every log stream breaks; 0 for never.
            refused: what creating a Job raises.
            created: whether a worker's pod is made at all.
            forgets: whether a kubelet forgets a change of a worker's pod, the first being 0; the
                next one that it does not forget brings all of them.
        """
        self.pods: dict[str, RunningPod] = {}
        self.jobs: dict[str, Object] = {}
        self.config_maps: dict[str, Object] = {}
        self.streams = 0
        self._folder, self._breaks, self._refused = folder, breaks, refused
        self._created, self._forgets = created, forgets
        self._changed = asyncio.Condition()

    async def create(self, path: str, body: Object, query: Any = None) -> Object:
        """Store a Job or a ConfigMap, and run the Job once both are there."""
        if self._refused:
            raise self._refused
        name = body["metadata"]["name"]
        if path.endswith("/jobs"):
            self.jobs[name] = {**body, "metadata": {**body["metadata"], "uid": "u-1"}}
            return self.jobs[name]
        self.config_maps[name] = body
        await self._run(self.jobs[name], body)
        return body

    async def get(self, path: str, query: Any = None) -> Object:
        """Return a Job."""
        return self.jobs.get(path.rpartition("/")[2]) or _missing(path)

    async def list_to_watch(self, path: str, query: Any = None) -> Object:
        """Return the list of pods."""
        items = [pod.object for pod in self.pods.values()]
        return {"metadata": {"resourceVersion": "1"}, "items": items}

    async def list(self, path: str, query: Any = None) -> list[Object]:
        """Return the events: why a pod was not made."""
        if len(self.pods) == sum(job["spec"]["completions"] for job in self.jobs.values()):
            return []
        message = 'Error creating: pods "x" is forbidden: exceeded quota: small'
        return [{"reason": "FailedCreate", "message": message}]

    async def patch(self, path: str, body: Object, **_: Any) -> Object:
        """Set annotations, and show them in the pod's volume."""
        pod = self.pods.get(path.rpartition("/")[2]) or _missing(path)
        annotations = pod.object["metadata"]["annotations"]
        annotations |= body["metadata"]["annotations"]
        pod.changes += 1
        if self._forgets(int(annotations[INDEX]), pod.changes - 1):
            return pod.object
        for key, value in annotations.items():
            written = pod.folder / "new"
            written.write_text(value)
            written.rename(pod.folder / "signals" / key.rpartition("/")[2])
        return pod.object

    async def delete(self, path: str, options: Any = None) -> Object:
        """Delete a pod, or a Job with everything."""
        name = path.rpartition("/")[2]
        if "/pods/" in path:
            await self._end(self.pods[name])
            self.pods.pop(name, None)
        elif "/jobs/" in path:
            self.jobs.pop(name, None)
            for pod in [*self.pods.values()]:
                await self._end(pod)
            self.pods.clear()
        else:
            self.config_maps.pop(name, None) or _missing(path)
        return {}

    async def lines(
        self, path: str, query: Any = None, *, silence: float | None = None
    ) -> AsyncGenerator[str, None]:
        """Follow a pod's log; break off now and then."""
        pod = self.pods.get(path.split("/")[-2]) or _missing(path)
        self.streams += 1
        at = 0 if "sinceSeconds" not in query else max(0, len(pod.lines) - OVERLAP)
        began = at
        while True:
            while at < len(pod.lines):
                if self._breaks and at - began >= self._breaks + OVERLAP:
                    raise ClusterUnreachableError("the connection broke")
                yield pod.lines[at]
                at += 1
            if pod.ended:
                return
            await self._wait()

    async def stream(
        self, path: str, query: Any = None, *, silence: float = 0
    ) -> AsyncGenerator[Object, None]:
        """Tell of pods that come, end or go."""
        known: dict[str, Object] = {}
        while True:
            for name, pod in [*self.pods.items()]:
                if known.get(name) != pod.object:
                    known[name] = dict(pod.object)
                    yield {"type": "MODIFIED", "object": pod.object}
            for name in known.keys() - self.pods.keys():
                yield {"type": "DELETED", "object": known.pop(name)}
            await self._wait()

    async def kill(self, name: str) -> None:
        """End a pod at once, as a node that dies would."""
        process = self.pods[name].process
        assert process
        process.kill()
        await process.wait()

    async def _run(self, job: Object, config_map: Object) -> None:
        for part in range(job["spec"]["completions"]):
            if self._created(part):
                await self._start(job, config_map, part)
        await self._tell()

    async def _start(self, job: Object, config_map: Object, part: int) -> None:
        name = f"{job['metadata']['name']}-{part}"
        folder = self._folder / name
        (folder / "signals").mkdir(parents=True)
        for file, text in config_map["data"].items():
            (folder / file).write_text(text)
        for file, text in config_map["binaryData"].items():
            (folder / file).write_bytes(b64decode(text))
        _, *words = job["spec"]["template"]["spec"]["containers"][0]["command"]
        here = [word.replace("/flashsale-load/code", str(folder)) for word in words]
        here = [word.replace("/flashsale-load/signals", f"{folder}/signals") for word in here]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, *here),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env={**os.environ, "JOB_COMPLETION_INDEX": str(part)},
        )
        found = {
            "metadata": {"name": name, "uid": name, "annotations": {INDEX: str(part)}},
            "spec": {"nodeName": f"node-{part % 2}"},
            "status": {"phase": "Running"},
        }
        pod = self.pods[name] = RunningPod(found, folder, process)
        pod.tasks.append(asyncio.create_task(self._read(pod)))

    async def _read(self, pod: RunningPod) -> None:
        assert pod.process
        assert pod.process.stdout
        async for line in pod.process.stdout:
            pod.lines.append(line.decode().rstrip("\n"))
            await self._tell()
        code = await pod.process.wait()
        phase = "Failed" if code else "Succeeded"
        status = {"terminated": {"reason": "Error", "exitCode": code}}
        pod.object = {
            **pod.object,
            "metadata": {**pod.object["metadata"], "resourceVersion": "2"},
            "status": {"phase": phase, "containerStatuses": [{"state": status}]},
        }
        pod.ended = True
        await self._tell()

    async def _end(self, pod: RunningPod) -> None:
        if pod.process and pod.process.returncode is None:
            pod.process.terminate()
        await asyncio.wait(pod.tasks)  # which go on where nobody waits for the answer any more

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _wait(self) -> None:
        async with self._changed:
            await self._changed.wait()


def _missing(path: str) -> Any:
    raise NotFoundError(json.dumps({"not found": path}))
