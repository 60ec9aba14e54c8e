"""Image names: `flashsale:1.0` is short for `docker.io/library/flashsale:1.0`.

The grammar is github.com/distribution/reference's, and so are the words for what is wrong.
"""

from __future__ import annotations

import re

_ALNUM = r"[a-z0-9]+"
_COMPONENT = rf"{_ALNUM}(?:(?:[._]|__|-+){_ALNUM})*"
_DOMAIN_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"{_DOMAIN_PART}(?:\.{_DOMAIN_PART})*(?::[0-9]+)?"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_COMPONENT}(?:/{_COMPONENT})*)"
    r"(?::(?P<tag>\w[\w.-]{0,127}))?"
    r"(?:@(?P<digest>[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?",
    re.ASCII,
)


class InvalidReferenceError(ValueError):
    """Not an image name; the text is the one that Docker gives."""


def normalise(reference: str) -> str:
    """Return the full name with its tag (`latest` by default), or with its digest.

    Raises:
        InvalidReferenceError: it cannot name an image.
    """
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        raise InvalidReferenceError(_what_is_wrong(reference))
    name, digest = _full_name(match["name"]), match["digest"]
    if digest:
        return f"{name}@{digest}"
    return f"{name}:{match['tag'] or 'latest'}"


def familiar(reference: str) -> str:
    """Return a full name the way people write it: without docker.io and library."""
    return reference.removeprefix("docker.io/").removeprefix("library/")


def _full_name(name: str) -> str:
    domain, slash, rest = name.partition("/")
    if not slash or not ("." in domain or ":" in domain or domain == "localhost"):
        domain, rest = "docker.io", name
    if domain == "index.docker.io":
        domain = "docker.io"
    if domain == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    return f"{domain}/{rest}"


def _what_is_wrong(reference: str) -> str:
    name = reference.split("@")[0].split(":")[0]
    if name != name.lower() and _REFERENCE.fullmatch(reference.lower()):
        full = _full_name(name).split("/", 1)[1]
        return f"invalid reference format: repository name ({full}) must be lowercase"
    return "invalid reference format"
