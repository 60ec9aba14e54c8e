"""Where load may be sent: one plain-HTTP address, on this machine or a private network.

A load generator is a weapon when it is pointed at somebody else. A sale lives on loopback
or on a private network (minikube's node, a cluster in the same building), so those are open, and
anything else needs a word from the user. The name is looked up once and only the address that was
checked is ever connected to.
"""

from __future__ import annotations

import re
import socket
from urllib.parse import SplitResult, urlsplit

from flashsale.base.addresses import is_loopback, is_private
from flashsale.base.errors import BadInputError, ClusterUnreachableError, Hint, RefusedError
from flashsale.load.worker.orders import BUY, LoadTarget

_VISIBLE = re.compile(r"[!-~]+")  # nothing that could end a request line


class LoadRefusedError(RefusedError):
    """The address is not one that load may be sent to without asking."""


def find_target(url: str, *, allow_remote: bool = False, resolve: bool = True) -> LoadTarget:
    """Turn a sale's URL into a target; a path in it other than `/` takes the place of `/buy`.

    Args:
        resolve: look the host up and check its address; else it stays a name, for others to do so.

    Raises:
        BadInputError: not a plain `http://` URL.
        ClusterUnreachableError: the host's name is unknown.
        LoadRefusedError: the address is neither loopback nor private, and `allow_remote` is off.
    """
    parts = _parts(url)
    host, port = parts.hostname or "", parts.port or 80
    address = _look_up(host, port) if resolve else host
    if resolve and not allow_remote and not (is_loopback(address) or is_private(address)):
        found = f" ({address})" if address != host else ""
        raise LoadRefusedError(
            f"{host}{found} is not an address of this machine or a private network:"
            " load on somebody else's server is an attack.",
            hint=Hint(words="add --allow-remote if the server is yours and its owner knows"),
        )
    path = parts.path if parts.path not in ("", "/") else BUY
    query = f"?{parts.query}" if parts.query else ""
    return LoadTarget(address, port, parts.netloc, path + query)


def _parts(url: str) -> SplitResult:
    hint = Hint("flashsale url", "prints the sale's address, as http://127.0.0.1:30080")
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not _VISIBLE.fullmatch(url) or "@" in parts.netloc:
        raise BadInputError(f"{url!r} is not an http:// address that load can use.", hint=hint)
    return parts


def _look_up(host: str, port: int) -> str:
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise ClusterUnreachableError(
            f"The name {host} has no address here.", hint="flashsale url"
        ) from error
    return str(addresses[0][4][0])
