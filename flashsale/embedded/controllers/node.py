"""The one node: what it has, and its heartbeat (pkg/kubelet/nodestatus, pkg/kubelet/nodelease)."""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import shutil
import uuid
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from flashsale.embedded.apiserver.discovery import ARCHITECTURES, GIT_VERSION
from flashsale.embedded.apiserver.registry import Registry
from flashsale.embedded.controllers.event_recorder import EventRecorder, expire, micro_time
from flashsale.embedded.storage.store import StoreError
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import LEASES, NAMESPACES, NODES
from flashsale.objects.models import Object, rfc3339

NAME = "embedded"
ADDRESS = "127.0.0.1"
MAX_PODS = 1100
LEASE_SECONDS, RENEW_SECONDS, STATUS_SECONDS = 40, 10.0, 300.0
CONDITIONS = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "is posting ready status"),
)


log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine under the node has."""

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


def node_status(machine: Machine, previous: Object | None, now: float) -> Object:
    """Compute the node's status; conditions keep their transition times."""
    resources = {
        "cpu": str(machine.cpus),
        "ephemeral-storage": f"{machine.disk // 1024}Ki",
        "memory": f"{machine.memory // 1024}Ki",
        "pods": str(MAX_PODS),
    }
    since = {
        condition.get("type"): condition.get("lastTransitionTime")
        for condition in (previous or {}).get("conditions") or []
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
            {"type": "InternalIP", "address": ADDRESS},
            {"type": "Hostname", "address": NAME},
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": {
            "machineID": machine.machine_id,
            "systemUUID": machine.machine_id,
            "bootID": machine.boot_id,
            "kernelVersion": machine.kernel,
            "osImage": machine.os_image,
            "containerRuntimeVersion": f"process://{version('gunicorn')}",
            "kubeletVersion": GIT_VERSION,
            "kubeProxyVersion": GIT_VERSION,
            "operatingSystem": machine.system,
            "architecture": machine.architecture,
        },
    }


class NodeController:
    """Registers the node, keeps its heartbeat, and clears old events while it is awake."""

    def __init__(self, registry: Registry, machine: Machine) -> None:
        self._registry = registry
        self._machine = machine
        self._events = EventRecorder(registry, "kubelet", NAME, registry.clock)

    def register(self) -> None:
        """Create or refresh the node object."""
        now = self._registry.clock()
        old = self._registry.store.get(NODES, "", NAME)
        status = node_status(self._machine, (old or {}).get("status"), now)
        if old is None:
            node = self._registry.create(NODES, "", self._body())
            self._registry.set_status(NODES, node, status)
        else:
            self._registry.set_status(NODES, old, status)
        node = self._registry.get(NODES, "", NAME)
        self._events.record(NODES, node, "Normal", "Starting", "Starting kubelet.")
        message = f"Node {NAME} status is now: NodeReady"
        self._events.record(NODES, node, "Normal", "NodeReady", message)

    async def run(self) -> None:
        """Renew the lease until cancelled; the status every few minutes."""
        last_status = self._registry.clock()
        while True:
            now = self._registry.clock()
            try:
                self._renew(now)
                if now - last_status >= STATUS_SECONDS:
                    self._refresh(now)
                    last_status = now
            except (StatusError, StoreError) as error:  # a full disk: the next beat may succeed
                log.warning("heartbeat: %s", error)
            except Exception:  # a mistake of ours: it must not end the cluster
                log.exception("heartbeat")
            await asyncio.sleep(RENEW_SECONDS)

    def _refresh(self, now: float) -> None:
        node = self._registry.get(NODES, "", NAME)
        status = node_status(self._machine, node.get("status"), now)
        self._registry.set_status(NODES, node, status)
        expire(self._registry)

    def _renew(self, now: float) -> None:
        namespace = "kube-node-lease"
        spec = {
            "holderIdentity": NAME,
            "leaseDurationSeconds": LEASE_SECONDS,
            "renewTime": micro_time(now),
        }
        old = self._registry.store.get(LEASES, namespace, NAME)
        if old is not None:
            self._registry.update(LEASES, namespace, NAME, old | {"spec": spec})
        elif self._registry.store.get(NAMESPACES, "", namespace):
            self._registry.create(LEASES, namespace, {"metadata": {"name": NAME}, "spec": spec})

    def _body(self) -> Object:
        system, architecture = self._machine.system, self._machine.architecture
        return {
            "metadata": {
                "name": NAME,
                "labels": {
                    "beta.kubernetes.io/arch": architecture,
                    "beta.kubernetes.io/os": system,
                    "kubernetes.io/arch": architecture,
                    "kubernetes.io/hostname": NAME,
                    "kubernetes.io/os": system,
                    "node-role.kubernetes.io/control-plane": "",
                },
            },
            "spec": {},
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
