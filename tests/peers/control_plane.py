"""The control plane of a real cluster: etcd, API server, controller manager, scheduler.

It needs neither root nor a node: the API, the controllers and the garbage collector work, pods stay
Pending. That is enough for most of what a client can see.
"""

from __future__ import annotations

import json
import secrets
import ssl
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from tests.peers import programs
from tests.peers.processes import Processes

CONTEXT = "flashsale-peers"
SERVICES = "10.96.0.0/12"  # as kubeadm and minikube have it
PODS = "10.244.0.0/16"
PATIENCE = 60.0  # seconds for the API server to become ready on a busy machine


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen."""

    api: int
    etcd: int
    etcd_peers: int
    controllers: int
    scheduler: int


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """One control plane with its files in a folder and its ports on one address."""

    folder: Path
    ports: Ports
    address: str = "127.0.0.1"
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    controllers: bool = True  # without them nothing but a client and the scheduler changes objects
    node_seconds: int = 0  # until a silent node is not ready, and until its pods leave; 0: usual

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of the administrator."""
        return self.folder / "kubeconfig"

    @property
    def certificate(self) -> Path:
        """The API server's own certificate, which vouches for itself."""
        return self.folder / "certs" / "apiserver.crt"

    @property
    def url(self) -> str:
        """The address of the API."""
        return f"https://{self.address}:{self.ports.api}"

    def start(self, processes: Processes) -> None:
        """Start the four programs; returns when the API is ready and a namespace is usable."""
        self._write_credentials()
        processes.start(self._etcd())
        processes.start(self._api_server())
        processes.until(self._ready, "the API server is ready", timeout=PATIENCE)
        self._write_kubeconfig()
        processes.start(self._scheduler())
        if self.controllers:
            processes.start(self._controller_manager())
            processes.until(self._furnished, "the controllers work", timeout=PATIENCE)

    def get(self, path: str) -> bytes | None:
        """Fetch a path as the administrator; None for anything but an answer of 200."""
        request = urllib.request.Request(
            self.url + path, headers={"Authorization": f"Bearer {self.token}"}
        )
        try:
            context = ssl.create_default_context(cafile=str(self.certificate))
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
            )
            with opener.open(request, timeout=5) as response:
                return bytes(response.read())
        except (OSError, ssl.SSLError):  # not there yet, or not ready: URLError is an OSError
            return None

    def _ready(self) -> bool:
        return self.get("/readyz") is not None

    def _furnished(self) -> bool:
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        return self.get(account) is not None

    def _write_credentials(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        key = self.folder / "service-accounts.key"
        subprocess.run(
            ["openssl", "ecparam", "-genkey", "-noout", "-name", "prime256v1", "-out", str(key)],
            check=True,
            capture_output=True,
        )
        tokens = self.folder / "tokens.csv"
        tokens.touch(0o600)
        tokens.write_text(f'{self.token},administrator,administrator,"system:masters"\n')

    def _write_kubeconfig(self) -> None:
        cluster = {"server": self.url, "certificate-authority": str(self.certificate)}
        context = {"cluster": CONTEXT, "user": CONTEXT}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": CONTEXT, "cluster": cluster}],
            "users": [{"name": CONTEXT, "user": {"token": self.token}}],
            "contexts": [{"name": CONTEXT, "context": context}],
            "current-context": CONTEXT,
        }
        self.kubeconfig.touch(0o600)
        self.kubeconfig.write_text(json.dumps(config, indent=1))  # JSON is YAML, too

    def _etcd(self) -> list[str | Path]:
        client = f"http://127.0.0.1:{self.ports.etcd}"
        peers = f"http://127.0.0.1:{self.ports.etcd_peers}"
        return [
            programs.path("etcd"),
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peers}",
            f"--initial-advertise-peer-urls={peers}",
            f"--initial-cluster=default={peers}",
            "--unsafe-no-fsync",  # the data need not outlive the machine
            "--log-level=warn",
        ]

    def _api_server(self) -> list[str | Path]:
        key = self.folder / "service-accounts.key"
        return [
            programs.path("kube-apiserver"),
            f"--etcd-servers=http://127.0.0.1:{self.ports.etcd}",
            f"--bind-address={self.address}",
            f"--advertise-address={self.address}",
            f"--secure-port={self.ports.api}",
            *self._endpoints(),
            f"--cert-dir={self.certificate.parent}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--service-cluster-ip-range={SERVICES}",
            "--authorization-mode=RBAC",
            "--allow-privileged=true",  # as kubeadm and minikube have it
            "--kubelet-preferred-address-types=InternalIP",
            *(f"--default-{taint}-toleration-seconds={self.node_seconds}"
              for taint in ("not-ready", "unreachable") if self.node_seconds),
        ]  # fmt: skip

    def _endpoints(self) -> list[str]:
        # The Service `kubernetes` may not lead to a loopback address, and only pods would use it.
        loopback = self.address.startswith("127.")
        return ["--endpoint-reconciler-type=none"] if loopback else []

    def _controller_manager(self) -> list[str | Path]:
        return [
            programs.path("kube-controller-manager"),
            f"--kubeconfig={self.kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports.controllers}",
            f"--root-ca-file={self.certificate}",  # for the ConfigMap kube-root-ca.crt
            f"--service-account-private-key-file={self.folder / 'service-accounts.key'}",
            "--allocate-node-cidrs",
            f"--cluster-cidr={PODS}",
            "--leader-elect=false",
            *self._node_times(),
        ]

    def _node_times(self) -> list[str]:
        if not self.node_seconds:
            return []
        return [
            f"--node-monitor-grace-period={self.node_seconds}s",
            f"--node-monitor-period={100 * self.node_seconds}ms",
        ]

    def _scheduler(self) -> list[str | Path]:
        return [
            programs.path("kube-scheduler"),
            f"--kubeconfig={self.kubeconfig}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.ports.scheduler}",
            "--leader-elect=false",
            *(["--v=10"] if not self.controllers else []),  # it then logs every score
        ]
