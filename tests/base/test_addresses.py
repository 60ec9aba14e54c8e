"""Where a host is, by its name or address alone."""

from __future__ import annotations

import pytest

from flashsale.base.addresses import is_loopback, is_private


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.4.5.6", "::1", "[::1]"])
def test_this_machine_alone_is_loopback(host: str) -> None:
    """All of 127.0.0.0/8 is, not only its first address."""
    assert is_loopback(host)
    assert not is_private(host)


@pytest.mark.parametrize("host", ["10.1.2.3", "172.31.0.1", "192.168.49.2", "fd00::2", "[fd00::2]"])
def test_private_networks_are_private(host: str) -> None:
    """Those of RFC 1918 and RFC 4193."""
    assert is_private(host)
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "example.com", "8.8.8.8", "172.32.0.1", "169.254.169.254", "127.evil.example"]
)
def test_everything_else_is_neither(host: str) -> None:
    """A name proves nothing, and clouds keep credentials on 169.254.0.0/16."""
    assert not is_loopback(host)
    assert not is_private(host)
