"""From what was seen of pods to the windows in which they can cost purchases."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flashsale.drill.analysis.attribution import LAG, LINGER, NEWS, NOTICE, LossCause
from flashsale.drill.analysis.windows import find_causes
from flashsale.sale.kill.kill_method import KillMethod
from tests.drill.drill_results import drill_result, healing, life, pod_kill, scaled

KILLED = [life("a", leaving=10.03, gone=16.0), life("x", seen=10.05, ready=15.0)]
ROUTES = [(-1.0, "abc"), (10.04, "bc"), (15.1, "bcx")]
HEALED = healing("a", "x", died=10.02, ready=15.0, gone=16.0)


def window(loss_causes: tuple[LossCause, ...], pod: str) -> tuple[str, float, float]:
    """The name and the bounds of the one cause that is about a pod."""
    (only,) = [cause for cause in loss_causes if cause.pod == pod]
    return only.name, pytest.approx(only.began), pytest.approx(only.over)  # type: ignore[return-value]


def test_a_deleted_pod_is_a_cause_until_it_is_gone() -> None:
    """From the request, which is before its acceptance, to a moment after its end."""
    causes = find_causes(
        drill_result(
            pods=KILLED, routings=ROUTES, kills=[pod_kill(1, "a", 10.0)], healings=[HEALED]
        )
    )
    assert window(causes, "a") == ("kill 1", 10.0, 16.0 + LAG)


def test_a_pod_deleted_at_once_is_a_cause_while_its_process_lingers() -> None:
    """Its object is gone in no time, its process is not."""
    lives = [life("a", leaving=10.03, gone=10.03), KILLED[1]]
    causes = find_causes(
        drill_result(
            kill_method=KillMethod(grace=0),
            pods=lives,
            routings=ROUTES,
            kills=[pod_kill(1, "a", 10.0)],
            healings=[healing("a", "x", died=10.02, ready=15.0, gone=10.03)],
        )
    )
    assert window(causes, "a") == ("kill 1", 10.0, 10.02 + LINGER + LAG)


def test_a_killed_process_is_a_cause_until_that_is_noticed() -> None:
    """However long its restart takes: the pod is not ready meanwhile."""
    crash = healing("a", "a", died=10.02, ready=25.0, gone=None, cause="crashed")
    causes = find_causes(
        drill_result(
            kill_method=KillMethod(process=True),
            pods=[life("a")],
            kills=[pod_kill(1, "a", 10.0)],
            healings=[crash],
        )
    )
    assert window(causes, "a") == ("kill 1", 10.0, 10.02 + NOTICE + LAG)


def test_a_pod_that_never_went_is_a_cause_to_the_end() -> None:
    """The drill ended before the pod did."""
    causes = find_causes(
        drill_result(pods=[life("a", leaving=10.1)], kills=[pod_kill(1, "a", 10.0)])
    )
    assert window(causes, "a") == ("kill 1", 10.0, 60.0)


def test_pods_that_a_scaling_removes_are_blamed_on_it() -> None:
    """From the request on, each until it is gone."""
    lives = [life("d", leaving=40.1, gone=46.0), life("e", leaving=40.1, gone=45.0)]
    causes = find_causes(drill_result(pods=lives, scalings=[scaled(5, 3, 40.0, 0.1)]))
    assert window(causes, "d") == ("scaling from 5 to 3", 40.0, 46.0 + LAG)
    assert window(causes, "e") == ("scaling from 5 to 3", 40.0, 45.0 + LAG)


def test_what_nobody_asked_for_is_an_accident() -> None:
    """A pod that somebody else deleted, and one whose process crashed by itself."""
    crash = healing("b", "b", died=30.0, ready=33.0, gone=None, cause="crashed")
    lives = [life("a", leaving=20.0, gone=21.0), life("b")]
    causes = find_causes(drill_result(pods=lives, healings=[crash]))
    assert window(causes, "a") == ("a deletion by somebody else", 20.0 - NEWS, 21.0 + LAG)
    assert window(causes, "b") == ("a crash", 30.0 - NOTICE, 30.0 + NOTICE + LAG)
    assert {one.kind for one in causes} == {"accident"}


def test_a_pod_that_was_leaving_before_the_drill_is_a_cause_from_its_beginning() -> None:
    """Nobody knows since when: it is named so, and its window begins with the run."""
    leaver = replace(life("a", leaving=-0.08, gone=3.0), missed=frozenset({"leaving"}))
    causes = find_causes(drill_result(pods=[leaver]))
    assert window(causes, "a") == ("a deletion before the drill", 0.0, 3.0 + LAG)


def test_a_new_pod_is_a_cause_until_it_sold() -> None:
    """A loss of the kill that it came for: chosen before its server listens, it costs purchases."""
    causes = find_causes(
        drill_result(
            pods=KILLED,
            routings=ROUTES,
            kills=[pod_kill(1, "a", 10.0)],
            healings=[HEALED],
            firsts={"a": 0.1, "x": 17.5},
        )
    )
    assert window(causes, "x") == ("kill 1", 15.1 - NEWS, 17.5)


def test_a_pod_that_a_scaling_added_is_blamed_on_it() -> None:
    """Until its first sale, or for a second where it never sold."""
    causes = find_causes(
        drill_result(
            pods=[life("d", seen=5.1, ready=9.0)],
            routings=[(-1.0, "abc"), (9.1, "abcd")],
            scalings=[scaled(3, 4, 5.0, 4.0)],
        )
    )
    assert window(causes, "d") == ("scaling from 3 to 4", 9.1 - NEWS, 10.1)


def test_a_kill_of_the_only_pod_is_the_cause_until_there_is_one_again() -> None:
    """Everybody is refused meanwhile."""
    causes = find_causes(
        drill_result(
            kill_method=KillMethod(grace=0),
            pods=[life("a", leaving=10.03, gone=10.03), life("x", seen=10.05, ready=20.0)],
            routings=[(-1.0, "a"), (10.1, ""), (20.0, "x")],
            kills=[pod_kill(1, "a", 10.0)],
            healings=[healing("a", "x", died=10.02, ready=20.0, gone=10.03)],
        )
    )
    assert window(causes, "a") == ("kill 1", 10.0, 20.0 + LAG)
