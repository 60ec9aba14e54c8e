"""A node is drained, and one dies, while people buy."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator

import pytest

from tests.cli.commands.test_nodes import nodes_of_pods
from tests.command import PATIENCE, Flashsale, kubectl


@pytest.fixture(scope="module")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """A sale on three nodes that are given up fast; its pods sell for 2 s more when they go."""
    sale = Flashsale(tmp_path_factory.mktemp("nodes") / "state")
    manifest = sale.lean_manifest()
    text = manifest.read_text()
    assert "seconds: 0 #" in text
    manifest.write_text(text.replace("seconds: 0 #", "seconds: 2 #"))
    words = ("--nodes", "3", "--fast-nodes", "--replicas", "3")
    opened = sale("up", "--manifest", str(manifest), *words)
    assert opened.code == 0, opened.err
    yield sale
    sale("down", "--purge")


def test_a_drain_under_load_costs_nothing(sale: Flashsale) -> None:
    """The manifest's preStop sleep is what makes it so."""
    with sale.start("load", "--rate", "40", "--for", "100s", "-o", "json") as load:
        kubectl(sale, "drain", "embedded-m03", "--timeout=60s")
        load.send_signal(signal.SIGINT)
        figures = json.loads(load.communicate(timeout=PATIENCE)[0])
    assert figures["confirmed"] > 40  # the drain alone takes two seconds
    assert (figures["lost"], figures["rejected"]) == (0, 0)
    assert "embedded-m03" not in nodes_of_pods(sale)
    kubectl(sale, "uncordon", "embedded-m03")


def test_a_drill_judges_a_nodes_death(sale: Flashsale) -> None:
    """What is lost is lost by that death, which the verdict, the report and the text name."""
    options = ("--rate", "20", "--kills", "0", "--scale", "3", "--calm", "1s", "--kill-node")
    drill = sale("drill", *options, "--max-lost", "1000", "-o", "json")
    assert drill.code == 0, drill.err
    assert "fast nodes: not ready after 5 s" in drill.err
    found = drill.json
    (death,) = found["node_deaths"]
    assert "1 node's death" in found["reason"] or death["lost"] == 0
    assert death["not_ready_seconds"] < death["replaced_seconds"] <= death["back_seconds"]
    assert {healing["victim"] for healing in found["healings"]} == set(death["pods"])
    named = [
        loss_row
        for loss_row in found["losses"]
        if loss_row["cause"] == f"the death of the node {death['node']}"
    ]
    assert len(named) == death["lost"] == found["load"]["lost"]
    assert {loss_row["blamed_on"] for loss_row in found["losses"]} <= {death["node"]}
