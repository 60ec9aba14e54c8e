"""A cluster around the kubelet: an API in memory, everything below it real."""

import asyncio
import copy
import itertools
import os
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from flashsale.embedded.apiserver.handlers.subresources.pod_log import LogOptions
from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.kubelet import Kubelet
from flashsale.embedded.kubelet.pod_api import NodeInfo
from flashsale.embedded.kubelet.runtime.pod_network import PodNetwork
from flashsale.objects.models import Object, rfc3339

NODE = NodeInfo("node-1", "127.0.0.1")
NAME = "flashsale-container"
# The API takes whole seconds only; the kubelet itself does not mind, and tests are in a hurry.
READY_AT_ONCE = {"httpGet": {"path": "/health", "port": 5000}, "periodSeconds": 0.1}


class MemoryAPI:
    """What the kubelet needs of an API server, in a dict; remembers every write."""

    def __init__(self) -> None:
        self.kubelet: Kubelet | None = None
        self.objects: dict[tuple[str, str], Object] = {}
        self.history: list[tuple[str, Object]] = []
        self.events: list[Object] = []
        self.order: list[str] = []  # statuses and events of all pods, as they came
        self.service_list: list[Object] = []
        self.config_maps: dict[tuple[str, str], Object] = {}
        self._numbers = itertools.count()

    def pods(self, node: str) -> list[Object]:
        return [row for row in self.objects.values() if row["spec"].get("nodeName") == node]

    def update_pod_status(
        self, namespace: str, name: str, uid: str, status: Object
    ) -> Object | None:
        pod = self.objects.get((namespace, name))
        if pod is None or pod["metadata"]["uid"] != uid:
            return None
        assert status != pod.get("status"), "nothing changed, so nothing is to be written"
        return self._write("MODIFIED", pod | {"status": copy.deepcopy(status)})

    def remove_pod(self, namespace: str, name: str, uid: str) -> None:
        pod = self.objects.get((namespace, name))
        if pod and pod["metadata"]["uid"] == uid:
            self._write("DELETED", pod)

    def record(
        self, pod: Object, type: str, reason: str, message: str, field_path: str = ""
    ) -> None:
        name = pod["metadata"]["name"]
        event = {"pod": name, "type": type, "reason": reason, "message": message}
        self.events.append(event | {"path": field_path})
        self.order.append(reason)

    def services(self, namespace: str) -> list[Object]:
        return [obj for obj in self.service_list if obj["metadata"]["namespace"] == namespace]

    def config_map(self, namespace: str, name: str) -> Object | None:
        return self.config_maps.get((namespace, name))

    # what a user does

    def create(self, name: str, spec: Object, **meta: Any) -> Object:
        """Create a pod as it looks once the scheduler has bound it."""
        metadata = {
            "name": name,
            "namespace": "default",
            "uid": str(uuid.uuid4()),
            "generation": 1,
            "creationTimestamp": rfc3339(time.time()),
        }
        scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None}
        scheduled["lastTransitionTime"] = rfc3339(time.time())
        status = {"phase": "Pending", "conditions": [scheduled], "qosClass": "Burstable"}
        spec = {"restartPolicy": "Always", "terminationGracePeriodSeconds": 30} | spec
        spec |= {"nodeName": NODE.name, "enableServiceLinks": True}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata | meta, "spec": spec}
        return self._write("ADDED", pod | {"status": status})

    def delete(self, name: str, grace: int | None = None) -> None:
        """Delete a pod as the API server does: mark it first, and only shorten after that."""
        pod = self.objects["default", name]
        meta, spec = pod["metadata"], pod["spec"]
        grace = spec["terminationGracePeriodSeconds"] if grace is None else grace
        if grace == 0:
            self._write("DELETED", pod)
            return
        first = "deletionTimestamp" not in meta
        if not first and grace >= meta["deletionGracePeriodSeconds"]:
            return
        meta = meta | {"deletionGracePeriodSeconds": grace}
        meta |= {"deletionTimestamp": rfc3339(time.time() + grace)}
        meta |= {"generation": meta["generation"] + first}
        self._write("MODIFIED", pod | {"metadata": meta})

    def call_not_ready(self, name: str) -> None:
        """Write what the node controller writes of a pod whose node is lost."""
        status = copy.deepcopy(self.pod(name)["status"])
        condition({"status": status}, "Ready")["status"] = "False"
        self._write("MODIFIED", self.pod(name) | {"status": status})

    # what tests ask

    def pod(self, name: str) -> Object:
        return self.objects["default", name]

    def container(self, name: str, container: str = NAME) -> Object:
        status = self.pod(name)["status"]
        both = status.get("initContainerStatuses", []) + status.get("containerStatuses", [])
        return next((entry for entry in both if entry["name"] == container), {})

    def statuses(self, name: str) -> list[Object]:
        return [obj["status"] for _, obj in self.history if obj["metadata"]["name"] == name]

    def reasons(self, name: str) -> list[str]:
        return [event["reason"] for event in self.events if event["pod"] == name]

    def messages(self, name: str, reason: str) -> list[str]:
        found = (row for row in self.events if (row["pod"], row["reason"]) == (name, reason))
        return [event["message"] for event in found]

    def _write(self, change: str, pod: Object) -> Object:
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        version = {"resourceVersion": str(next(self._numbers))}
        pod = pod | {"metadata": pod["metadata"] | version}
        if change == "DELETED":
            del self.objects[key]
        else:
            self.objects[key] = pod
        self.history.append((change, pod))
        self.order.append(change)
        if self.kubelet:
            (self.kubelet.pod_deleted if change == "DELETED" else self.kubelet.pod_changed)(pod)
        return pod


class Cluster:
    """A running kubelet and its API."""

    def __init__(self, root: Path, images: ImageStore, api: MemoryAPI, **options: Any) -> None:
        self.api = api
        self.root = root
        self.network = PodNetwork(root, mode=options.pop("mode", ""))
        self.kubelet = Kubelet(api, images, root, NODE, self.network, **options)
        self.logs = self.kubelet.logs

    async def __aenter__(self) -> "Cluster":
        self.api.kubelet = self.kubelet
        self._task = asyncio.create_task(self.kubelet.run())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.end()

    async def end(self) -> None:
        """End the kubelet; safe to call again."""
        self.api.kubelet = None
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            self._task.result()

    async def until(self, condition: Callable[[], object], limit: float = 30) -> float:
        """Wait for a condition; returns how many seconds it took."""
        begin = time.monotonic()
        while not condition():
            if self._task.done():
                self._task.result()
            last = self.api.history[-1][1].get("status") if self.api.history else None
            assert time.monotonic() - begin < limit, (last, self.api.events[-5:])
            await asyncio.sleep(0.01)
        return time.monotonic() - begin

    async def ready(self, name: str, limit: float = 10) -> Object:
        """Wait until a pod is ready."""
        await self.until(lambda: condition(self.api.pod(name), "Ready")["status"] == "True", limit)
        return self.api.pod(name)

    async def running(self, name: str, restarts: int = 0) -> Object:
        """Wait until the container runs, after so many restarts."""
        await self.until(
            lambda: (
                "running" in self.api.container(name).get("state", {})
                and self.api.container(name)["restartCount"] == restarts
            )
        )
        return self.api.container(name)

    async def gone(self, name: str, limit: float = 30) -> float:
        """Wait until the pod's object and its folder are gone."""
        pod = next(obj for _, obj in self.api.history if obj["metadata"]["name"] == name)
        folder = self.root / "pods" / pod["metadata"]["uid"]
        return await self.until(
            lambda: ("default", name) not in self.api.objects and not folder.exists(), limit
        )

    async def until_logged(self, name: str, text: str) -> None:
        """Wait until the container has logged something."""
        await self.running(name, self.api.container(name).get("restartCount", 0))
        await self.until(lambda: text.encode() in self.log(name))

    def log(self, name: str, container: str = "", **options: Any) -> bytes:
        """Read the log of a pod's container, by default the first."""
        pod = self.api.pod(name)
        container = container or pod["spec"]["containers"][0]["name"]
        return self.logs.read(pod, container, LogOptions(**options))

    def follow(self, name: str) -> AsyncIterator[bytes]:
        """Follow the log of a pod's first container."""
        pod = self.api.pod(name)
        return self.logs.follow(pod, pod["spec"]["containers"][0]["name"], LogOptions())

    def pid(self, name: str, container: str = NAME) -> int:
        """Read the process id as the command line does."""
        uid = self.api.pod(name)["metadata"]["uid"]
        return int((self.root / "pods" / uid / container / "pid").read_text())

    def kill(self, name: str, container: str = NAME) -> None:
        """Kill a container's first process, as the command line does."""
        os.kill(self.pid(name, container), signal.SIGKILL)

    def url(self, name: str, path: str, port: int = 5000) -> str:
        """Where to ask a pod, as the node-port proxy does."""
        pod = self.api.pod(name)
        ip, uid = pod["status"]["podIP"], pod["metadata"]["uid"]
        host, real = self.network.resolve(ip, uid, port)
        return f"http://{host}:{real}{path}"


def condition(pod: Object, kind: str) -> Object:
    """Return one of a pod's conditions."""
    found = (
        condition for condition in pod["status"].get("conditions", []) if condition["type"] == kind
    )
    return next(found, {"status": "Unknown"})


def spec(image: str, **container: Any) -> Object:
    """Return the spec of a pod with one container that listens on port 5000."""
    one = {"name": NAME, "image": image, "imagePullPolicy": "IfNotPresent"}
    one |= {"ports": [{"containerPort": 5000, "protocol": "TCP"}]}
    return {"containers": [one | container]}


def env(**values: str) -> Iterator[Object]:
    """Return `env` entries."""
    return ({"name": key, "value": value} for key, value in values.items())
