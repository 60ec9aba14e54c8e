"""What a node has, and its heartbeat (pkg/kubelet/nodestatus, pkg/kubelet/nodelease)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import shutil
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from flashsale.embedded.apiserver.discovery import ARCHITECTURES, GIT_VERSION
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.stored_node_timing import read_node_timing
from flashsale.embedded.controllers.event_recorder import EventRecorder, expire, micro_time
from flashsale.embedded.controllers.workqueue import errors_logged
from flashsale.embedded.types.node_names import NAME
from flashsale.embedded.types.resources import LEASES, NAMESPACES, NODES
from flashsale.objects.models import Object, find_condition, rfc3339

RUNTIME = f"process://{version('gunicorn')}"
ADDRESS = "127.0.0.1"
MAX_PODS = 1100
STATUS_SECONDS = 300.0
LEASE_NAMESPACE = "kube-node-lease"
CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "is posting ready status"),
)
ANNOTATIONS = {  # of every node: from its lifecycle's controller, and from its kubelet
    "node.alpha.kubernetes.io/ttl": "0",
    "volumes.kubernetes.io/controller-managed-attach-detach": "true",
}
KIND_STATUS = tuple((kind, status) for kind, status, _, _ in CONDITIONS)


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """A node's name, and where it is in the network."""

    name: str = NAME
    address: str = ADDRESS
    pod_cidr: str = ""

    @property
    def controls(self) -> bool:
        """Whether it is the control plane's node."""
        return self.name == NAME


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine under the nodes has."""

    cpus: int
    memory: int  # bytes
    disk: int  # bytes
    architecture: str  # in Go's words
    system: str
    os_image: str
    kernel: str
    boot_id: str
    machine_id: str

    @classmethod
    def read(cls, root: Path) -> Machine:
        """Look at this machine; ``root`` is on the disk that pods write to."""
        release = _os_release()
        return cls(
            cpus=os.cpu_count() or 1,
            memory=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
            disk=shutil.disk_usage(root).total,
            architecture=ARCHITECTURES.get(platform.machine(), platform.machine()),
            system=platform.system().lower(),
            os_image=release or f"{platform.system()} {platform.release()}",
            kernel=platform.release(),
            boot_id=_read("/proc/sys/kernel/random/boot_id") or str(uuid.uuid4()),
            machine_id=_read("/etc/machine-id") or uuid.uuid4().hex,
        )


def node_status(
    machine: Machine,
    previous: Object | None,
    now: float,
    *,
    node: NodeIdentity = NodeIdentity(),  # frozen
    share: int = 1,
    images: Sequence[Object] = (),
) -> Object:
    """Compute a node's status; conditions keep their transition times.

    Args:
        share: among how many nodes the machine is split.
        images: as `status.images` lists them.
    """
    cpus = machine.cpus * 1000 // share
    resources = {
        "cpu": f"{cpus}m" if cpus % 1000 else str(cpus // 1000),
        "ephemeral-storage": f"{machine.disk // 1024 // share}Ki",
        "memory": f"{machine.memory // 1024 // share}Ki",
        "pods": str(MAX_PODS),
    }
    since = {
        condition.get("type"): condition.get("lastTransitionTime")
        for condition in (previous or {}).get("conditions") or []
        if condition.get("status") == dict(KIND_STATUS).get(condition.get("type"))
    }
    return {
        "capacity": resources,
        "allocatable": resources,
        "conditions": [
            {
                "type": kind,
                "status": status,
                "lastHeartbeatTime": rfc3339(now),
                "lastTransitionTime": since.get(kind) or rfc3339(now),
                "reason": reason,
                "message": f"kubelet {message}",
            }
            for kind, status, reason, message in CONDITIONS
        ],
        "addresses": [
            {"type": "InternalIP", "address": node.address},
            {"type": "Hostname", "address": node.name},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "machineID": machine.machine_id,
            "systemUUID": machine.machine_id,
            "bootID": machine.boot_id,
            "kernelVersion": machine.kernel,
            "osImage": machine.os_image,
            "containerRuntimeVersion": RUNTIME,
            "kubeletVersion": GIT_VERSION,
            "kubeProxyVersion": GIT_VERSION,
            "operatingSystem": machine.system,
            "architecture": machine.architecture,
        },
        **({"images": list(images)} if images else {}),
    }


class NodeHeartbeat:
    """Registers a node and renews its lease; the first node's also clears old events."""

    def __init__(
        self,
        registry: Registry,
        machine: Machine,
        node: NodeIdentity,
        share: int = 1,
        images: Callable[[], list[Object]] = list,
    ) -> None:
        """Args: images lists what the node has, as `status.images` does."""
        self._registry = registry
        self._machine = machine
        self._node = node
        self._share = share
        self._images = images
        self._wake = asyncio.Event()
        self._events = EventRecorder(registry, "kubelet", node.name)

    def register(self) -> None:
        """Create or refresh the node object."""
        name = self._node.name
        old = self._registry.store.get(NODES, "", name)
        if old is None:
            old = self._registry.create(NODES, "", self._body({}, {}))
        else:
            spec = old.get("spec") or {}
            body = self._body(old["metadata"], spec)
            old = self._registry.update(NODES, "", name, body)
        self._registry.set_status(NODES, old, self._status(old))
        node = self._registry.get(NODES, "", name)
        self._events.record(NODES, node, "Normal", "Starting", "Starting kubelet.")
        message = f"Node {name} status is now: NodeReady"
        self._events.record(NODES, node, "Normal", "NodeReady", message)

    def split(self, share: int) -> None:
        """Note among how many nodes the machine is split now."""
        if share != self._share:
            self._share = share
            with errors_logged("share of the machine"):
                self._refresh()

    def renew_soon(self) -> None:
        """Renew at once: the times may have become shorter."""
        self._wake.set()

    async def run(self) -> None:
        """Renew the lease until cancelled; the status every few minutes, or if it is not true.

        A node that was marked as lost says at the next beat that it is there, and one with a new
        image names it (a kubelet computes its status every 10 s, and writes it where it differs).
        """
        last_status = self._registry.clock()
        while True:
            self._wake.clear()
            now = self._registry.clock()
            with errors_logged("heartbeat"):
                self.renew()
                due = now - last_status >= STATUS_SECONDS
                if due or self._is_doubted():
                    self._refresh()
                if due and self._node.controls:
                    expire(self._registry)
                last_status = now if due else last_status
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(read_node_timing(self._registry.store).renew):
                    await self._wake.wait()

    def _is_doubted(self) -> bool:
        """Whether the object says otherwise than this kubelet, which is here to say it."""
        node = self._registry.get(NODES, "", self._node.name)
        if (node.get("status") or {}).get("images", []) != self._images():
            return True
        return any(find_condition(node, kind).get("status") != is_ for kind, is_ in KIND_STATUS)

    def _refresh(self) -> None:
        node = self._registry.get(NODES, "", self._node.name)
        self._registry.set_status(NODES, node, self._status(node))

    def _status(self, node: Object) -> Object:
        now, previous = self._registry.clock(), node.get("status")
        return node_status(
            self._machine, previous, now, node=self._node, share=self._share, images=self._images()
        )

    def renew(self) -> None:
        """Write the lease anew, as the sign of life that it is."""
        namespace, name = LEASE_NAMESPACE, self._node.name
        spec = {
            "holderIdentity": name,
            "leaseDurationSeconds": int(read_node_timing(self._registry.store).lease),
            "renewTime": micro_time(self._registry.clock()),
        }
        old = self._registry.store.get(LEASES, namespace, name)
        if old is not None:
            self._registry.update(LEASES, namespace, name, old | {"spec": spec})
        elif self._registry.store.get(NAMESPACES, "", namespace):
            meta: Object = {"name": name}
            if node := self._registry.store.get(NODES, "", name):
                owner = {"apiVersion": "v1", "kind": "Node", "name": name}
                meta["ownerReferences"] = [owner | {"uid": node["metadata"]["uid"]}]
            self._registry.create(LEASES, namespace, {"metadata": meta, "spec": spec})

    def _body(self, meta: Object, spec: Object) -> Object:
        system, architecture = self._machine.system, self._machine.architecture
        labels = {
            "beta.kubernetes.io/arch": architecture,
            "beta.kubernetes.io/os": system,
            "kubernetes.io/arch": architecture,
            "kubernetes.io/hostname": self._node.name,
            "kubernetes.io/os": system,
        }
        if self._node.controls:
            labels["node-role.kubernetes.io/control-plane"] = ""
            labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
        cidr, given_labels = self._node.pod_cidr, meta.get("labels") or {}
        given = {"podCIDR": cidr, "podCIDRs": [cidr]} if cidr else {}
        return {
            "metadata": meta
            | {
                "name": self._node.name,
                "labels": labels | given_labels,
                "annotations": ANNOTATIONS | (meta.get("annotations") or {}),
            },
            "spec": given | spec,
        }


def _read(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return ""


def _os_release() -> str:
    for line in _read("/etc/os-release").splitlines():
        if line.startswith("PRETTY_NAME="):
            return line.partition("=")[2].strip('"')
    return ""
