"""`kubectl logs`: which instance's file, which part of it (pkg/kubelet/kubelet_pods.go)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from flashsale.embedded.kubelet.logs import log_file
from flashsale.embedded.kubelet.logs.log_file import LogWriter
from flashsale.embedded.kubelet.pod_api import PodAPI
from flashsale.embedded.types.api_errors import StatusError, not_found
from flashsale.embedded.types.resources import PODS
from flashsale.objects.models import Object
from flashsale.objects.models import timestamp as unix_seconds

_NANO = 1_000_000_000
_WHY_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class LogOptions:
    """Which part of a log is wanted."""

    previous: bool = False
    tail_lines: int | None = None
    since_seconds: int | None = None
    since_time: str | None = None  # RFC 3339
    limit_bytes: int | None = None
    timestamps: bool = False


class Logs:
    """The logs of a node's containers: of each, the current instance and the one before it.

    They lie in ``root/UID/CONTAINER/logs`` and stay as long as the pod object exists.
    """

    def __init__(self, api: PodAPI, root: Path, clock: Callable[[], float] = time.time) -> None:
        self._api = api
        self._root = root
        self._clock = clock
        self._writers: dict[Path, LogWriter] = {}

    def open(self, uid: str, container: str, container_id: str) -> LogWriter:
        """Begin the log of a new instance; only the newest of the older ones is kept."""
        path = self._path(uid, container, container_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        old = sorted(path.parent.glob("*.log"), key=lambda file: file.stat().st_mtime_ns)
        for file in old[:-1]:
            file.unlink()
            log_file.rotated(file).unlink(missing_ok=True)
        writer = self._writers[path] = LogWriter(path)
        return writer

    def close(self, writer: LogWriter) -> None:
        """End the log of an instance; those who follow it come to its end."""
        writer.close()
        self._writers.pop(writer.path, None)

    def read(self, namespace: str, name: str, uid: str, container: str, **options: Any) -> bytes:
        """Return the log as it is now.

        Args:
            uid: of the pod that is meant; empty means any pod of that name.
            container: may be empty when the pod has only one.
            options: the fields of :class:`LogOptions`.

        Raises:
            StatusError: 404 or 400, worded as a real API server words it.
        """
        path = self._choose(namespace, name, uid, container, LogOptions(**options))
        return self._snapshot(path, LogOptions(**options))[0]

    def follow(
        self, namespace: str, name: str, uid: str, container: str, **options: Any
    ) -> AsyncIterator[bytes]:
        """Return the log as it is and as it grows; ends when the container stops.

        Arguments and errors are those of :meth:`read`; errors come at once, not on iteration.
        """
        wanted = LogOptions(**options)
        path = self._choose(namespace, name, uid, container, wanted)
        return self._follow(path, wanted)

    async def _follow(self, path: Path, wanted: LogOptions) -> AsyncIterator[bytes]:
        writer = self._writers.get(path)
        text, position = self._snapshot(path, wanted)
        left = wanted.limit_bytes
        rotations = writer.rotations if writer else 0
        file = _open(path)
        try:
            if file:
                file.seek(position)
            while True:
                if text:
                    yield text
                    left = None if left is None else left - len(text)
                if writer is None or file is None or left == 0:
                    return
                records = file.read()
                if not records and writer.rotations > rotations:
                    rotations = writer.rotations
                    file.close()
                    file = _open(path)
                elif not records and writer.closed:
                    return
                elif not records:
                    await writer.changed()
                text = log_file.render(records, timestamps=wanted.timestamps)[:left]
        finally:
            if file:
                file.close()

    def _choose(
        self, namespace: str, name: str, uid: str, container: str, wanted: LogOptions
    ) -> Path:
        pod = self._api.get_pod(namespace, name)
        if pod is None or uid not in ("", pod["metadata"]["uid"]):
            raise not_found(PODS, name)
        container = _container_name(pod, container)
        container_id = _instance(pod, container, previous=wanted.previous)
        return self._path(pod["metadata"]["uid"], container, container_id)

    def _path(self, uid: str, container: str, container_id: str) -> Path:
        short = container_id.rpartition("/")[2][:12]
        return self._root / uid / container / "logs" / f"{short}.log"

    def _snapshot(self, path: Path, wanted: LogOptions) -> tuple[bytes, int]:
        """Return the wanted text, and the offset in the newer file where it ends."""
        since = self._since(wanted)
        left = wanted.tail_lines
        parts: list[bytes] = []
        end = 0
        for each in (path, log_file.rotated(path)):  # from the newest back
            file = _open(each)
            if file is None:
                continue
            with file:
                start = 0 if since is None else log_file.first_since(file, since)
                if left is not None:
                    offset, found = log_file.find_last_records(file, left)
                    start, left = max(start, offset), left - found
                file.seek(start)
                parts.append(file.read())
                end = file.tell() if each == path else end
        records = b"".join(reversed(parts))
        return log_file.render(records, timestamps=wanted.timestamps)[: wanted.limit_bytes], end

    def _since(self, wanted: LogOptions) -> bytes | None:
        if wanted.since_seconds is not None:
            since = self._clock() - wanted.since_seconds
        elif wanted.since_time:
            since = unix_seconds(wanted.since_time)
        else:
            return None
        # No log is older than 1970, and no time before the year 1 can be written.
        return log_file.format_timestamp(int(max(0.0, since) * _NANO))


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None  # the container could not even be started


def _container_name(pod: Object, container: str) -> str:
    spec, name = pod["spec"], pod["metadata"]["name"]
    names = [one["name"] for one in spec["containers"]]
    init = [one["name"] for one in spec.get("initContainers") or []]
    if not container and len(names) == 1:
        return str(names[0])
    if not container:
        choice = f"choose one of: [{' '.join(init + names)}]"
        raise _bad(f"a container name must be specified for pod {name}, {choice}")
    if container not in names + init:
        raise _bad(f"container {container} is not valid for pod {name}")
    return container


def _instance(pod: Object, container: str, *, previous: bool) -> str:
    """Return the id of the container instance that is meant (validateContainerLogStatus)."""
    which = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    status = _status(pod, container)
    if status is None:
        raise _bad(f"{which} is not available")
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated") or {}
    if previous:
        if not last.get("containerID"):
            raise _bad(f"previous terminated {which} not found")
        return str(last["containerID"])
    if state.get("running"):
        return str(status["containerID"])
    ended = state.get("terminated") or {}
    if known := ended.get("containerID") or last.get("containerID"):
        return str(known)
    if ended or last:
        raise _bad(f"{which} is terminated")
    reason = (state.get("waiting") or {}).get("reason", "")
    raise _bad(f"{which} is waiting to start: {_WHY_WAITING.get(reason, reason)}")


def _status(pod: Object, container: str) -> Object | None:
    status = pod.get("status") or {}
    both = (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])
    if not both:
        return {"state": {"waiting": {"reason": "ContainerCreating"}}}
    return next((one for one in both if one.get("name") == container), None)


def _bad(message: str) -> StatusError:
    return StatusError(400, "BadRequest", message)
