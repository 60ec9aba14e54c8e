"""The JSON document: the promised keys, every number, and two of them side by side."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flashsale.base.errors import BadInputError
from flashsale.drill.analysis.verdict import analyse
from flashsale.drill.environment import objects_as_yaml
from flashsale.drill.report.compare import chance, compare, larger_than, write_figure
from flashsale.drill.report.drill_document import build_drill_document, read_document
from flashsale.sale.kill.kill_method import KillMethod
from tests.drill.drill_results import (
    PLACE,
    drill_result,
    healing,
    life,
    loss,
    phase,
    pod_kill,
    scaled,
)

USUAL: dict[str, Any] = {
    "pods": [
        life("a", leaving=10.03, gone=16.0),
        life("b"),
        life("c"),
        life("x", seen=10.05, ready=15.0),
    ],
    "kills": [pod_kill(1, "a", 10.0)],
    "healings": [healing("a", "x", died=10.02, ready=15.0, gone=16.0)],
    "scalings": [scaled(3, 5, 2.0, 1.5)],
    "phases": [phase("before", 3, 0.1, 2.0), phase("kills", 5, 10.0, 20.0, 0.4)],
    "firsts": {"a": 0.1, "b": 0.1, "c": 0.1, "x": 15.2},
}


def written(**wish: Any) -> dict[str, Any]:
    """One drill's document, as it comes back from a file."""
    made = drill_result(**{**USUAL, **wish})
    document: dict[str, Any] = json.loads(json.dumps(build_drill_document(made, analyse(made))))
    return document


def test_the_promised_keys_are_there() -> None:
    """Those of the command line's contract, with the values that it names."""
    document = written(losses=[loss(10.5), loss(50.0, kind="timeout")])
    assert document["load"]["lost"] == 2
    assert document["load"]["sent"] == document["load"]["confirmed"] + 2
    (healed,) = document["healings"]
    assert healed["victim"] == "a"
    assert healed["replacement"] == "x"
    assert healed["ready_seconds"] == 4.98
    assert healed["served_seconds"] == 5.18
    assert document["scalings"][0]["from"] == 3
    assert document["scalings"][0]["to"] == 5
    assert document["scalings"][0]["seconds"] == 1.5
    explained, unexplained = document["losses"]
    assert (explained["at_seconds"], explained["class"], explained["blamed_on"]) == (
        10.5,
        "reset",
        "a",
    )
    assert (unexplained["class"], unexplained["blamed_on"]) == ("timeout", None)
    assert (document["verdict"], document["reason"]) == (
        "fail",
        "2 of 5,402 purchases lost in 1 kill and 1 scaling.",
    )


def test_every_kill_has_its_price() -> None:
    """By number, not by pod: a pod may be killed twice."""
    document = written(losses=[loss(10.5), loss(10.6)])
    assert document["kills"] == [
        {"number": 1, "pod": "a", "at_seconds": 10.0, "lost": 2, "skipped": None}
    ]


def test_pods_have_seats_and_fair_shares() -> None:
    """A replacement sits where its victim did."""
    pods = {pod["name"]: pod for pod in written()["pods"]}
    assert (pods["a"]["seat"], pods["a"]["turn"]) == (pods["x"]["seat"], 1)
    assert pods["x"]["turn"] == 2
    assert pods["b"]["stable"] == pods["b"]["fair"]


def test_a_moment_that_nobody_saw_is_not_made_up() -> None:
    """A pod that was ready before the drill, and one that was leaving: null, not a second."""
    old = replace(life("a", ready=-0.08, leaving=10.03), missed=frozenset({"ready"}))
    leaver = replace(life("e", leaving=-0.08, gone=3.0), missed=frozenset({"leaving"}))
    pods = {pod["name"]: pod for pod in written(pods=[old, leaver])["pods"]}
    assert (pods["a"]["ready_seconds"], pods["a"]["leaving_seconds"]) == (None, 10.03)
    assert (pods["e"]["leaving_seconds"], pods["e"]["gone_seconds"]) == (None, 3.0)


def test_a_report_is_read_back(tmp_path: Path) -> None:
    """What was written is what is there."""
    file = tmp_path / "a.json"
    file.write_text(json.dumps(written()))
    assert read_document(file) == written()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 99, "phases": []}'])
def test_what_is_no_report_is_refused(text: str, tmp_path: Path) -> None:
    """With the file's name."""
    file = tmp_path / "a.json"
    file.write_text(text)
    with pytest.raises(BadInputError, match=r"a\.json"):
        read_document(file)


def test_a_missing_report_is_refused(tmp_path: Path) -> None:
    """With a hint how to make one."""
    with pytest.raises(BadInputError, match="no file") as refused:
        read_document(tmp_path / "a.json")
    assert "--report" in refused.value.hint


def test_the_same_drill_twice_shows_no_difference() -> None:
    """Nothing is made up."""
    comparison = compare(written(), written())
    assert comparison["differences"] == []
    assert comparison["findings"] == ["Nothing differs by more than noise."]
    assert not any(row["matters"] for row in comparison["rows"])


def test_what_was_done_otherwise_is_told_first() -> None:
    """Two drills that are not the same compare with care."""
    comparison = compare(written(), written(kill_method=KillMethod(grace=0), replicas=4))
    assert comparison["differences"] == [
        "The number of replicas differs: 3 in A, 4 in B.",
        "The grace period differs: the pod's own in A, 0 in B.",
    ]


def test_a_number_of_replicas_makes_no_other_manifest() -> None:
    """It has a line of its own; anything else in the manifest does."""
    a, b, c = (
        written(environment=replace(PLACE, manifest=f"spec:\n  replicas: {count}\n  {rest}\n"))
        for count, rest in ((3, "a: 1"), (5, "a: 1"), (3, "a: 2"))
    )
    assert compare(a, b)["differences"] == []
    assert compare(a, c)["differences"] == ["The manifests differ."]


def test_losses_and_slower_healing_matter() -> None:
    """In words and in the table."""
    losses = [loss(10.1 + n / 100) for n in range(20)]
    slow = [healing("a", "x", died=10.02, ready=19.0, gone=16.0)]
    comparison = compare(written(), written(losses=losses, healings=slow))
    assert "The verdict on A is pass, on B fail." in comparison["findings"]
    assert "Lost: 0 in A, 20 in B." in comparison["findings"]
    assert (
        "Healing, the slowest: 5.0 s in A, 9.0 s in B, 1.80 times as much."
        in comparison["findings"]
    )
    rows = {row["name"]: row for row in comparison["rows"]}
    assert rows["lost"] == {
        "name": "lost",
        "unit": "",
        "a": 0,
        "b": 20,
        "difference": 20,
        "matters": True,
    }
    assert rows["confirmed, before"]["difference"] == 0


@pytest.mark.parametrize(
    ("lost_a", "lost_b", "expected"),
    [(0, 0, 1.0), (0, 1, 1.0), (0, 5, 2 / 2**5), (0, 6, 2 / 2**6), (3, 3, 1.0)],
)
def test_chance_of_losses_is_exact(lost_a: int, lost_b: int, expected: float) -> None:
    """Like coins, where both sent the same number: none of six on A happens once in 32 times."""
    assert chance(lost_a, 1000, lost_b, 1000) == pytest.approx(expected)
    assert chance(lost_b, 1000, lost_a, 1000) == pytest.approx(expected)


def test_chance_of_many_losses_is_quick_and_right() -> None:
    """Thousands of them; and with twice as many sent, twice as many lost is no difference."""
    assert chance(5000, 10_000, 9000, 10_000) == 0.0
    assert chance(3000, 10_000, 6000, 20_000) == 1.0


def test_noise_is_relative_and_absolute() -> None:
    """A fifth of little is nothing."""
    matters = larger_than(0.2, 0.25)
    assert not matters(5.0, 5.9)
    assert matters(5.0, 6.1)
    assert not matters(0.1, 0.3)


def test_figures_have_their_units() -> None:
    """As precise as they are worth."""
    assert write_figure(1234.0, "") == "1,234"
    assert write_figure(5.018, "s") == "5.0 s"
    assert write_figure(400.0, "/s") == "400.0 /s"
    assert write_figure(None, "ms") == "-"


def test_the_manifest_is_what_people_wrote() -> None:
    """Two clusters that run the same file show the same: no uid, no address, no node port."""
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "uid": "u", "resourceVersion": "1", "managedFields": []},
        "spec": {
            "clusterIP": "10.0.0.1",
            "clusterIPs": ["10.0.0.1"],
            "ports": [{"port": 80, "nodePort": 30080}],
        },
        "status": {},
    }
    assert objects_as_yaml([service]) == (
        "apiVersion: v1\nkind: Service\nmetadata:\n  name: s\nspec:\n  ports:\n  - port: 80\n"
    )
