"""What the page is sent: small, in the browser's terms, and the same for the same state."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from flashsale.base.errors import NoSaleError
from flashsale.dashboard import dashboard_state as states
from flashsale.dashboard.dashboard_state import Crowd, DashboardState, Trouble
from flashsale.dashboard.page_document import page_document
from flashsale.dashboard.page_stream import differences
from flashsale.load.results import Figures, LoadProgress
from flashsale.objects.models import ReplicaSet
from flashsale.objects.nodes import Node
from flashsale.sale.observe.observations import (
    NodeSeen,
    Observation,
    PodSeen,
    ReplicaSetSeen,
    StreamSeen,
)
from flashsale.ui.watch.view_model import Board, Now, Place
from tests.sale.observe.replay import recorded, updates
from tests.ui.watch.view_models import PLACE, live, many, sight

DYING = sight(1.0, "changed", 2, terminating=True, status="Terminating", ready=False)
HEIR = sight(1.1, "added", 7, ready=False, status="ContainerCreating")


def shown(board: Board) -> DashboardState:
    return DashboardState(board, connected=True)


def fold(state: DashboardState, observations: list[Observation]) -> DashboardState:
    for update in updates(observations, state.board.state):
        state = states.with_update(state, update)
    return state


def written(state: DashboardState, at: float = 2.0) -> dict[str, Any]:
    return page_document(state, Now(at, 1000.0 + at), read_only=False)


def pods(found: dict[str, Any]) -> dict[str, Any]:
    """The pods by the last digit of their names."""
    return {entry["name"][-1]: entry for name, entry in found.items() if name.startswith("pod/")}


def test_a_replacement_is_in_its_victim_s_place() -> None:
    """The page shows who replaced whom by where they are."""
    found = pods(written(fold(shown(many(5)), [DYING, HEIR])))
    victim, heir = found["2"], found["7"]
    assert (victim["phase"], heir["phase"]) == ("leaving", "starting")
    assert victim["slot"][0] == heir["slot"][0]
    assert heir["slot"][1] > victim["slot"][1]
    assert heir["replaces"] == victim["name"]


def test_moments_are_unix_milliseconds() -> None:
    """A page counts from them by its own clock."""
    document = written(fold(shown(many(5)), [DYING]))
    assert document["moments"] == [[1001000, "died", f"{DYING.pod.name} deleted"]]
    assert pods(document)["2"]["left"] == 1001000


def test_the_same_state_is_written_the_same_later() -> None:
    """Else all of it would be sent again and again."""
    state = fold(shown(many(5)), [DYING, HEIR])
    assert differences(written(state, 3.0), written(state, 3.7)) == {}


def test_a_change_of_one_pod_sends_one_pod() -> None:
    """A hundred others are not sent with it."""
    before = shown(many(100))
    after = fold(before, [sight(1.0, "changed", 3, ip="10.0.0.9", ready=False)])
    change = differences(written(before), written(after))
    assert [name.partition("/")[0] for name in change if name != "sale"] == ["pod"]
    assert len(json.dumps(change)) < 600


def test_a_hundred_pods_are_small() -> None:
    """Even all at once."""
    assert len(json.dumps(written(shown(many(100))))) < 50_000


def three_nodes(*dead: str) -> list[Observation]:
    """A control plane and two more nodes."""
    names = ("minikube", "minikube-m02", "minikube-m03")
    return [
        NodeSeen(0.5, "added", Node(name, name not in dead, controls=name == "minikube"))
        for name in names
    ]


def test_nodes_are_shown_where_there_are_several() -> None:
    """Each with its pods; one alone is no news."""
    state = fold(shown(many(2)), three_nodes())
    assert "nodes" not in written(fold(shown(many(2)), three_nodes()[:1]))
    assert [row["pods"] for row in written(state)["nodes"]] == [2, 0, 0]


def test_nodes_are_offered_only_where_they_can_be_killed() -> None:
    """Never the only control plane; a dead one can be started."""
    state = fold(shown(many(2)), three_nodes("minikube-m03"))
    for able in (False, True):
        document = written(replace(state, kills_nodes=able))["nodes"]
        assert [row["kill"] for row in document] == [False, able, False]
        assert [row["start"] for row in document] == [False, False, able]


def test_a_node_that_dies_and_comes_back_is_said() -> None:
    """By its name, on the time line."""
    state = fold(shown(many(2)), three_nodes())
    state = fold(state, [*three_nodes("minikube-m02"), *three_nodes()])
    texts = [text for _, kind, text in written(state)["moments"] if kind == "node"]
    assert texts[-2:] == [
        "minikube-m02 is not ready: nobody is sent to its pods any more",
        "minikube-m02 is ready again",
    ]


def test_a_silent_cluster_is_said_with_the_moment_it_was_last_heard() -> None:
    """What is shown is from then."""
    lost = StreamSeen(9.0, "pods", "reconnecting", 2, heard=4.0, why="no answer")
    document = written(fold(shown(many(2)), [lost]), 9.0)
    assert document["sale"]["stale"] == {"heard": 1004000, "why": "no answer"}


def test_a_closed_sale_is_said() -> None:
    """Its pods may be there for a while."""
    document = written(fold(shown(many(2)), [ReplicaSetSeen(1.0, None)]))
    assert (document["sale"]["closed"], document["sale"]["open"]) == (True, False)


def test_no_sale_is_said_as_on_the_command_line() -> None:
    """The sentence, and what to type."""
    error = NoSaleError("No sale is open.", hint="flashsale up")
    document = written(DashboardState(trouble=Trouble.of(error)))
    assert document["sale"]["trouble"] == {
        "text": "No sale is open.",
        "command": "flashsale up",
        "words": "",
    }


def test_shares_are_of_the_latest_purchases() -> None:
    """A pod that sells now shows it at once, however much others sold before."""
    state = replace(shown(many(2)), crowd=Crowd(100.0))
    first, second = (seen.pod.name for seen in state.board.state.pods.values())
    for elapsed, counts in (
        (1.0, {first: 900}),
        (9.0, {first: 900}),
        (9.5, {first: 910, second: 30}),
    ):
        progress = LoadProgress(elapsed, 60.0, 100.0, Figures(pods=counts))
        state = states.with_progress(state, progress, elapsed)
    found = pods(written(state))
    assert (found["0"]["share"], found["1"]["share"]) == (0.25, 0.75)


def test_losses_are_on_the_time_line() -> None:
    """Those of some seconds are one moment with their causes; each is in its second's number."""
    state = replace(shown(many(2)), crowd=Crowd(100.0))
    for at, lost, late in ((1.1, 1, 0), (1.4, 1, 0), (1.7, 1, 2), (2.1, 1, 3), (20.0, 1, 4)):
        figures = Figures(errors={"reset": lost, "timeout": late})
        state = states.with_progress(state, LoadProgress(at, 60.0, 100.0, figures), at)
    document = written(states.with_second(state, 1, 2.0))
    assert [text for _, _, text in document["moments"]] == [
        "4 purchases were lost: no answer in time (3), connection reset (1)",
        "1 purchase was lost: no answer in time",
    ]
    assert document["second/1"][2] == 3


def test_a_recorded_kill_ends_as_one_healing_with_its_split() -> None:
    """On a real cluster's own events."""
    state = shown(live(Board(PLACE)))
    for update in updates(recorded("03-delete-pod"), state.board.state):
        state = states.with_update(state, update)
    (healing,) = written(state, 60.0)["healings"]
    moments = [healing[f"{name}_seconds"] for name in ("created", "started", "ready", "gone")]
    assert all(moment is not None for moment in moments)
    assert written(state, 60.0)["why"].startswith("The ReplicaSet wanted")


def leaving(at: float, number: int) -> PodSeen:
    return sight(at, "changed", number, terminating=True, status="Terminating", ready=False)


@pytest.mark.parametrize("early", range(5))
def test_closing_a_sale_is_one_moment_and_no_deaths(early: int) -> None:
    """However many of its pods are seen to leave before the word that it is closed."""
    pods = [leaving(1.0 + number / 100, number) for number in range(4)]
    seen = [*pods[:early], ReplicaSetSeen(1.05, None), *pods[early:]]
    document = written(
        fold(shown(many(4)), [*seen, *(replace(pod, change="gone") for pod in pods)])
    )
    assert [text for _, _, text in document["moments"]] == ["the sale was closed"]
    assert document["healings"] == []


def test_a_death_long_before_the_end_stays() -> None:
    """It was one; why nothing came in its place is said once for all of them."""
    document = written(fold(shown(many(4)), [leaving(1.0, 2), ReplicaSetSeen(60.0, None)]), 61.0)
    assert [kind for _, kind, _ in document["moments"]] == ["died", "sale"]


def test_a_sale_that_is_opened_again_keeps_what_happened() -> None:
    """Also where its cluster is a new one; another sale begins with nothing."""
    state = fold(shown(many(5)), [DYING, HEIR, sight(2.0, "changed", 7)])
    closed = fold(state, [ReplicaSetSeen(9.0, None)])
    again = written(states.with_sale(closed, PLACE, 12.0))
    assert [kind for _, kind, _ in again["moments"]][-2:] == ["sale", "sale"]
    assert [healing["victim"] for healing in again["healings"]] == [DYING.pod.name]
    another = written(states.with_sale(closed, Place("kind-dev", "default"), 12.0))
    assert (another["moments"], another["healings"]) == ([], [])


def test_a_lost_cluster_is_said_once_and_leaves_a_gap() -> None:
    """The time line shows no pods that nobody saw."""
    lost = fold(shown(many(2)), [StreamSeen(4.0, "pods", "reconnecting", 2, heard=4.0, why="no")])
    for second in (5, 6, 7, 8):
        lost = states.with_second(lost, second, second + 0.5)
    back = fold(lost, [StreamSeen(8.6, "pods", "live", heard=8.6)])
    document = written(states.with_second(back, 9, 9.5))
    assert [text for _, _, text in document["moments"]] == [
        "the cluster does not answer",
        "the cluster answers again",
    ]
    assert [document[f"second/{second}"][3:] for second in (8, 9)] == [[None, None], [2, 2]]


def test_a_cluster_that_was_stopped_with_its_sale_is_not_lost() -> None:
    """Nobody is told after the sale is open again that the cluster did not answer."""
    down = StreamSeen(4.0, "pods", "reconnecting", 2, heard=4.0, why="no")
    state = fold(shown(many(2)), [ReplicaSetSeen(3.9, None), down])
    state = states.with_second(state, 9, 9.5)
    state = fold(state, [ReplicaSetSeen(10.0, ReplicaSet("flashsale-rs", "b", 2, 2, 2, 9.0), 9)])
    state = states.with_second(state, 10, 10.5)
    state = fold(state, [StreamSeen(10.6, "pods", "live", heard=10.6)])
    document = written(states.with_second(state, 11, 11.5))
    assert not [text for _, _, text in document["moments"] if "answer" in text]


def test_what_was_there_before_anybody_looked_is_no_moment() -> None:
    """The time line begins empty."""
    assert written(shown(many(5)))["moments"] == []
