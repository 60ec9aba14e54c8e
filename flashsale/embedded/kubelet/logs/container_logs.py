"""`kubectl logs`: which instance's file, which part of it (pkg/kubelet/kubelet_pods.go)."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

from flashsale.embedded.apiserver.handlers.subresources.pod_log import LogOptions
from flashsale.embedded.kubelet.logs import log_file
from flashsale.embedded.kubelet.logs.log_file import LogWriter
from flashsale.embedded.types.api_errors import bad_request
from flashsale.objects.models import Object
from flashsale.objects.models import timestamp as unix_seconds

_NANO = 1_000_000_000
_WHY_WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


class Logs:
    """The logs of a node's containers: of each, the current instance and the one before it.

    They lie in ``root/UID/CONTAINER/logs`` and stay as long as the pod object exists.
    """

    def __init__(self, root: Path, clock: Callable[[], float] = time.time) -> None:
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

    def read(self, pod: Object, container: str, options: LogOptions) -> bytes:
        """Return the log as it is now.

        Raises:
            StatusError: 400, worded as a real API server words it.
        """
        return self._snapshot(self._choose(pod, container, options), options)[0]

    def follow(self, pod: Object, container: str, options: LogOptions) -> AsyncIterator[bytes]:
        """Return the log as it is and as it grows; ends when the container stops.

        Raises:
            StatusError: as :meth:`read` does, at once and not on iteration.
        """
        return self._follow(self._choose(pod, container, options), options)

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

    def _choose(self, pod: Object, container: str, wanted: LogOptions) -> Path:
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
                    offset, log_records = log_file.find_last_records(file, left)
                    start, left = max(start, offset), left - log_records
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


def _instance(pod: Object, container: str, *, previous: bool) -> str:
    """Return the id of the container instance that is meant (validateContainerLogStatus)."""
    which = f'container "{container}" in pod "{pod["metadata"]["name"]}"'
    status = _status(pod, container)
    if status is None:
        raise bad_request(f"{which} is not available")
    state, last = status.get("state") or {}, (status.get("lastState") or {}).get("terminated") or {}
    if previous:
        if not last.get("containerID"):
            raise bad_request(f"previous terminated {which} not found")
        return str(last["containerID"])
    if state.get("running"):
        return str(status["containerID"])
    ended = state.get("terminated") or {}
    if known := ended.get("containerID") or last.get("containerID"):
        return str(known)
    if ended or last:
        raise bad_request(f"{which} is terminated")
    reason = (state.get("waiting") or {}).get("reason", "")
    raise bad_request(f"{which} is waiting to start: {_WHY_WAITING.get(reason, reason)}")


def _status(pod: Object, container: str) -> Object | None:
    status = pod.get("status") or {}
    both = (status.get("initContainerStatuses") or []) + (status.get("containerStatuses") or [])
    if not both:
        return {"state": {"waiting": {"reason": "ContainerCreating"}}}
    return next((known for known in both if known.get("name") == container), None)
