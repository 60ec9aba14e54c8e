"""The promise: a graceful drill loses nobody, on the embedded cluster as on a real one."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.command import Flashsale

CALM = ("--calm", "1s", "--scale", "4", "--seed", "1", "-o", "json")


@pytest.mark.parametrize(
    ("lean", "kills", "every", "rate", "sleep", "least"),
    [
        (True, 2, 1.0, 30, 2, 200),
        # a rate that a busy machine manages too, where purchases wait for seconds in a queue
        pytest.param(False, 10, 2.6, 110, 5, 6_000, marks=pytest.mark.thorough, id="thousands"),
    ],
)
def test_kills_and_scalings_cost_no_purchase(
    flashsale: Flashsale, *, lean: bool, kills: int, every: float, rate: int, sleep: int, least: int
) -> None:
    """Every single one is confirmed, every pod is healed, and the sale is as it was.

    Args:
        lean: pods do not run the image's app.
        every: seconds between kills.
        rate: purchases a second.
        sleep: seconds of preStop; 5 are shipped.
        least: how many purchases that makes.
    """
    file = flashsale.lean_manifest() if lean else flashsale.quick_manifest()
    text = file.read_text()
    assert "seconds: 0 #" in text
    file.write_text(text.replace("seconds: 0 #", f"seconds: {sleep} #"))
    assert flashsale("up", "--manifest", str(file)).code == 0
    words = ("--rate", str(rate), "--kills", str(kills), "--every", f"{every}s", *CALM)
    done = flashsale("drill", *words)
    document = done.json
    assert document["load"]["sent"] >= least
    assert (document["load"]["lost"], document["load"]["rejected"]) == (0, 0)
    assert document["load"]["confirmed"] == document["load"]["sent"]
    assert (done.code, document["verdict"], document["losses"]) == (0, "pass", [])
    assert [kill["number"] for kill in document["kills"]] == list(range(1, kills + 1))
    assert [healing["kill"] for healing in document["healings"]] == list(range(1, kills + 1))
    assert all(healing["served_seconds"] for healing in document["healings"][:-1])
    moments = [kill["at_seconds"] for kill in document["kills"]]
    assert all(later - earlier >= every for earlier, later in pairwise(moments))
    assert [(row["from"], row["to"]) for row in document["scalings"]] == [(3, 4), (4, 3)]
    assert flashsale("status", "-o", "json").json["replicaset"]["desired"] == 3
