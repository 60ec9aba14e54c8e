"""When waiting is over: all ready, or no hope."""

from __future__ import annotations

import pytest

from flashsale.sale.observe.state import SaleState
from flashsale.sale.ready.conditions import all_ready, rescaled, stuck
from tests.sale.api_objects import known, pod_object, replicaset_object

READY = [pod_object(f"rs-{n}", ready=True) for n in range(3)]


def test_whole_needs_replicaset_and_pods_to_agree() -> None:
    """Two streams tell of them, and either may be late."""
    assert all_ready(3)(known(replicaset_object(), *READY))
    assert not all_ready(3)(known(replicaset_object(ready=2), *READY))
    assert not all_ready(3)(known(replicaset_object(), *READY[:2]))
    assert not all_ready(4)(known(replicaset_object(), *READY))


def test_leaving_pods_and_strangers_do_not_count() -> None:
    """A pod on its way out is not one of three, nor is one that only shares the label."""
    others = [pod_object("old", ready=True, terminating=True), pod_object("alien", owner="x")]
    assert all_ready(3)(known(replicaset_object(), *READY, *others))


def test_number_that_the_controller_has_not_seen_is_not_all_ready() -> None:
    """Right after a change the old status still looks well."""
    fresh = replicaset_object()
    fresh["metadata"]["generation"] = 2
    assert not all_ready(3)(known(fresh, *READY))


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
    assert hopeless(known(replicaset_object(), *READY[:2], bad)) is expected


def test_one_pod_that_may_still_come_is_hope() -> None:
    """As long as one unready pod is only slow, it is worth waiting."""
    bad = pod_object("bad", state={"waiting": {"reason": "ErrImageNeverPull"}})
    assert not hopeless(known(replicaset_object(), bad, pod_object("slow")))
    assert not hopeless(known(replicaset_object(), *READY))


def hopeless(state: SaleState) -> bool:
    """Whether waiting for these pods makes no sense."""
    return stuck(state.alive)


def test_another_number_is_told_as_soon_as_it_is_wanted() -> None:
    """Whoever waits for three pods need not wait until the time is up."""
    assert rescaled(known(replicaset_object(replicas=5)), 3) == 5
    assert rescaled(known(replicaset_object()), 3) is None
    assert rescaled(SaleState(), 3) is None
