"""A whole cluster of one node: the control plane, containerd, kubelet and kube-proxy.

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

    folder: Path
    link: Link
    groups: str  # the cgroup for its pods

    def start(self, processes: Processes) -> None:
        """Start everything; returns when the node is Ready."""
        self._settle_in()
        plane = ControlPlane(self.folder, PORTS, self.link.address(2))
        self._start_containerd(processes)
        plane.start(processes)
        self._start_kubelet(processes)
        self._start_proxy(processes)
        processes.until(lambda: ready(plane), "the node is Ready", timeout=PATIENCE)

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
        network = self.folder / "network"
        network.mkdir(exist_ok=True)
        (network / "10-bridge.conflist").write_text(json.dumps(NETWORK))
        config = self.folder / "containerd.toml"
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
        images.write_pause(programs.path("pause"), self.folder / "images" / "pause.tar")
        processes.until(SOCKET.exists, "containerd listens", timeout=PATIENCE)
        for archive in (self.folder / "images").glob("*.tar"):
            load(archive)

    def _start_kubelet(self, processes: Processes) -> None:
        config = self.folder / "kubelet.json"
        config.write_text(json.dumps({**KUBELET, "cgroupRoot": self.groups}))
        processes.start(
            [
                programs.path("kubelet"),
                f"--config={config}",
                f"--kubeconfig={self.folder / 'kubeconfig'}",
                f"--hostname-override={NAME}",
                f"--node-ip={self.link.address(2)}",
            ]
        )

    def _start_proxy(self, processes: Processes) -> None:
        processes.start(
            [
                programs.path("kube-proxy"),
                f"--kubeconfig={self.folder / 'kubeconfig'}",
                f"--hostname-override={NAME}",
                f"--cluster-cidr={PODS}",
                "--proxy-mode=iptables",
                "--conntrack-max-per-core=0",  # the machine's limit is not the node's to set
            ]
        )


NETWORK = {
    "cniVersion": "1.0.0",
    "name": "bridge",
    "plugins": [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "ipMasq": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "ranges": [[{"subnet": PODS.replace("/16", "/24")}]],
                "routes": [{"dst": "0.0.0.0/0"}],
            },
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ],
}


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


def ready(plane: ControlPlane) -> bool:
    """Whether the node says that it is ready."""
    found = plane.get(f"/api/v1/nodes/{NAME}")
    conditions = json.loads(found)["status"].get("conditions", []) if found else []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
