"""A sale that sells nothing is not drilled: known from the first calm, with the reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from flashsale.drill.preflight import FEWEST, is_selling, patience
from flashsale.load.results import Figures
from tests.command import Flashsale, make_lean

CALM = Figures(sent=50)
RESETS = replace(CALM, sent=60, errors={"reset": 49})


def test_one_confirmed_purchase_is_enough() -> None:
    """The sale sells, however badly."""
    assert is_selling(CALM, replace(RESETS, confirmed=1)) is True


def test_a_sale_is_given_up_once_all_buyers_of_the_calm_have_failed() -> None:
    """Not before: the slowest of them may still be served."""
    assert is_selling(CALM, RESETS) is None
    assert is_selling(CALM, replace(RESETS, errors={"reset": 50})) is False
    assert is_selling(CALM, replace(RESETS, errors={"reset": 20}, rejected=30)) is False


def test_one_lost_purchase_says_nothing() -> None:
    """A slow rate and a short calm bring hardly any; three of them do."""
    few = Figures(sent=1, errors={"reset": 1})
    assert is_selling(few, few) is None
    assert is_selling(few, replace(few, sent=3, errors={"reset": FEWEST})) is False


def test_waiting_for_that_has_an_end() -> None:
    """Longer than the last of three purchases can take, and no more than some seconds."""
    assert 5.0 + 2 / 0.5 < patience(rate=0.5, timeout=5.0) < 20.0


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """The program on a cluster that may be harmed."""
    program = Flashsale(tmp_path_factory.mktemp("selling") / "home")
    yield program
    program.stop_cluster()


def test_a_sale_that_never_answers_loses_no_pod(program: Flashsale) -> None:
    """Its Service leads nowhere: exit 1 with the reason, nothing scaled, nothing killed."""
    manifest = str(program.lean_manifest(**{"targetPort: 5000": "targetPort: 80"}))
    assert program("up", "--manifest", manifest).code == 5
    before = program("status", "-o", "json").json["pods"]
    done = program("drill", "--rate", "20", "--kills", "2", "--calm", "1s", "-o", "json")
    document = done.json
    assert done.code == 1
    assert "The sale sells nothing, so no pod was killed: the Service flashsale-svc" in done.err
    assert "Hint: flashsale up  # after you wrote `targetPort: 5000` in the manifest" in done.err
    assert (document["verdict"], document["ended"]) == ("inconclusive", "failed")
    assert document["kills"] == document["scalings"] == document["healings"] == []
    assert {loss["cause"] for loss in document["losses"]} == {None}
    assert document["shares"]["text"] == "No purchase was confirmed, so no pod has a share."
    after = program("status", "-o", "json").json["pods"]
    assert [pod["name"] for pod in after] == [pod["name"] for pod in before]


def test_a_sale_that_turns_everybody_away_is_told_by_its_answers(program: Flashsale) -> None:
    """Pods are well and answer, but not to buyers: the reason is what they answer."""
    folder = program.home.parent / "closed"
    assert program("init", str(folder)).code == 0
    make_lean(folder)
    app, answer = folder / "app.py", "sendall(ANSWER)"
    text = app.read_text()
    assert answer in text
    closed = 'sendall(ANSWER.replace(b"200 OK", b"404 Gone") if b" /buy" in asked else ANSWER)'
    app.write_text(text.replace(answer, closed))
    manifest = str(program.quick_manifest())
    assert program("up", str(folder), "--manifest", manifest, "--replicas", "2").code == 0
    done = program("drill", "--rate", "20", "--kills", "1", "--calm", "1s")
    assert done.code == 1
    assert "answers, but no purchase is confirmed (HTTP 404 (" in done.err
    assert "Hint: flashsale logs" in done.err
    assert done.out.startswith("INCONCLUSIVE  The drill ended early: The sale sells nothing")
    assert "The same pods again" not in done.out
