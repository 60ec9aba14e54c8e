"""The exercise's objects, with a server in the pods that fails on command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.conformance.api import Object

SCRIPT = Path(__file__).with_name("toggle_app.py").read_text()
NAME, SERVICE, CONTAINER, APP = "flashsale-rs", "flashsale-svc", "flashsale-container", "flashsale"
QUICK = {"httpGet": {"path": "/health", "port": 5000}, "periodSeconds": 1}
NOWHERE: Object = {"resources": {"requests": {"cpu": "9k"}}}  # a container that fits on no node


class Maker:
    """Makes objects for one image."""

    def __init__(self, image: str) -> None:
        self.image = image

    def pod_spec(self, env: dict[str, Any] | None = None, grace: int = 30, **more: Any) -> Object:
        """Describe a pod that runs the toggle app, ready as soon as it answers.

        Args:
            env: the script of the app, see `toggle_app.py`.
            grace: seconds.
            more: fields of the container; None takes one away.
        """
        container = {
            "name": CONTAINER,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python", "-u", "-c", SCRIPT],
            "ports": [{"containerPort": 5000}],
            "env": [{"name": name, "value": str(value)} for name, value in (env or {}).items()]
            or None,  # a server drops an empty list, and every apply would put it back
            "readinessProbe": QUICK,
            **more,
        }
        container = {key: value for key, value in container.items() if value is not None}
        return {"terminationGracePeriodSeconds": grace, "containers": [container]}

    def pod(self, name: str, *, app: str = "bare", **spec: Any) -> Object:
        """Describe a pod without an owner; arguments as for :meth:`pod_spec`."""
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": app}},
            "spec": self.pod_spec(**spec),
        }

    def replicaset(
        self, name: str = NAME, *, replicas: int = 3, app: str = APP, **spec: Any
    ) -> Object:
        """Describe a ReplicaSet; other arguments as for :meth:`pod_spec`."""
        template = {"metadata": {"labels": {"app": app}}, "spec": self.pod_spec(**spec)}
        return {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": name, "labels": {"app": app}},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": app}},
                "template": template,
            },
        }

    def as_taught(self, replicas: int) -> Object:
        """Describe the exercise's ReplicaSet: the image's own command, requests and limits."""
        resources = {
            "requests": {"cpu": "10m", "memory": "32Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        }
        return self.replicaset(replicas=replicas, command=None, env=None, resources=resources)


def service(
    name: str = SERVICE, *, app: str = APP, node_port: int | None = None, kind: str = "NodePort"
) -> Object:
    """Describe the exercise's Service."""
    port = {"name": "http", "port": 80, "targetPort": 5000}
    if node_port is not None:
        port["nodePort"] = node_port
    spec = {"type": kind, "selector": {"app": app}, "ports": [port]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}


def template(change: Object) -> Object:
    """Wrap a change of the only container's fields into a strategic patch of a ReplicaSet."""
    containers = [{"name": CONTAINER, **change}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def write(path: Path, *things: Object) -> Path:
    """Write objects as the documents of one YAML file."""
    path.write_text(yaml.safe_dump_all(things, sort_keys=False))
    return path
