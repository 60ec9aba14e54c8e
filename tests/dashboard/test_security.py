"""Who is answered: the user's own page, and nobody else."""

from __future__ import annotations

import pytest

from flashsale.dashboard.security import HEADERS, KEY_HEADER, TOKEN, Guard, Request

GUARD = Guard(8080)
OTHER = Guard(8080)
HOST = {"Host": "127.0.0.1:8080"}


def page_request(method: str = "GET", **headers: str) -> Request:
    return Request(
        method, HOST | {name.replace("_", "-"): header for name, header in headers.items()}
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080"])
def test_every_name_of_this_machine_is_answered(host: str) -> None:
    """People type localhost, and forward ports to it."""
    assert GUARD.refusal(Request("GET", {"Host": host})) == ""


@pytest.mark.parametrize(
    "host",
    [
        "",
        "127.0.0.1",
        "127.0.0.1:8081",
        "sale.example:8080",
        "127.0.0.1.nip.example:8080",
        "localhost.:8080",
        "127.0.0.1:8080.example",
        "LOCALHOST:8080@x:8080",
        "0.0.0.0:8080",
    ],
)
def test_other_names_are_refused(host: str) -> None:
    """A name that was bound to 127.0.0.1 after the page had been loaded (DNS rebinding)."""
    assert GUARD.refusal(Request("GET", {"Host": host})) != ""


def test_a_request_without_host_is_refused() -> None:
    """HTTP/1.0 has none."""
    assert GUARD.refusal(Request("GET", {})) != ""


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(
    "origin",
    [
        "null",
        "http://sale.example",
        "https://127.0.0.1:8080",
        "http://127.0.0.1:8081",
        "http://127.0.0.1",
        "http://localhost:8080",
        "file://",
        "",
    ],
)
def test_other_pages_are_refused(method: str, origin: str) -> None:
    """Also the page of another port of this machine, which may be another user's."""
    assert GUARD.refusal(page_request(method, Origin=origin)) != ""


def test_our_own_page_is_answered() -> None:
    """As a browser asks for it."""
    own = {"Origin": "http://127.0.0.1:8080", "Sec_Fetch_Site": "same-origin"}
    assert GUARD.refusal(page_request("POST", **own)) == ""
    assert GUARD.refusal(page_request("GET", Sec_Fetch_Site="none")) == ""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_changes_need_an_origin(method: str) -> None:
    """Every browser sends one with them."""
    assert GUARD.refusal(page_request(method)) != ""


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_links_of_other_pages_lead_nowhere(site: str) -> None:
    """Unless they hold the token: then our user followed the address that was printed."""
    assert GUARD.refusal(page_request(Sec_Fetch_Site=site)) != ""
    headers = HOST | {"Sec-Fetch-Site": site}
    known = Request("GET", headers, query={TOKEN: GUARD.secrets.token})
    assert GUARD.refusal(known) == ""
    guessed = Request("GET", headers, query={TOKEN: OTHER.secrets.token})
    assert GUARD.refusal(guessed) != ""


def test_the_cookie_alone_opens_no_stream_and_no_action() -> None:
    """Another port's server is sent it as well."""
    cookie = {GUARD.cookie_name: GUARD.secrets.cookie}
    only = Request("POST", HOST, cookie)
    assert (GUARD.has_cookie(only), GUARD.has_key(only)) == (True, False)
    both = Request("POST", HOST | {KEY_HEADER: GUARD.secrets.key}, cookie)
    assert GUARD.has_key(both)


def test_the_key_alone_opens_nothing() -> None:
    """Both are needed."""
    assert not GUARD.has_key(Request("POST", HOST | {KEY_HEADER: GUARD.secrets.key}))


@pytest.mark.parametrize(
    "wrong",
    ["", "x", OTHER.secrets.cookie, OTHER.secrets.key, "ü"],
    ids=["empty", "short", "another-cookie", "another-key", "umlaut"],
)
def test_wrong_secrets_are_no_secrets(wrong: str) -> None:
    """Also those of another server, of no length, and of other letters."""
    request = Request(
        "POST", HOST | {KEY_HEADER: wrong}, {GUARD.cookie_name: wrong}, {TOKEN: wrong}
    )
    assert not GUARD.has_token(request)
    assert not GUARD.has_cookie(request)
    assert not GUARD.has_key(request)


def test_every_server_has_secrets_of_its_own() -> None:
    """Long ones, and three different ones."""
    found = [GUARD.secrets, OTHER.secrets]
    drawn = {secret for one in found for secret in (one.token, one.cookie, one.key)}
    assert len(drawn) == 6
    assert min(map(len, drawn)) >= 43  # 256 bits


def test_the_page_s_address_holds_no_token() -> None:
    """And its key stands where no browser sends it."""
    assert GUARD.secrets.token not in GUARD.page
    assert GUARD.page == f"/#{GUARD.secrets.key}"


def test_secrets_stay_out_of_logs_and_other_pages() -> None:
    """Nothing is kept, framed, or told to other servers."""
    assert HEADERS["Cache-Control"] == "no-store"
    assert HEADERS["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]
    assert "unsafe" not in HEADERS["Content-Security-Policy"]
