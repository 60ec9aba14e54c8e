"""The promise: a graceful drill loses nobody, on the embedded cluster as on a real one."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.command import Flashsale

RATE, KILLS, EVERY = 110, 10, 2.6  # purchases a second, which a busy machine manages too; seconds
SLEEP = 5  # seconds of preStop, as shipped: on a busy machine purchases wait for seconds in a queue


@pytest.fixture
def sale(flashsale: Flashsale) -> Flashsale:
    """The shipped manifest with quicker probes."""
    file = flashsale.quick_manifest()
    text = file.read_text()
    assert "seconds: 0 #" in text
    file.write_text(text.replace("seconds: 0 #", f"seconds: {SLEEP} #"))
    assert flashsale("up", "--manifest", str(file)).code == 0
    return flashsale


def test_ten_kills_and_two_scalings_cost_none_of_six_thousand_purchases(
    sale: Flashsale,
) -> None:
    """Every single one is confirmed, every pod is healed, and the sale is as it was."""
    words = ["--rate", str(RATE), "--kills", str(KILLS), "--every", f"{EVERY}s", "--scale", "4"]
    done = sale("drill", *words, "--calm", "1s", "--seed", "1", "-o", "json")
    document = done.json
    assert document["load"]["sent"] >= 6_000
    assert (document["load"]["lost"], document["load"]["rejected"]) == (0, 0)
    assert document["load"]["confirmed"] == document["load"]["sent"]
    assert (done.code, document["verdict"], document["losses"]) == (0, "pass", [])
    assert [kill["number"] for kill in document["kills"]] == list(range(1, KILLS + 1))
    assert [healing["kill"] for healing in document["healings"]] == list(range(1, KILLS + 1))
    assert all(healing["served_seconds"] for healing in document["healings"][:-1])
    kills = [kill["at_seconds"] for kill in document["kills"]]
    assert all(later - earlier >= EVERY for earlier, later in pairwise(kills))
    assert [(one["from"], one["to"]) for one in document["scalings"]] == [(3, 4), (4, 3)]
    assert sale("status", "-o", "json").json["replicaset"]["desired"] == 3
