"""What `up`, `scale` and `kill-pod` say."""

from __future__ import annotations

import pytest

from flashsale.objects.models import Pod
from flashsale.sale.kill.kill_node import NodeKill
from flashsale.sale.scale import Scaling
from flashsale.ui.command_results import (
    back_off_line,
    happening_line,
    next_steps,
    node_kill_view,
    scaled_view,
)
from tests.sale.api_objects import pod_object
from tests.sale.observe.replay import replay_all
from tests.sale.observe.test_healing_cases import THREE, born, gone, grown, killed


def test_a_killed_node_is_shown_with_the_command_that_brings_it_back() -> None:
    """It stays dead until somebody types that."""
    shown = node_kill_view(NodeKill("embedded-m02", 5.0), None)
    assert shown.splitlines()[-1].split(maxsplit=3)[:3] == [
        "flashsale",
        "start-node",
        "embedded-m02",
    ]


@pytest.mark.parametrize(
    ("desired", "steps"),
    [
        (3, ["flashsale kill-pod", "flashsale scale 5: five pods instead of three"]),
        (5, ["flashsale kill-pod", "flashsale scale 7: seven pods instead of five"]),
        (1, ["flashsale kill-pod", "flashsale scale 3: three pods instead of one"]),
        (0, ["flashsale scale 3: three pods instead of none"]),
        (100, ["flashsale kill-pod", "flashsale scale 98: 98 pods instead of 100"]),
    ],
)
def test_the_next_steps_fit_the_pods_that_are_there(desired: int, steps: list[str]) -> None:
    """Nobody is sent to where they are already."""
    looking = ["flashsale open", "flashsale watch"] if desired else []
    steps_shown = [f"{command}: {why}" for command, why in next_steps(desired)]
    assert [line.partition(":")[0] for line in steps_shown[: len(looking)]] == looking
    steps_shown = steps_shown[len(looking) :]
    assert [
        line.replace(": kill a pod, and see Kubernetes replace it", "") for line in steps_shown
    ] == (steps)


def test_a_scaling_to_what_is_there_is_no_scaling() -> None:
    """Kubernetes did nothing, so nothing is said to have been done."""
    said = scaled_view("flashsale-rs", Scaling(5, 5, 0.8), waited=True)
    assert said == (
        "replicaset.apps/flashsale-rs not changed: it has 5 already; 5 pods are ready after 0.8 s"
    )


def test_a_healing_is_told_in_the_order_of_its_moments() -> None:
    """A victim without a grace period is gone long before anybody is ready in its place."""
    _, happenings = replay_all(
        [*THREE, killed(1.0, "a"), gone(1.0, "a"), born(1.02, "x"), grown(6.0, "x")]
    )
    assert list(filter(None, map(happening_line, happenings))) == [
        "a deleted",
        "a is gone after 0.00 s",
        "x replaces a, created after 0.02 s",
        "x is ready after 5.00 s",
    ]


def test_a_victim_that_goes_last_is_told_last() -> None:
    """Its goodbye may take longer than the start of another."""
    _, happenings = replay_all(
        [*THREE, killed(1.0, "a"), born(1.02, "x"), grown(6.0, "x"), gone(9.0, "a")]
    )
    assert list(filter(None, map(happening_line, happenings))) == [
        "a deleted",
        "x replaces a, created after 0.02 s",
        "x is ready after 5.00 s",
        "a is gone after 8.00 s",
    ]


@pytest.mark.parametrize(
    ("reason", "message", "line"),
    [
        (
            "CrashLoopBackOff",
            "back-off 10s restarting failed container=shop pod=a_default(uid)",
            "Kubernetes waits 10 s before it restarts a container that died before:"
            " CrashLoopBackOff",
        ),
        (
            "CrashLoopBackOff",
            "back-off 2m40s restarting failed container=shop pod=a_default(uid)",
            "Kubernetes waits 2m40s before it restarts a container that died before:"
            " CrashLoopBackOff",
        ),
        ("CrashLoopBackOff", "", ""),
        ("ContainerCreating", "back-off 10s restarting failed container=shop", ""),
    ],
)
def test_back_off_is_told_in_the_kubelets_own_numbers(reason: str, message: str, line: str) -> None:
    """Where the status does not say it, nothing is guessed."""
    waiting = {"waiting": {"reason": reason, "message": message}}
    pod = pod_object(state=waiting, last={"terminated": {"exitCode": 137}})
    assert back_off_line(Pod.from_object(pod)) == line
