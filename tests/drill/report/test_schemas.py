"""Every key of the JSON documents is described in `docs/json`, and every described key is there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flashsale.drill.history import Outage, ReplicaCount
from flashsale.drill.report.compare import compare
from flashsale.drill.result import LogEntry, SkippedKill
from flashsale.drill.scenario import Scenario, plan_as_json, plan_steps
from flashsale.load.load_document import build_load_document
from tests.drill.drill_results import START, drill_result, loss
from tests.drill.report.test_drill_document import USUAL, written

SCHEMAS = Path(__file__).parents[3] / "docs" / "json"
FULL: dict[str, Any] = {
    "losses": [loss(10.5), loss(50.0, kind="timeout")],
    "skipped": [SkippedKill(2, START + 20.0, "no pod was ready")],
    "log": [LogEntry(START + 1.0, "note", "something happened")],
    "replica_counts": [ReplicaCount(START, 3, 3)],
    "outages": [Outage(START + 40.0, START + 41.0)],
}


def check(name: str, document: Any) -> None:
    """Hold a document against its schema."""
    from jsonschema import Draft202012Validator  # takes a while, in each worker

    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text())
    Draft202012Validator.check_schema(schema)
    found = json.loads(json.dumps(document))
    Draft202012Validator(schema).validate(found)


@pytest.mark.parametrize(
    "wish",
    [
        {},
        FULL,
        {"ended": "failed", "error": "it broke"},
        {"kills": [], "healings": [], "scalings": [], "phases": [], "seconds": 0},
    ],
    ids=["usual", "full", "failed", "empty"],
)
def test_a_drill_is_as_described(wish: dict[str, Any]) -> None:
    """With losses and without, whole and cut short."""
    check("drill", written(**wish))


def test_a_load_is_as_described() -> None:
    """The same figures with the verdict on the shares."""
    report = drill_result(**USUAL).report
    check("load", build_load_document(report))
    check("load", build_load_document(replace(report, keepalive=True)))


def test_a_comparison_is_as_described() -> None:
    """Also where one of them lacks a figure."""
    check("drill-compare", compare(written(), written(healings=[], **FULL)))


def test_a_plan_is_as_described() -> None:
    """Every kind of step."""
    plan = plan_as_json(plan_steps(Scenario(kills=2), 3))
    check("drill-dry-run", {"plan": plan, "seed": 1})
