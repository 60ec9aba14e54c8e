"""Which pods are old, in which order they go, and when the next one's turn has come."""

from __future__ import annotations

import pytest

from flashsale.clusters.base import Image
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.objects.models import Object, Pod
from flashsale.sale.observe.state import SaleState
from flashsale.sale.ready.conditions import Deadline, renewed
from flashsale.sale.up.rollout import batches, interrupted, replacing_line
from tests.sale.api_objects import known, pod_object, pod_view, replicaset_object


def names(lists: list[list[Pod]]) -> list[list[str]]:
    """The pods' names."""
    return [[pod.name for pod in batch] for batch in lists]


def test_ready_pods_go_one_at_a_time() -> None:
    """So that buyers always find somebody."""
    old = [pod_view(name) for name in "abc"]
    assert names(batches(old)) == [["a"], ["b"], ["c"]]


def test_pods_that_serve_nobody_go_first_and_together() -> None:
    """Waiting for them one by one would help no buyer."""
    old = [pod_view("a"), *(pod_view(name, ready=False) for name in "bcd")]
    assert names(batches(old)) == [["b", "c", "d"], ["a"]]
    assert batches([]) == []


@pytest.mark.parametrize(
    ("ready", "idle", "words"),
    [
        (1, 0, "flashsale replaces 1 pod; a ReplicaSet does not"),
        (3, 0, "flashsale replaces 3 pods, one at a time; a"),
        (0, 1, "flashsale replaces 1 pod that is not ready; a"),
        (0, 3, "flashsale replaces 3 pods that are not ready, together; a"),
        (2, 1, "replaces 3 pods: the one that is not ready, then the others one at a time; a"),
        (1, 2, "3 pods: the 2 that are not ready together, then the others one at a time; a"),
    ],
)
def test_what_is_said_is_what_is_done(ready: int, idle: int, words: str) -> None:
    """Only pods that serve buyers go one at a time."""
    old = [pod_view(f"r{n}") for n in range(ready)]
    old += [pod_view(f"i{n}", ready=False) for n in range(idle)]
    assert words in replacing_line(old)


def test_time_that_is_up_between_two_pods_is_told() -> None:
    """How many are done, how many go on, and how to go on with it."""
    error = interrupted(1, 3, Deadline.after(30))
    assert str(error) == (
        "1 of 3 old pods was replaced after 30 s. 2 pods go on with the old version."
    )
    assert error.exit_code == 5


def test_deadline_counts_all_waits_together() -> None:
    """What one wait took is not left for the next."""
    deadline = Deadline.after(30, lambda: 100.0)
    assert deadline.left(lambda: 110.0) == 20.0
    assert deadline.left(lambda: 131.0) == 0.0


def test_turn_comes_when_all_but_the_old_ones_are_ready() -> None:
    """The old ones may be as they are; the number has to be right."""
    turn = renewed({"uid-old"})

    def seen(*pods: Object) -> SaleState:
        return known(replicaset_object(), *pods)

    old, first = pod_object("old"), pod_object("a", ready=True)
    assert turn(seen(old, first, pod_object("b", ready=True)))
    assert not turn(seen(old, first, pod_object("b")))
    assert not turn(seen(old, first))  # its replacement is still to come
    leaving = pod_object("gone", ready=True, terminating=True)
    assert not turn(seen(old, first, leaving))
    assert turn(SaleState()) is False


@pytest.mark.parametrize(
    ("image_id", "expected"),
    [
        ("docker://sha256:aa", True),
        ("sha256:aa", True),
        ("aa", True),
        ("docker-pullable://me/sale@sha256:dd", True),
        ("docker.io/library/flashsale@sha256:ee", True),
        ("docker://sha256:bb", False),
        ("", True),
    ],
)
def test_image_is_known_by_each_of_its_ids(image_id: str, expected: bool) -> None:
    """Docker, containerd and cri-o write it differently, and an image of a registry again."""
    others = ("me/sale@sha256:dd", "sha256:ee")
    assert Image("flashsale:1.0", False, "sha256:aa", others=others).runs_in(image_id) is expected


def test_where_ids_mean_nothing_a_build_makes_pods_old() -> None:
    """kind's nodes call the image otherwise than Docker; what was there before the build is old."""
    assert not Image("flashsale:1.0", built=True).runs_in("sha256:whatever")
    assert Image("flashsale:1.0", built=False).runs_in("sha256:whatever")


def test_names_that_nodes_gave_an_image_are_remembered_with_it() -> None:
    """So that running `up` again replaces nobody; another build has to be learned anew."""
    image = Image("flashsale:1.0", built=True, id="sha256:aa", others=("import@sha256:bb",))
    record = SaleRecord("context", "kind-shop").with_image(image)
    again = record.recognised(Image("flashsale:1.0", built=False, id="sha256:aa"))
    assert again.runs_in("docker.io/library/import@sha256:bb")
    other = record.recognised(Image("flashsale:1.0", built=True, id="sha256:cc"))
    assert not other.runs_in("docker.io/library/import@sha256:bb")
