"""What a PodDisruptionBudget allows."""

from __future__ import annotations

from typing import Any

import pytest

from flashsale.embedded.controllers.disruption import budget_status


def pods(ready: int, total: int) -> list[Any]:
    return [
        {
            "metadata": {"name": f"p{number}"},
            "status": {
                "conditions": [{"type": "Ready", "status": "True" if number < ready else "False"}]
            },
        }
        for number in range(total)
    ]


def status(spec: Any, ready: int, total: int, replicas: int, **old: Any) -> Any:
    budget = {"metadata": {"name": "b", "generation": 1}, "spec": spec, "status": old}
    return budget_status(budget, pods(ready, total), replicas, 1_000.0)


@pytest.mark.parametrize(
    ("spec", "ready", "total", "replicas", "allowed", "needed"),
    [
        ({"minAvailable": 2}, 3, 3, 3, 1, 2),
        ({"minAvailable": 3}, 3, 3, 3, 0, 3),
        ({"minAvailable": "50%"}, 3, 3, 3, 1, 2),
        ({"maxUnavailable": 1}, 3, 3, 3, 1, 2),
        ({"maxUnavailable": "34%"}, 3, 3, 3, 2, 1),
        ({"maxUnavailable": 1}, 2, 3, 3, 0, 2),
        ({"maxUnavailable": 5}, 3, 3, 3, 3, 0),
        ({"minAvailable": 0}, 0, 0, 0, 0, 0),
    ],
)
def test_what_a_budget_allows(
    spec: Any, ready: int, total: int, replicas: int, allowed: int, needed: int
) -> None:
    """Shares are rounded up, and are shares of what the ReplicaSet wants."""
    found = status(spec, ready, total, replicas)
    assert (found["disruptionsAllowed"], found["desiredHealthy"]) == (allowed, needed)
    word = "SufficientPods" if allowed else "InsufficientPods"
    assert found["conditions"][0]["reason"] == word


def test_an_evicted_pod_counts_no_more_until_it_goes() -> None:
    """For two minutes, in which its deletion must have come."""
    evicted = {"p0": "1970-01-01T00:16:00Z"}  # 40 s before
    assert status({"minAvailable": 2}, 3, 3, 3, disruptedPods=evicted)["disruptionsAllowed"] == 0
    evicted = {"p0": "1970-01-01T00:14:00Z"}  # 160 s before
    found = status({"minAvailable": 2}, 3, 3, 3, disruptedPods=evicted)
    assert (found["disruptionsAllowed"], "disruptedPods" in found) == (1, False)
