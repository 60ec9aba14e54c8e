"""The live view where there is more than one node: groups, a dead one, a cordoned one."""

from __future__ import annotations

from flashsale.objects.nodes import Node
from flashsale.sale.observe.observations import NodeSeen, Observation
from flashsale.ui.watch.layout import screen_lines
from flashsale.ui.watch.plain_output import plain_lines
from flashsale.ui.watch.view_model import Board, Now, Place, add_update
from tests.sale.observe.replay import updates
from tests.ui.watch.view_models import PLACE, fold, many, sight, text

NOW = Now(60.0, 60.0)


def node(name: str, *, ready: bool = True, cordoned: bool = False) -> NodeSeen:
    """One sight of a node."""
    return NodeSeen(2.0, "listed", Node(name, ready, name == "a", cordoned))


def spread(*nodes: NodeSeen) -> Board:
    """Three pods: two on b, one on a, as the nodes are."""
    moved: list[Observation] = [
        sight(1.0, "changed", number, node="b" if number else "a") for number in range(3)
    ]
    return fold(many(3), [*moved, *nodes])


def table(board: Board, size: tuple[int, int] = (80, 24)) -> list[str]:
    """The lines of the pods, as the first two words of each."""
    lines = text(board, NOW, size)
    first = next(n for n, line in enumerate(lines) if "NAME" in line)
    return [" ".join(line.split()[:6]) for line in lines[first + 1 :] if line][:-1]


def test_pods_are_grouped_by_node() -> None:
    """Each node's line says how many of its pods are ready; nodes without pods share one."""
    found = table(spread(node("b"), node("a"), node("c")))
    assert found[0] == "a 1 of 1 pod ready"
    assert found[2] == "b 2 of 2 pods ready"
    assert [one.split()[1] for one in (found[1], *found[3:5])] == [
        "flashsale-rs-00000",
        "flashsale-rs-00001",
        "flashsale-rs-00002",
    ]
    assert found[5] == "no pods on c"


def test_with_one_node_nothing_is_different() -> None:
    """Neither where it is known, nor where no node may be read."""
    assert text(spread(node("a")), NOW) == text(spread(), NOW)


def test_a_dead_node_is_grey_with_its_pods() -> None:
    """The word says it where there is no colour."""
    board = spread(node("a"), node("b", ready=False))
    lines = [line for line in screen_lines(board, (80, 24), NOW) if "NotReady" in line.plain]
    assert [line.plain.split()[:2] for line in lines] == [["b", "NotReady"]]
    rows = [line for line in screen_lines(board, (80, 24), NOW) if "rs-0000" in line.plain]
    grey = [{str(span.style) for span in line.spans} - {""} == {"dim"} for line in rows]
    assert grey == [False, True, True]


def test_a_cordoned_node_is_named_even_without_pods() -> None:
    """It explains why nothing goes there."""
    assert "c cordoned" in table(spread(node("a"), node("b"), node("c", cordoned=True)))


def test_a_pod_that_no_node_has_taken_comes_last() -> None:
    """Nobody knows yet where it will be."""
    board = fold(spread(node("a"), node("b")), [sight(3.0, "added", 3, node="")])
    assert table(board)[-2] == "on no node yet"


def test_a_low_screen_shows_pods_rather_than_nodes() -> None:
    """As it would with one node."""
    assert table(spread(node("a"), node("b")), (80, 10))[0].split()[1] == "flashsale-rs-00000"


def test_short_times_are_said_where_a_node_can_be_lost() -> None:
    """They are not Kubernetes' own."""
    words = "fast nodes: not ready after 5 s instead of 50 s"
    place = Place(PLACE.cluster, PLACE.namespace, PLACE.url, node_timing=words)
    for nodes, said in (([node("a")], 0), ([node("a"), node("b")], 1)):
        board = fold(Board(place), [])
        for update in updates([*nodes], board.state):
            board = add_update(board, update)
        assert sum(words in line for line in text(board, NOW)) == said


def test_a_nodes_death_is_a_line_where_there_is_no_screen() -> None:
    """And a heartbeat, which changes nothing, is none."""
    before = spread(node("a"), node("b"))
    for seen, words in ((node("b", ready=False), ["node b  NotReady"]), (node("b"), [])):
        (update,) = updates([seen], before.state)
        lines = plain_lines(before, add_update(before, update), update, 60.0)
        assert [line.split("  ", 1)[1] for line in lines] == words
