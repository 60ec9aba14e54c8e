"""The real server, asked as a browser asks it, and as others would."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest

from flashsale.base.errors import FlashsaleError, RefusedError
from flashsale.dashboard.dashboard_state import DashboardState
from flashsale.dashboard.security import HEADERS, KEY_HEADER
from flashsale.dashboard.web_server import FILES, bind
from tests.dashboard.serving import ServedState, served
from tests.ui.watch.view_models import many

SHOWN = DashboardState(many(3), connected=True)
LARGEST_PAGE = 150_000  # bytes


async def refusing(arguments: Any) -> str:
    raise RefusedError("That is refused.", hint="flashsale status")


async def repeating(arguments: Any) -> str:
    return json.dumps(arguments)


@pytest.fixture(scope="module")
def dashboard() -> Iterator[ServedState]:
    actions = {"refuse": refusing, "repeat": repeating}
    with served(SHOWN, read_only=False, actions=actions) as found:
        yield found


@pytest.fixture
async def stranger(dashboard: ServedState) -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody without the address."""
    jar = aiohttp.CookieJar(unsafe=True)
    origin = f"http://127.0.0.1:{dashboard.guard.port}"
    async with aiohttp.ClientSession(origin, cookie_jar=jar) as session:
        yield session


@pytest.fixture
async def browser(dashboard: ServedState, stranger: aiohttp.ClientSession) -> aiohttp.ClientSession:
    """Somebody who opened it."""
    async with stranger.get(dashboard.guard.address) as answer:
        assert answer.status == 200
    return stranger


def own(dashboard: ServedState) -> dict[str, str]:
    """The headers of our own page's requests."""
    origin = f"http://127.0.0.1:{dashboard.guard.port}"
    return {KEY_HEADER: dashboard.guard.secrets.key, "Origin": origin}


async def test_the_token_becomes_a_strict_cookie(
    dashboard: ServedState, stranger: aiohttp.ClientSession
) -> None:
    """And the address that the browser is led to holds no token."""
    async with stranger.get(dashboard.guard.address, allow_redirects=False) as answer:
        cookie = answer.headers["Set-Cookie"]
        assert answer.status == 303
        assert dashboard.guard.secrets.token not in answer.headers["Location"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert dashboard.guard.secrets.token not in cookie


async def test_another_page_that_leads_here_is_followed_by_a_page_of_ours(
    dashboard: ServedState, stranger: aiohttp.ClientSession
) -> None:
    """A browser keeps a strict cookie from a redirect that began elsewhere."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with stranger.get(dashboard.guard.address, headers=headers) as answer:
        text = await answer.text()
    assert (answer.status, answer.history) == (200, ())
    assert f'content="0;url={dashboard.guard.page}"' in text
    assert dashboard.guard.secrets.token not in text


@pytest.mark.parametrize("path", ["/", "/page.js", "/stream", "/report", "/nothing", "/?token=x"])
async def test_strangers_get_nothing(stranger: aiohttp.ClientSession, path: str) -> None:
    """Not even the page's own files."""
    async with stranger.get(path) as answer:
        assert answer.status == 403
        assert "sale" not in (await answer.text()).replace("flashsale dashboard", "")


async def test_the_cookie_alone_gets_the_page_and_nothing_of_the_sale(
    dashboard: ServedState, browser: aiohttp.ClientSession
) -> None:
    """Another port's server may have been sent the cookie."""
    origin = {"Origin": own(dashboard)["Origin"]}
    assert (await browser.get("/")).status == 200
    assert (await browser.get("/stream")).status == 403
    assert (await browser.post("/actions/repeat", json={}, headers=origin)).status == 403


async def test_the_stream_begins_with_everything(
    dashboard: ServedState, browser: aiohttp.ClientSession
) -> None:
    """In one event."""
    async with browser.get("/stream", headers=own(dashboard)) as answer:
        assert answer.content_type == "text/event-stream"
        assert await answer.content.readline() == b"event: whole\n"
        document = json.loads((await answer.content.readline()).removeprefix(b"data: "))
    assert sum(name.startswith("pod/") for name in document) == 3


async def test_an_action_is_done_with_what_the_page_says(
    dashboard: ServedState, browser: aiohttp.ClientSession
) -> None:
    """And answers with what was done."""
    given = {"pod": "a"}
    async with browser.post("/actions/repeat", json=given, headers=own(dashboard)) as answer:
        assert (answer.status, await answer.json()) == (200, {"done": json.dumps(given)})


async def test_an_error_is_the_command_line_s(
    dashboard: ServedState, browser: aiohttp.ClientSession
) -> None:
    """Its sentence and its hint."""
    async with browser.post("/actions/refuse", json={}, headers=own(dashboard)) as answer:
        found = await answer.json()
    assert answer.status == 409
    assert found["error"] == "That is refused."
    assert found["hint"] == {"command": "flashsale status", "words": ""}


@pytest.mark.parametrize("body", [b"[1]", b"{", b"\xff", b'{"a": "' + b"x" * 5000 + b'"}'])
async def test_what_is_no_json_object_is_refused(
    dashboard: ServedState, browser: aiohttp.ClientSession, body: bytes
) -> None:
    """Also one that is longer than anything the page says."""
    async with browser.post("/actions/repeat", data=body, headers=own(dashboard)) as answer:
        assert (answer.status, (await answer.json())["error"]) == (
            409,
            "What the page sent is not JSON.",
        )


async def test_what_is_not_offered_is_refused(
    dashboard: ServedState, browser: aiohttp.ClientSession
) -> None:
    """With --read-only that is everything."""
    async with browser.post("/actions/kill", json={}, headers=own(dashboard)) as answer:
        assert "only shows the sale" in (await answer.json())["error"]


@pytest.mark.parametrize("path", ["/", "/stream", "/nothing", "/actions/repeat"])
async def test_every_answer_carries_the_policy(
    dashboard: ServedState, browser: aiohttp.ClientSession, path: str
) -> None:
    """Files, streams and refusals alike."""
    async with browser.get(path, headers=own(dashboard)) as answer:
        assert {name: answer.headers.get(name) for name in HEADERS} == HEADERS


async def test_actions_are_never_done_by_get(
    dashboard: ServedState, browser: aiohttp.ClientSession
) -> None:
    """A picture in another page is a GET."""
    async with browser.get("/actions/repeat", headers=own(dashboard)) as answer:
        assert answer.status == 404


def test_the_whole_page_is_small() -> None:
    """It is there at once, also over a slow tunnel."""
    assert sum(file.stat().st_size for file, _ in FILES.values()) < LARGEST_PAGE


def test_only_this_machine_is_listened_to() -> None:
    """No other address leads to it."""
    with bind(0) as sock:
        assert sock.getsockname()[0] == "127.0.0.1"


def test_a_taken_port_is_said() -> None:
    """With a command that works."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(FlashsaleError, match=f"Port {port} of 127.0.0.1") as caught:
            bind(port)
    assert caught.value.hint.command == "flashsale dashboard"
