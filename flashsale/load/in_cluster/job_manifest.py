"""The objects of a crowd: an Indexed Job, and a ConfigMap that it owns.

All that is made belongs to the Job, its pods by the Job controller and the ConfigMap by its
ownerReference: deleting the Job deletes everything, and `ttlSecondsAfterFinished` deletes the Job
where nobody is left to do so.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from flashsale.load.in_cluster.signals import START, STOP
from flashsale.load.plan import LoadPlan
from flashsale.objects.models import Object

LABEL = "flashsale-load"  # with the Job's name: no selector of a sale names it
INDEX = "batch.kubernetes.io/job-completion-index"  # the Job controller's own, on each pod
CODE, SIGNALS = "/flashsale-load/code", "/flashsale-load/signals"  # folders in the container
NOBODY = 65534  # a user that every image can run as
TTL = 60  # seconds that a finished Job stays, if nobody deletes it
SLACK = 600  # seconds beyond the run's own after which a Job that nobody ends is ended
GRACE = 5  # seconds beyond the buyers' patience until a pod that was told to stop is killed
NO_LIMIT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class JobOptions:
    name: str  # of the Job and its ConfigMap
    namespace: str
    workers: int
    image: str
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()
    node_selector: Mapping[str, str] = field(default_factory=dict)


def build_config_map(options: JobOptions, plan: LoadPlan, code: bytes, job: Object) -> Object:
    """Write the ConfigMap that carries the worker and its orders; ``job`` is the stored Job."""
    orders = json.dumps(asdict(plan.orders(0, options.workers)))
    owner = {"apiVersion": "batch/v1", "kind": "Job"} | {
        key: job["metadata"][key] for key in ("name", "uid")
    }
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {**_metadata(options), "ownerReferences": [owner]},
        "data": {"plan.json": orders},
        "binaryData": {"worker.zip": b64encode(code).decode()},
    }


def build_job(options: JobOptions, plan: LoadPlan) -> Object:
    """Write the Job: as many pods as workers, each once.

    A pod that ends early is not replaced and ends no other: its purchases are booked as not sent.
    """
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": _metadata(options),
        "spec": {
            "completionMode": "Indexed",
            "completions": options.workers,
            "parallelism": options.workers,
            "backoffLimitPerIndex": 0,
            "backoffLimit": NO_LIMIT,  # where the line above is unknown (before Kubernetes 1.29)
            "podReplacementPolicy": "Failed",
            "activeDeadlineSeconds": math.ceil(plan.seconds + plan.timeout) + SLACK,
            "ttlSecondsAfterFinished": TTL,
            "template": {
                "metadata": {"labels": {LABEL: options.name}},
                "spec": _pod_spec(options, plan),
            },
        },
    }


def _metadata(options: JobOptions) -> dict[str, Any]:
    labels = {LABEL: options.name, "app.kubernetes.io/managed-by": "flashsale"}
    return {"name": options.name, "namespace": options.namespace, "labels": labels}


def _pod_spec(options: JobOptions, plan: LoadPlan) -> dict[str, Any]:
    code = {"name": "code", "configMap": {"name": options.name}}
    signals = {"name": "signals", "downwardAPI": {"items": [_file(START), _file(STOP)]}}
    return {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": math.ceil(plan.timeout) + GRACE,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        **({"nodeSelector": dict(options.node_selector)} if options.node_selector else {}),
        "imagePullSecrets": [{"name": name} for name in options.pull_secrets],
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": {LABEL: options.name}},
            }
        ],
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": NOBODY,
            "runAsGroup": NOBODY,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(options)],
        "volumes": [code, signals],
    }


def _container(options: JobOptions) -> dict[str, Any]:
    return {
        "name": "worker",
        "image": options.image,
        "imagePullPolicy": options.pull_policy,
        "command": ["python3", "-I", f"{CODE}/worker.zip", f"{CODE}/plan.json", SIGNALS],
        # One thread sends, so it can use one core and no more. It asks for little, so that many
        # fit beside a sale: where cores are short then, its own lag says so.
        "resources": {
            "requests": {"cpu": "25m", "memory": "32Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "code", "mountPath": CODE, "readOnly": True},
            {"name": "signals", "mountPath": SIGNALS, "readOnly": True},
        ],
    }


def _file(annotation: str) -> dict[str, Any]:
    """Let an annotation of the pod appear as a file."""
    path = annotation.rpartition("/")[2]
    return {"path": path, "fieldRef": {"fieldPath": f"metadata.annotations['{annotation}']"}}
