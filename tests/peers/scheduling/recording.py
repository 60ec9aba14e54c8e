"""Asks the real scheduler where pods of generated clusters go, and why some go nowhere.

python -m tests.peers.scheduling.recording FILE.json    # the answers that our tests replay
"""

from __future__ import annotations

import json
import re
import ssl
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.peers.running import real_cluster
from tests.peers.scheduling.worlds import Object, world

WORLDS = 50
SETTLE = 0.4  # seconds until the scheduler has seen a world: nothing in its API tells
PATIENCE = 20.0  # seconds for one answer on a busy machine
SCORE = re.compile(
    r'"Plugin scored node for pod" pod="([^"]+)" plugin="(\w+)" node="([^"]+)" score=(\d+)'
)


class Recorder:
    """Makes worlds on a real control plane without controllers."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._server, token = cluster["server"], config["users"][0]["user"]["token"]
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
        self._log = kubeconfig.parent / "kube-scheduler.log"
        self._seen = 0  # bytes of the log

    def record(self, seed: int) -> Object:
        """Return a world with the real scheduler's answers: `placements`, one a pod."""
        made = world(seed)
        self._make(made)
        time.sleep(SETTLE)
        answers = [self._place(pod) for pod in made["pods"]]
        self._clear(made)
        scores = self._scores()
        for pod, answer in zip(made["pods"], answers, strict=True):
            meta = pod["metadata"]
            found = scores.get(f"{meta['namespace']}/{meta['name']}")
            if found and "node" in answer:
                answer["scores"] = found
        return made | {"placements": answers}

    def _make(self, made: Object) -> None:
        for namespace in made["namespaces"]:
            name = namespace["metadata"]["name"]
            self._call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
            path = f"/api/v1/namespaces/{name}"
            labels = {"metadata": namespace["metadata"]}
            self._call("PATCH", path, labels, "application/merge-patch+json")
            self._call("POST", f"{path}/serviceaccounts", {"metadata": {"name": "default"}})
        for kind in ("services", "replicasets"):
            for one in made[kind]:
                self._call("POST", _folder(kind, "default"), one)
        for node in made["nodes"]:
            path = f"/api/v1/nodes/{node['metadata']['name']}"
            self._call("POST", "/api/v1/nodes", node)
            change = {"spec": {"taints": node["spec"].get("taints")}}
            self._call("PATCH", path, change, "application/merge-patch+json")
            ready = {"type": "Ready", "status": "True"}
            status = {"status": node["status"] | {"conditions": [ready]}}
            self._call("PATCH", f"{path}/status", status, "application/merge-patch+json")
        for pod in made["running"]:
            self._call("POST", _folder("pods", pod["metadata"]["namespace"]), pod)
            if pod["metadata"]["name"] in made["leaving"]:
                self._call("DELETE", _path(pod), {"gracePeriodSeconds": 600})

    def _place(self, pod: Object) -> Object:
        self._call("POST", _folder("pods", pod["metadata"]["namespace"]), pod)
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            there = self._call("GET", _path(pod))
            if there["spec"].get("nodeName"):
                return {"node": there["spec"]["nodeName"]}
            for condition in there["status"].get("conditions") or []:
                if condition.get("reason") == "Unschedulable":
                    self._remove(pod)
                    return {"message": condition["message"]}
            time.sleep(0.01)
        raise TimeoutError(f"no answer for {pod['metadata']['name']}")

    def _clear(self, made: Object) -> None:
        for pod in [*made["running"], *made["pods"]]:
            self._remove(pod)
        for kind in ("services", "replicasets"):
            for one in made[kind]:
                self._call("DELETE", f"{_folder(kind, 'default')}/{one['metadata']['name']}")
        for node in made["nodes"]:
            self._call("DELETE", f"/api/v1/nodes/{node['metadata']['name']}")

    def _remove(self, pod: Object) -> None:
        self._call("DELETE", _path(pod), {"gracePeriodSeconds": 0})

    def _scores(self) -> dict[str, dict[str, dict[str, int]]]:
        """Read the scores that were logged since the last call: by pod, node and plugin."""
        with self._log.open("rb") as log:
            log.seek(self._seen)
            text = log.read().decode(errors="replace")
            self._seen = log.tell()
        found: dict[str, dict[str, dict[str, int]]] = {}
        for pod, plugin, node, score in SCORE.findall(text):
            found.setdefault(pod, {}).setdefault(node, {})[plugin] = int(score)
        return found

    def _call(self, verb: str, path: str, body: object = None, kind: str = "") -> Any:
        headers = self._headers | ({"Content-Type": kind} if kind else {})
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._server + path, data, headers, method=verb)
        try:
            with self._opener.open(request, timeout=10) as response:
                return json.loads(response.read())
        except urllib.error.HTTPError as error:
            if error.code in (404, 409):  # it is gone, or there, already
                return {}
            raise RuntimeError(f"{verb} {path}: {error.read().decode()}") from error


def _folder(kind: str, namespace: str) -> str:
    group = "apis/apps/v1" if kind == "replicasets" else "api/v1"
    return f"/{group}/namespaces/{namespace}/{kind}"


def _path(pod: Object) -> str:
    return f"{_folder('pods', pod['metadata']['namespace'])}/{pod['metadata']['name']}"


def main(target: str) -> None:
    """Record all worlds into a file."""
    with (
        tempfile.TemporaryDirectory() as folder,
        real_cluster(Path(folder) / "peer", "--control-plane", "--no-controllers") as kubeconfig,
    ):
        recorder = Recorder(kubeconfig)
        worlds = [recorder.record(seed) for seed in range(WORLDS)]
    lines = ",\n".join(json.dumps(world, separators=(",", ":")) for world in worlds)
    Path(target).write_text(f'{{"version": "v1.36.2", "worlds": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main(sys.argv[1])
