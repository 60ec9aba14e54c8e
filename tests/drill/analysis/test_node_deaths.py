"""What a node that dies costs: its losses are its own, not those of one of its pods."""

from __future__ import annotations

from typing import Any

from flashsale.drill.analysis.attribution import LAG, likeliest_cause
from flashsale.drill.analysis.verdict import answering_pods
from flashsale.drill.analysis.windows import find_causes
from flashsale.drill.report.compare import compare
from flashsale.drill.result import DrillResult, NodeDeath
from tests.drill.drill_results import START, drill_result, healing, life, loss
from tests.drill.report.test_drill_document import written
from tests.drill.report.test_schemas import check

DEATH = NodeDeath(
    "m02", (("a", "a"), ("b", "b")), START + 10.0, START + 15.0, START + 25.0, START + 40.0
)


def died(death: NodeDeath = DEATH, **more: Any) -> dict[str, Any]:
    """A drill in which the node of two pods died; one of them is replaced by x."""
    lives = [life("a", leaving=20.0), life("b", leaving=20.0), life("x", seen=20.1, ready=25.0)]
    healed = [healing("a", "x", died=20.0, ready=25.0, gone=None)]
    routed = [(-1.0, "abc"), (15.0, "c"), (25.1, "cx")]
    parts = {
        "pods": lives,
        "healings": healed,
        "routings": routed,
        "node_deaths": (death,),
        "kills": [],
    }
    return {**parts, "firsts": {"a": 0.1, "b": 0.1, "c": 0.1, "x": 25.6}, **more}


def result(**more: Any) -> DrillResult:
    return drill_result(**died(**more))


def test_a_dead_node_is_one_cause_until_it_is_not_ready() -> None:
    """Nobody is sent to its pods from then on."""
    found = [find_cause for find_cause in find_causes(result()) if find_cause.pod == "m02"]
    (cause,) = found
    assert (cause.name, cause.began, cause.over) == ("the death of the node m02", 10.0, 15.0 + LAG)


def test_a_replacement_belongs_to_the_death() -> None:
    """As one does that replaces a killed pod."""
    (came,) = [find_cause for find_cause in find_causes(result()) if find_cause.pod == "x"]
    assert came.name == "the death of the node m02"


def test_a_kept_connection_names_a_pod_of_the_node() -> None:
    """It decides, though something else began later."""
    found = likeliest_cause(loss(10.5, pod="b"), find_causes(result()))
    assert found is not None
    assert found.pod == "m02"


def test_its_losses_are_blamed_on_the_node() -> None:
    """And the document is as it is described."""
    document = written(**died(losses=[loss(11.0, 14.0, kind="timeout"), loss(50.0)]))
    assert [loss_row["blamed_on"] for loss_row in document["losses"]] == ["m02", None]
    assert document["node_deaths"][0]["lost"] == 1
    check("drill", document)


def test_the_summary_says_why_a_death_costs() -> None:
    """Those buyers did not wait in a pod's queue, and no preStop hook would help them."""
    document = written(**died(losses=[loss(11.0, 16.0, kind="timeout")]))
    assert document["summary"][-1] == (
        "The only loss is explained: the death of the node m02 cost 1; until a node is not ready,"
        " buyers are sent to its pods and get no answer."
    )


def test_two_deaths_are_compared() -> None:
    """How soon the node was missed, and its pods replaced; other times are another drill."""
    late = NodeDeath(DEATH.node, DEATH.pods, START + 10.0, START + 60.0, START + 370.0, None)
    comparison = compare(written(**died()), written(**died(late)))
    rows = {row["name"]: row for row in comparison["rows"]}
    assert rows["node that died, not ready"]["difference"] == 45.0
    assert rows["node that died, its pods replaced"]["matters"]
    assert "lost by the node's death" in rows
    assert not any("node" in row["name"] for row in compare(written(), written(**died()))["rows"])
    check("drill-compare", comparison)


def test_a_dead_nodes_pods_get_no_share_until_it_is_not_ready() -> None:
    """They are chosen still, and answer nobody: that says nothing of how the Service chooses."""
    assert answering_pods(result()) == [
        (-1.0, frozenset("abc")),
        (10.0, frozenset("c")),
        (15.0, frozenset("c")),
        (25.1, frozenset("cx")),
    ]
