"""The shop answers programs as the exercise says, and browsers with a page."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from flashsale.shop import app as shop
from tests.command import Flashsale, opened_sale

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
JSON_CLIENTS = ("*/*", "application/json", "application/json, text/html;q=0.9", "")


@pytest.fixture
def client() -> FlaskClient:
    """Somebody who keeps cookies."""
    return shop.app.test_client()


@pytest.fixture
def sale(flashsale: Flashsale) -> Iterator[Flashsale]:
    """An open sale of one pod, as its image has it."""
    manifest = flashsale.quick_manifest(**{"replicas: 3": "replicas: 1"})
    with opened_sale(flashsale, manifest) as sale:
        yield sale


@pytest.mark.parametrize("accept", JSON_CLIENTS)
def test_programs_get_the_exercises_json(client: FlaskClient, accept: str) -> None:
    """Key for key; whoever takes anything is a program."""
    headers = {"Accept": accept}
    assert set(client.get("/", headers=headers).get_json()) == {"message", "pod", "ts"}
    bought = client.get("/buy?user=ann", headers=headers).get_json()
    assert set(bought) == {"status", "item", "user", "served_by_pod", "time"}
    assert bought["user"] == "ann"


def test_a_browser_gets_a_page_with_what_was_bought_and_by_whom(client: FlaskClient) -> None:
    """It needs nothing from any other place."""
    answer = client.get("/buy?user=ann", headers={"Accept": BROWSER})
    assert answer.mimetype == "text/html"
    assert answer.headers["Cache-Control"] == "no-store"
    assert any(f"ann bought: {item}" in answer.text for item in shop.ITEMS)
    assert f"<b>{shop.pod}</b>" in answer.text
    assert "http" not in answer.text.replace("http-equiv", "")


def test_the_strip_remembers_the_last_pods_of_this_browser(client: FlaskClient) -> None:
    """As many as fit, the newest last."""
    client.set_cookie("pods", " ".join(f"rs-{n:05}" for n in range(30)))
    answer = client.get("/", headers={"Accept": BROWSER})
    assert answer.text.count("<li ") == shop.LAST
    assert "00029" in answer.text
    assert "00002" not in answer.text


def test_what_others_send_is_only_text(client: FlaskClient) -> None:
    """In the name and in the cookie."""
    client.set_cookie("pods", "<i>x</i>")
    answer = client.get("/buy?user=<script>alert(1)</script>", headers={"Accept": BROWSER})
    assert "<script" not in answer.text
    assert "<i>" not in answer.text


def test_purchases_are_logged_in_one_line_each(
    client: FlaskClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a buyer is called; a load counts its own."""
    client.get("/buy?user=ann%0Asold%20Laptop%20to%20x")
    client.get("/buy", headers={"User-Agent": shop.LOAD})
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("sold ")


def test_a_pages_connection_closes_and_a_programs_stays(sale: Flashsale) -> None:
    """So that a refresh asks the Service anew; `load --keepalive` keeps its connections."""
    place = urlsplit(sale("url").out.strip())
    headers = {}
    for accept in (BROWSER, "*/*"):
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)
        connection.request("GET", "/buy", headers={"Accept": accept})
        answer = connection.getresponse()
        answer.read()
        headers[accept] = answer.headers["Connection"]
        connection.close()
    assert headers == {BROWSER: "close", "*/*": "keep-alive"}
