"""What a ReplicaSet decides: claiming, counting, and who goes first when it scales down."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.controllers.replicaset import replicaset_plan
from flashsale.objects.models import Object, rfc3339

NOW = 1_800_000_000.0
UID = "11111111-aaaa"


def replicaset(count: int = 3, **spec: Any) -> Object:
    """A ReplicaSet that wants ``count`` pods labelled app=shop."""
    return {
        "metadata": {"name": "rs", "namespace": "default", "uid": UID, "generation": 2},
        "spec": {
            "replicas": count,
            "selector": {"matchLabels": {"app": "shop"}},
            "template": {"metadata": {"labels": {"app": "shop"}}, "spec": {"containers": []}},
            **spec,
        },
    }


def pod(
    uid: str,
    *,
    owner: str = UID,
    age: float = 100.0,
    ready: float | None = 90.0,
    phase: str = "Running",
    node: str = "embedded",
    restarts: int = 0,
    labels: dict[str, str] | None = None,
    cost: str | None = None,
    terminating: bool = False,
) -> Object:
    """A pod of that age in seconds, ready for so many seconds, or not at all."""
    meta: Object = {
        "name": f"rs-{uid}",
        "namespace": "default",
        "uid": uid,
        "labels": {"app": "shop"} if labels is None else labels,
        "creationTimestamp": rfc3339(NOW - age),
    }
    if owner:
        meta["ownerReferences"] = [{"uid": owner, "controller": True}]
    if cost is not None:
        meta["annotations"] = {replicaset_plan.COST: cost}
    if terminating:
        meta["deletionTimestamp"] = rfc3339(NOW + 30)
    condition: Object = {"type": "Ready", "status": "False" if ready is None else "True"}
    if ready is not None:
        condition["lastTransitionTime"] = rfc3339(NOW - ready)
    return {
        "metadata": meta,
        "spec": {"nodeName": node} if node else {},
        "status": {
            "phase": phase,
            "conditions": [condition],
            "containerStatuses": [{"restartCount": restarts}],
        },
    }


def victims(count: int, *pods: Object) -> list[str]:
    """Who goes when only ``count`` may stay."""
    plan = replicaset_plan.plan(replicaset(count), pods, now=NOW)
    return sorted(p["metadata"]["uid"] for p in plan.delete)


def test_missing_pods_are_created_up_to_the_burst() -> None:
    """At most five hundred in one go."""
    assert replicaset_plan.plan(replicaset(3), [pod("a")], now=NOW).create == 2
    assert replicaset_plan.plan(replicaset(10_000), [], now=NOW).create == 500


def test_terminating_and_ended_pods_do_not_count() -> None:
    """So the replacement is created while the old pod is still terminating."""
    pods = [pod("a"), pod("b", terminating=True), pod("c", phase="Failed")]
    assert replicaset_plan.plan(replicaset(3), pods, now=NOW).create == 2


def test_a_replicaset_that_is_being_deleted_plans_nothing() -> None:
    """Its pods belong to the garbage collector."""
    deleting = replicaset(3)
    deleting["metadata"]["deletionTimestamp"] = rfc3339(NOW)
    assert replicaset_plan.plan(deleting, [], now=NOW) == replicaset_plan.Plan(0, ())


@pytest.mark.parametrize(
    ("loser", "winner"),
    [
        (pod("z", node=""), pod("a", phase="Pending", ready=None)),
        (pod("z", phase="Pending", ready=None), pod("a", phase="Unknown", ready=None)),
        (pod("z", ready=None), pod("a", ready=10)),
        (pod("z", cost="-100"), pod("a")),
        (pod("z", ready=10), pod("a", ready=300)),
        (pod("a", ready=90), pod("z", ready=95)),
        (pod("z", restarts=3), pod("a", restarts=0)),
        (pod("z", age=10), pod("a", age=300)),
    ],
    ids=["unassigned", "phase", "unready", "cost", "ready log2", "uid", "restarts", "born"],
)
def test_victims_follow_the_rules_in_order(loser: Object, winner: Object) -> None:
    """Each rule of ActivePodsWithRanks, with everything before it equal."""
    assert victims(1, winner, loser) == [loser["metadata"]["uid"]]


def test_two_young_pods_go_before_three_old_ones() -> None:
    """As seen on a real cluster: ready 150 s stay, ready 5 s go."""
    old = [pod(f"a{n}", age=160, ready=150) for n in range(3)]
    young = [pod(f"z{n}", age=12, ready=5) for n in range(2)]
    assert victims(3, *old, *young) == ["z0", "z1"]


@given(st.permutations(range(6)), st.integers(0, 5))
def test_the_order_of_the_list_does_not_choose_the_victims(order: list[int], count: int) -> None:
    """Distinct pods: the same ones go, however they were listed."""
    rng = random.Random(7)
    pods = [pod(f"u{n}", age=50.0 + 90 * n, ready=rng.uniform(1, 40) * (n + 1)) for n in range(6)]
    assert victims(count, *pods) == victims(count, *(pods[n] for n in order))


def test_claiming_adopts_orphans_and_releases_the_relabelled() -> None:
    """Foreign pods stay foreign, terminating orphans are left alone."""
    mine, strange = pod("mine"), pod("other", owner="another")
    orphan, leaving = pod("orphan", owner=""), pod("leaving", owner="", terminating=True)
    relabelled = pod("relabelled", labels={"app": "debug"})
    claim = replicaset_plan.claim(replicaset(), [mine, strange, orphan, leaving, relabelled])
    assert [p["metadata"]["uid"] for p in claim.owned] == ["mine"]
    assert [p["metadata"]["uid"] for p in claim.adopt] == ["orphan"]
    assert [p["metadata"]["uid"] for p in claim.release] == ["relabelled"]


def test_status_counts_as_a_real_controller_does() -> None:
    """Zero counts are left out, but replicas and terminatingReplicas always stand."""
    pods = [pod("a"), pod("b", ready=None), pod("c", terminating=True)]
    assert replicaset_plan.calculate_status(replicaset(), pods, now=NOW, failure=None) == {
        "replicas": 2,
        "fullyLabeledReplicas": 2,
        "readyReplicas": 1,
        "availableReplicas": 1,
        "terminatingReplicas": 1,
        "observedGeneration": 2,
    }
    assert replicaset_plan.calculate_status(replicaset(0), [], now=NOW, failure=None) == {
        "replicas": 0,
        "terminatingReplicas": 0,
        "observedGeneration": 2,
    }


def test_ready_pods_become_available_after_min_ready_seconds() -> None:
    """The controller is told when to look again."""
    patient, pods = replicaset(minReadySeconds=10), [pod("a", ready=4)]
    assert "availableReplicas" not in replicaset_plan.calculate_status(
        patient, pods, now=NOW, failure=None
    )
    assert replicaset_plan.next_available(patient, pods, now=NOW) == NOW + 6
    later = replicaset_plan.calculate_status(patient, pods, now=NOW + 6, failure=None)
    assert later["availableReplicas"] == 1
