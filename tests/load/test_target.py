"""Load goes to this machine or a private network, and elsewhere only when the user insists."""

from __future__ import annotations

import pytest

from flashsale.base.errors import BadInputError, ClusterUnreachableError
from flashsale.load.target import LoadRefusedError, find_target
from flashsale.load.worker.client import request_parts
from flashsale.load.worker.orders import LoadTarget


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "127.9.8.7", "[::1]", "10.0.0.5", "172.31.0.1", "192.168.49.2", "[fd00::1]"],
)
def test_loopback_and_private_addresses_are_open(host: str) -> None:
    """This is where a sale lives."""
    assert find_target(f"http://{host}:30080").address == host.strip("[]")


@pytest.mark.parametrize(
    "host",
    [
        "192.0.2.1",
        "172.32.0.1",
        "169.254.169.254",
        "0.0.0.0",
        "[2001:db8::1]",
        "[::ffff:192.0.2.1]",
    ],
)
def test_other_addresses_are_refused_until_the_user_insists(host: str) -> None:
    """Somebody else's server, a cloud's credentials: exit code 6, and the way to insist."""
    with pytest.raises(LoadRefusedError) as refused:
        find_target(f"http://{host}/")
    assert refused.value.exit_code == 6
    assert str(refused.value).startswith(f"{host.strip('[]')} is not an address of this machine")
    assert "--allow-remote" in refused.value.hint
    assert find_target(f"http://{host}/", allow_remote=True).address == host.strip("[]")


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:80", "https://127.0.0.1", "ftp://127.0.0.1", "http://", "http://127.0.0.1:99999",
     "http://127.0.0.1:0", "http://user:word@127.0.0.1", "http://127.0.0.1/a b",
     "http://127.0.0.1/\r\nHost: x", "http://127.0.0.1/kauf\u00fc", "http://[::1"],
)  # fmt: skip
def test_what_is_no_plain_http_address_is_bad_input(url: str) -> None:
    """Nothing that is not a URL, and nothing that could end the request line, goes any further."""
    with pytest.raises(BadInputError):
        find_target(url)


def test_an_unknown_name_is_said_to_be_unknown() -> None:
    """An empty label resolves nowhere, and asks no name server."""
    with pytest.raises(ClusterUnreachableError):
        find_target("http://flashsale..invalid")


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("http://127.0.0.1:30080", b"GET /buy?user=buyer7 HTTP/1.1\r\nHost: 127.0.0.1:30080\r\n"),
        ("http://127.0.0.1/", b"GET /buy?user=buyer7 HTTP/1.1\r\nHost: 127.0.0.1\r\n"),
        ("http://[::1]:8/a?b=c#d", b"GET /a?b=c&user=buyer7 HTTP/1.1\r\nHost: [::1]:8\r\n"),
    ],
)
def test_the_request_goes_to_buy_unless_a_path_is_given(url: str, line: bytes) -> None:
    """Each purchase carries its number, so that the sale's logs can be held against the ledger."""
    before, after = request_parts(find_target(url), keepalive=False)
    assert (before + b"7" + after).startswith(line)


def test_a_target_shows_itself_as_a_url() -> None:
    """What is printed is what can be typed."""
    assert LoadTarget("127.0.0.1", 80, "localhost").url == "http://localhost/buy"
