"""What a host's name or address says about where it is. Nothing is looked up."""

from __future__ import annotations

import ipaddress
import re
from pathlib import PurePath
from urllib.parse import urlsplit

PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)  # not 169.254.0.0/16, where clouds keep credentials


def url_host(url: str) -> str:
    """Return the host that a URL names; empty where it names none, or is no URL."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def typed_url(path: PurePath) -> str:
    """Return the URL that was taken for a path, which has lost a `/`; empty if it is a path."""
    found = re.fullmatch("(https?|ssh):/+(.+)", path.as_posix())
    git = path.as_posix() if path.as_posix().startswith("git@") else ""
    return f"{found[1]}://{found[2]}" if found else git


def is_loopback(host: str) -> bool:
    """Whether it is this machine alone: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Whether it is an address of a private network (RFC 1918, RFC 4193); a name is not."""
    try:
        address = ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return any(address in network for network in PRIVATE_NETWORKS)
