"""A sale whose pods are well and whose address is not: nobody is sent astray in silence."""

from __future__ import annotations

import pytest

from tests.command import Flashsale, kubectl


@pytest.fixture
def small_sale(flashsale: Flashsale) -> Flashsale:
    """A sale of one pod that may be harmed."""
    manifest = str(flashsale.quick_manifest())
    opened = flashsale("up", "--manifest", manifest, "--replicas", "1")
    assert opened.code == 0, opened.err
    return flashsale


def test_missing_service_hides_no_pods(small_sale: Flashsale) -> None:
    """The tables that there are, one line about the one that is not, and its URL is empty."""
    before = small_sale("status", "-o", "json").json
    kubectl(small_sale, "delete", "service", "flashsale-svc")
    told = small_sale("status")
    said = "The Service flashsale-svc is missing: no buyer gets in. flashsale up makes it again.\n"
    assert (told.code, told.err) == (0, said)
    assert before["pods"][0]["name"] in told.out
    assert "NodePort" not in told.out
    machine = small_sale("status", "-o", "json")
    assert (machine.err, set(machine.json)) == (said, set(before))
    assert (machine.json["service"], machine.json["url"]) == (None, "")
    assert machine.json["pods"][0]["name"] == before["pods"][0]["name"]
