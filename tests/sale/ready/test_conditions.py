"""When waiting is over: all ready, or no hope."""

from __future__ import annotations

import pytest

from flashsale.objects.models import Object
from flashsale.sale.ready.conditions import Sight, hopeless, whole
from tests.sale.api_objects import pod_object, replicaset_object


def sight(replicaset: Object, *pods: Object) -> Sight:
    """What was seen."""
    return Sight(replicaset, {pod["metadata"]["uid"]: pod for pod in pods})


READY = [pod_object(f"rs-{n}", ready=True) for n in range(3)]


def test_whole_needs_replicaset_and_pods_to_agree() -> None:
    """Two streams tell of them, and either may be late."""
    assert whole(3)(sight(replicaset_object(), *READY))
    assert not whole(3)(sight(replicaset_object(ready=2), *READY))
    assert not whole(3)(sight(replicaset_object(), *READY[:2]))
    assert not whole(4)(sight(replicaset_object(), *READY))


def test_leaving_pods_and_strangers_do_not_count() -> None:
    """A pod on its way out is not one of three, nor is one that only shares the label."""
    others = [pod_object("old", ready=True, terminating=True), pod_object("alien", owner="x")]
    assert whole(3)(sight(replicaset_object(), *READY, *others))


def test_number_that_the_controller_has_not_seen_is_not_whole() -> None:
    """Right after a change the old status still looks well."""
    fresh = replicaset_object()
    fresh["metadata"]["generation"] = 2
    assert not whole(3)(sight(fresh, *READY))


@pytest.mark.parametrize(
    ("reason", "restarts", "expected"),
    [
        ("ErrImageNeverPull", 0, True),
        ("ImagePullBackOff", 0, True),
        ("ErrImagePull", 0, False),
        ("CrashLoopBackOff", 1, False),
        ("CrashLoopBackOff", 2, True),
        ("ContainerCreating", 0, False),
    ],
)
def test_hopeless_is_what_cannot_mend_itself(reason: str, restarts: int, expected: bool) -> None:
    """A first failure may be bad luck; a missing image is not."""
    bad = pod_object("bad", state={"waiting": {"reason": reason}}, restarts=restarts)
    assert hopeless(sight(replicaset_object(), *READY[:2], bad)) is expected


def test_one_pod_that_may_still_come_is_hope() -> None:
    """As long as one unready pod is only slow, it is worth waiting."""
    bad = pod_object("bad", state={"waiting": {"reason": "ErrImageNeverPull"}})
    assert not hopeless(sight(replicaset_object(), bad, pod_object("slow")))
    assert not hopeless(sight(replicaset_object(), *READY))
