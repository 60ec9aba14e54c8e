"""A node of a cluster: containerd, kubelet and kube-proxy; on the first one the control plane too.

It runs as the first process in namespaces of its own, see `namespaces`: every path below is the
node's own, and everything ends with it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.peers import images, programs
from tests.peers.control_plane import PATIENCE, PODS, ControlPlane, Ports
from tests.peers.namespaces import Link
from tests.peers.processes import PeerError, Processes

NAME = "peer"
PORTS = Ports(api=6443, etcd=2379, etcd_peers=2380, controllers=10257, scheduler=10259)
SOCKET = Path("/run/containerd/containerd.sock")
SYSTEM = Path("/proc/sys")
OWN = ("/run", "/var/lib", "/var/log")  # the node's, not the machine's
# A kubelet writes these, and they are the machine's: it writes into copies.
SETTINGS = (
    *("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops"),
    *("kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"),
)
TOOLS = ("runc", "iptables", "ip", "mount", "unshare", "setpriv", "openssl")
KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "cgroupDriver": "cgroupfs",
    "clusterDNS": ["10.96.0.10"],  # nobody answers there; without it each pod gets a warning
    "clusterDomain": "cluster.local",
    "containerRuntimeEndpoint": f"unix://{SOCKET}",
    "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
    "failCgroupV1": False,
    "failSwapOn": False,
    "oomScoreAdj": 0,
}
CONTAINERD = """\
version = 3
root = '/var/lib/containerd'
state = '/run/containerd'
[grpc]
address = '{socket}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{pause}'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
bin_dirs = ['{programs}']
conf_dir = '{folder}'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
BinaryName = '{runc}'
SystemdCgroup = false
"""


def missing_tools() -> list[str]:
    """Return what a node needs of this machine and does not find."""
    tools = [tool for tool in TOOLS if shutil.which(tool) is None]
    return tools if os.getuid() == 0 else ["root", *tools]


@dataclass(frozen=True, slots=True)
class Node:
    """The cluster, seen from inside its namespaces."""

    folder: Path  # of the cluster
    link: Link
    number: int = 0  # among the nodes of its cluster; the first has the control plane

    @property
    def name(self) -> str:
        """Its name in the cluster."""
        return f"{NAME}-{self.number}" if self.number else NAME

    @property
    def logs(self) -> Path:
        """Where its own programs write."""
        return self.folder / self.name if self.number else self.folder

    @property
    def inside(self) -> Path:
        """A file that is there once the node is ready."""
        return self.logs / "ready-inside"

    @property
    def pods(self) -> str:
        """The addresses of its pods: each node has a third byte of its own."""
        return PODS.replace(".0.0/16", f".{self.number}.0/24")

    def start(self, processes: Processes) -> None:
        """Start everything; returns when the node is Ready."""
        self._settle_in()
        self._start_containerd(processes)
        if not self.number:
            ControlPlane(self.folder, PORTS, self.link.address(2)).start(processes)
        self._start_kubelet(processes)
        self._start_proxy(processes)
        processes.until(self._is_ready, f"{self.name} is Ready", timeout=PATIENCE)

    def _settle_in(self) -> None:
        for place in OWN:  # in memory: quicker, and nothing to remove
            mount("-t", "tmpfs", "tmpfs", place)
        for setting in SETTINGS:
            own = Path("/run") / setting.replace("/", "-")
            own.write_text((SYSTEM / setting).read_text())
            mount("--bind", str(own), str(SYSTEM / setting))
        mount("--make-rshared", "/")  # a kubelet asks for it
        self.link.plug_in()
        (SYSTEM / "net/ipv4/ip_forward").write_text("1")  # of this namespace alone

    def _start_containerd(self, processes: Processes) -> None:
        network = self.logs / "network"
        network.mkdir(parents=True, exist_ok=True)
        (network / "10-bridge.conflist").write_text(json.dumps(bridge(self.pods)))
        config = self.logs / "containerd.toml"
        config.write_text(
            CONTAINERD.format(
                socket=SOCKET,
                pause=images.PAUSE,
                programs=programs.FOLDER,
                folder=network,
                runc=Path(__file__).with_name("runc"),
            )
        )
        path = f"{programs.FOLDER}{os.pathsep}{os.environ['PATH']}"  # it looks for its shim there
        processes.start(
            [programs.path("containerd"), "--config", config], env={**os.environ, "PATH": path}
        )
        if not self.number:
            images.write_pause(programs.path("pause"), self.folder / "images" / "pause.tar")
        processes.until(SOCKET.exists, "containerd listens", timeout=PATIENCE)
        for archive in (self.folder / "images").glob("*.tar"):
            load(archive)

    def _start_kubelet(self, processes: Processes) -> None:
        config = self.logs / "kubelet.json"
        config.write_text(json.dumps({**KUBELET, "cgroupRoot": f"/{self.link.name}"}))
        processes.start(
            [
                programs.path("kubelet"),
                f"--config={config}",
                f"--kubeconfig={self.folder / 'kubeconfig'}",
                f"--hostname-override={self.name}",
                f"--node-ip={self.link.address(2)}",
            ]
        )

    def _start_proxy(self, processes: Processes) -> None:
        processes.start(
            [
                programs.path("kube-proxy"),
                f"--kubeconfig={self.folder / 'kubeconfig'}",
                f"--hostname-override={self.name}",
                f"--cluster-cidr={PODS}",
                "--proxy-mode=iptables",
                "--conntrack-max-per-core=0",  # the machine's limit is not the node's to set
            ]
        )

    def _is_ready(self) -> bool:
        """Whether the node says that it is ready."""
        kubectl = programs.path("kubectl")
        query = ("get", "node", self.name, "--output=json")
        command = (kubectl, f"--kubeconfig={self.folder / 'kubeconfig'}", *query)
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode == 0 and ready(json.loads(done.stdout))


def bridge(pods: str) -> dict[str, object]:
    """Describe the network of a node's pods, for the plugins."""
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": pods}]],
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    plugin = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True}
    mapping = {"type": "portmap", "capabilities": {"portMappings": True}}
    plugins = [{**plugin, "hairpinMode": True, "ipam": ipam}, mapping]
    return {"cniVersion": "1.0.0", "name": "bridge", "plugins": plugins}


def mount(*words: str) -> None:
    """Run `mount`."""
    subprocess.run(("mount", *words), check=True)


def load(archive: Path) -> None:
    """Give containerd the images of an archive, as `docker save` writes one."""
    command = [str(programs.path("ctr")), f"--address={SOCKET}", "--namespace=k8s.io"]
    command += ["images", "import", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PeerError(f"{archive} cannot be loaded: {done.stderr.strip()}")


def ready(node: dict[str, Any]) -> bool:
    """Whether a node says that it is ready."""
    conditions = node["status"].get("conditions", [])
    return any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )
