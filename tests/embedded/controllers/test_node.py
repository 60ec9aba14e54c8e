"""The node and the scheduler, when somebody else has written the node's object."""

from __future__ import annotations

from typing import Any

import pytest

from flashsale.embedded.controllers.node import Machine, node_status
from flashsale.embedded.scheduler.resources import fit
from flashsale.embedded.scheduler.snapshot import Rejection, Snapshot
from flashsale.objects.models import Object

MACHINE = Machine(2, 2**30, 2**30, "amd64", "linux", "Linux", "6", "boot", "machine")
POD: Object = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}


@pytest.mark.parametrize("conditions", [None, [{}], [{"type": "Ready", "status": "True"}]])
def test_the_node_starts_whatever_its_old_status_says(conditions: Any) -> None:
    """A condition without a time is as old as this start."""
    status = node_status(MACHINE, {"conditions": conditions}, 0.0)
    times = {condition["lastTransitionTime"] for condition in status["conditions"]}
    assert times == {"1970-01-01T00:00:00Z"}


@pytest.mark.parametrize("node", [{}, {"status": {}}, {"status": {"allocatable": {"pods": "0"}}}])
def test_no_pod_fits_on_a_node_that_has_nothing(node: Object) -> None:
    """`kubectl create` of a node without a status makes one."""
    named = {"metadata": {"name": "n"}, "spec": {}}
    assert fit(POD, Snapshot([], {}), named | node) == Rejection(("Too many pods",))


def test_the_room_for_pods_may_be_written_as_any_quantity() -> None:
    """The API server itself writes 2000 as 2k."""
    node = {"metadata": {"name": "n"}, "spec": {}, "status": {"allocatable": {"pods": "2k"}}}
    assert fit(POD, Snapshot([], {}), node) is None
