"""The Job asks for what it needs and no more, and no sale takes its pods for its own."""

from __future__ import annotations

import io
import zipfile
from base64 import b64decode

from flashsale.load.in_cluster.bundle import pack_worker
from flashsale.load.in_cluster.job_manifest import JobOptions, build_config_map, build_job
from flashsale.load.plan import LoadPlan
from flashsale.load.worker.orders import LoadTarget

PLAN = LoadPlan(LoadTarget("10.0.0.1", 80, "shop"), rate=50_000, seconds=30, timeout=5)
OPTIONS = JobOptions("flashsale-load-abcde", "shop", 20, "flashsale:1.0")
JOB = build_job(OPTIONS, PLAN)
POD = JOB["spec"]["template"]["spec"]


def test_the_archive_is_the_same_whenever_it_is_packed() -> None:
    """Nothing of this machine, its clock or its caches is in it, and a ConfigMap may hold it."""
    packed = pack_worker()
    assert packed == pack_worker()
    names = zipfile.ZipFile(io.BytesIO(packed)).namelist()
    assert "flashsale/load/worker/in_pod/__main__.py" in names
    assert all(name.endswith(".py") for name in names)
    assert len(packed) < 500_000  # of the 1 MiB that a ConfigMap may have


def test_one_object_owns_everything() -> None:
    """Who deletes the Job deletes all, and the cluster deletes the Job where nobody does."""
    stored = {"metadata": {"name": OPTIONS.name, "uid": "u-1"}}
    config_map = build_config_map(OPTIONS, PLAN, pack_worker(), stored)
    assert config_map["metadata"]["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": OPTIONS.name, "uid": "u-1"}
    ]
    assert b64decode(config_map["binaryData"]["worker.zip"]) == pack_worker()
    assert JOB["spec"]["ttlSecondsAfterFinished"] > 0
    assert JOB["spec"]["activeDeadlineSeconds"] > PLAN.seconds


def test_a_worker_that_fails_is_neither_replaced_nor_the_end_of_the_others() -> None:
    """Its purchases are booked as not sent; everybody else goes on."""
    assert JOB["spec"]["completions"] == JOB["spec"]["parallelism"] == 20
    assert JOB["spec"]["backoffLimitPerIndex"] == 0
    assert POD["restartPolicy"] == "Never"


def test_no_label_of_a_sale_is_on_a_worker() -> None:
    """A Service that selected the workers would send purchases to them."""
    assert JOB["spec"]["template"]["metadata"]["labels"] == {"flashsale-load": OPTIONS.name}


def test_a_worker_needs_no_root_and_gets_no_credentials() -> None:
    """As the restricted Pod Security Standard asks."""
    container = POD["containers"][0]
    assert POD["automountServiceAccountToken"] is False
    assert POD["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_workers_spread_over_nodes_and_keep_to_those_that_were_named() -> None:
    """One on each node before two on one, and none where the selector does not fit."""
    (spread,) = POD["topologySpreadConstraints"]
    assert (spread["maxSkew"], spread["topologyKey"]) == (1, "kubernetes.io/hostname")
    assert "nodeSelector" not in POD
    chosen = JobOptions("x", "shop", 1, "i", node_selector={"disk": "ssd"})
    assert build_job(chosen, PLAN)["spec"]["template"]["spec"]["nodeSelector"] == {"disk": "ssd"}
