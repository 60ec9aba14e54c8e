"""Which pods die: never one that is not the sale's."""

from __future__ import annotations

from random import Random

import pytest

from flashsale.base.errors import BadInputError, FlashsaleError, NotReadyError, RefusedError
from flashsale.sale.kill.victims import choose_victims
from tests.sale.api_objects import RS_UID, pod_view

PODS = [
    pod_view("rs-aaaaa"),
    pod_view("rs-bbbbb", ready=False),
    pod_view("rs-ccccc"),
    pod_view("rs-ddddd", terminating=True),
    pod_view("stranger", owner="another"),
    pod_view("orphan", owner=""),
]


@pytest.mark.parametrize("seed", range(20))
def test_random_victim_is_ready_and_ours(seed: int) -> None:
    """Whatever the dice say, it is a ready pod of our ReplicaSet."""
    (found,) = choose_victims(PODS, RS_UID, rng=Random(seed))
    assert found.name in ("rs-aaaaa", "rs-ccccc")


def test_same_seed_same_victims() -> None:
    """A run can be repeated, in whatever order the server lists pods."""
    first = choose_victims(PODS, RS_UID, rng=Random(7))
    assert first == choose_victims(PODS[::-1], RS_UID, rng=Random(7))


def test_all_means_ours_that_are_not_leaving() -> None:
    """Unready ones too; others' pods and pods on their way out are left alone."""
    victims = choose_victims(PODS, RS_UID, everyone=True, rng=Random(0))
    assert [pod.name for pod in victims] == ["rs-aaaaa", "rs-bbbbb", "rs-ccccc"]


def test_count_takes_different_pods() -> None:
    """Two kills are two pods."""
    victims = choose_victims(PODS, RS_UID, count=2, rng=Random(0))
    assert {pod.name for pod in victims} == {"rs-aaaaa", "rs-ccccc"}


def test_the_end_of_a_name_is_enough() -> None:
    """What `watch` and the tables show of it."""
    (found,) = choose_victims(PODS, RS_UID, name="ccccc", rng=Random(0))
    assert found.name == "rs-ccccc"


@pytest.mark.parametrize(
    ("wish", "kind", "words"),
    [
        ({"name": "nope"}, BadInputError, "There is no pod 'nope'"),
        ({"name": "rs-aaaab"}, BadInputError, "Did you mean 'rs-aaaaa'"),
        ({"name": "stranger"}, RefusedError, "does not belong"),
        ({"name": "orphan"}, RefusedError, "does not belong"),
        ({"name": "rs-ddddd"}, BadInputError, "on its way out"),
        ({"count": 3}, BadInputError, "Only 2 pods are ready"),
    ],
)
def test_impossible_wishes_are_refused(
    wish: dict[str, object], kind: type[FlashsaleError], words: str
) -> None:
    """Each with the kind of error that its exit code wants."""
    with pytest.raises(kind, match=words):
        choose_victims(PODS, RS_UID, rng=Random(0), **wish)  # type: ignore[arg-type]


def test_no_ready_pod_is_told() -> None:
    """There is nothing to kill while nothing is ready."""
    with pytest.raises(NotReadyError, match="No pod is ready"):
        choose_victims([pod_view("rs-a", ready=False)], RS_UID, rng=Random(0))


def test_unknown_owner_owns_nothing() -> None:
    """A ReplicaSet without a uid would match orphans: it matches nobody."""
    with pytest.raises(NotReadyError):
        choose_victims(PODS, "", rng=Random(0))
