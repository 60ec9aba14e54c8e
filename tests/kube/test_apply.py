"""What an apply writes: pure, object by object."""

from __future__ import annotations

import json

from flashsale.kube.apply import (
    LAST_APPLIED,
    allocated,
    decide_replicas,
    merged,
    new_object,
    write_last_applied,
)
from flashsale.objects.models import Object


def replicaset(replicas: int | None) -> Object:
    """A manifest's ReplicaSet."""
    spec: Object = {} if replicas is None else {"replicas": replicas}
    return {"kind": "ReplicaSet", "metadata": {"name": "rs"}, "spec": spec}


def live(replicas: int, before: int | None = None) -> Object:
    """The ReplicaSet on the server, applied with ``before`` replicas."""
    found = replicaset(replicas)
    found["metadata"] |= {"resourceVersion": "7", "uid": "u", "labels": {"theirs": "1"}}
    if before is not None:
        found["metadata"]["annotations"] = {
            LAST_APPLIED: write_last_applied(replicaset(before), "default")
        }
    return found


def test_number_asked_for_wins() -> None:
    """`--replicas` counts more than everything else, 0 included."""
    assert decide_replicas(live(5, 3), replicaset(3), 2) == 2
    assert decide_replicas(live(5, 3), replicaset(3), 0) == 0


def test_scaled_number_stays() -> None:
    """`up` after `scale 5` with the same manifest keeps five."""
    assert decide_replicas(live(5, 3), replicaset(3), None) == 5
    assert decide_replicas(live(5), replicaset(3), None) == 5


def test_changed_manifest_counts() -> None:
    """A learner who writes another number into the YAML means it."""
    assert decide_replicas(live(5, 3), replicaset(4), None) == 4
    assert decide_replicas(live(5, 3), replicaset(None), None) == 5


def test_created_object_carries_kubectls_annotation() -> None:
    """`kubectl apply` may take over without a warning."""
    made = new_object(replicaset(3), "shop", 5)
    assert made["spec"]["replicas"] == 5
    assert made["metadata"]["namespace"] == "shop"
    noted = json.loads(made["metadata"]["annotations"][LAST_APPLIED])
    assert noted == {
        "kind": "ReplicaSet",
        "metadata": {"annotations": {}, "name": "rs", "namespace": "shop"},
        "spec": {"replicas": 3},
    }


def test_replaced_object_keeps_what_others_put_on_it() -> None:
    """Labels, uid and version stay; a field that left the manifest goes."""
    there = live(3, 3)
    there["spec"]["minReadySeconds"] = 9
    made = merged(there, replicaset(3), "default", None)
    assert made["metadata"]["labels"] == {"theirs": "1"}
    assert made["metadata"]["resourceVersion"] == "7"
    assert made["spec"] == {"replicas": 3}


def test_service_keeps_its_addresses() -> None:
    """The URL must not change because somebody typed `up` again."""
    there = {
        "type": "NodePort",
        "clusterIP": "10.96.1.2",
        "ports": [{"port": 80, "protocol": "TCP", "nodePort": 30080, "targetPort": 5000}],
    }
    wanted = {"type": "NodePort", "ports": [{"port": 80, "targetPort": 8000}]}
    assert allocated(there, wanted) == {
        "type": "NodePort",
        "clusterIP": "10.96.1.2",
        "ports": [{"port": 80, "targetPort": 8000, "nodePort": 30080}],
    }


def test_node_port_in_the_manifest_counts() -> None:
    """A learner may ask for a port."""
    there = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}
    wanted = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 31000}]}
    assert allocated(there, wanted)["ports"] == [{"port": 80, "nodePort": 31000}]


def test_other_type_gets_new_ports() -> None:
    """A ClusterIP may not carry a node port."""
    there = {
        "type": "NodePort",
        "clusterIP": "10.96.1.2",
        "ports": [{"port": 80, "nodePort": 30080}],
    }
    wanted = {"ports": [{"port": 80}]}
    assert allocated(there, wanted) == {"clusterIP": "10.96.1.2", "ports": [{"port": 80}]}
