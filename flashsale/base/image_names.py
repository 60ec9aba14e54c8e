"""Image names: `flashsale:1.0` is short for `docker.io/library/flashsale:1.0`.

The grammar is github.com/distribution/reference's, and so are the words for what is wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HUB = "docker.io"
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


class InvalidImageNameError(ValueError):
    """Not an image name; the text is the one that Docker gives."""


@dataclass(frozen=True, slots=True)
class ImageName:
    """An image's name, taken apart."""

    name: str  # as typed, without tag and digest
    tag: str = ""
    digest: str = ""  # sha256:...

    @classmethod
    def parse(cls, reference: str) -> ImageName:
        """Take a reference apart; InvalidImageNameError if it cannot name an image."""
        match = _REFERENCE.fullmatch(reference)
        if match is None:
            raise InvalidImageNameError(_what_is_wrong(reference))
        return cls(match["name"], match["tag"] or "", match["digest"] or "")

    @property
    def registry(self) -> str:
        """The host to log in to: the first part, if it has a dot or a colon or is localhost."""
        return _split(self.name)[0]

    @property
    def repository(self) -> str:
        """The whole name without tag and digest: `docker.io/library/flashsale`."""
        return "/".join(_split(self.name))

    @property
    def full(self) -> str:
        """The whole name with its digest, else with its tag, which is `latest` by default."""
        if self.digest:
            return f"{self.repository}@{self.digest}"
        return f"{self.repository}:{self.tag or 'latest'}"


@dataclass(frozen=True, slots=True)
class RemovedImages:
    """Images that went, and those that other state folders, or other versions, built."""

    count: int = 0
    size: int = 0  # bytes that this freed
    left: int = 0  # images of flashsale's that stay in this machine's Docker

    def plus(self, other: RemovedImages) -> RemovedImages:
        """Add up what two engines did."""
        sums = self.count + other.count, self.size + other.size, self.left + other.left
        return RemovedImages(*sums)


def full_name(reference: str) -> str:
    """Return the whole name with tag (`latest` by default) or digest, as :class:`ImageName`."""
    return ImageName.parse(reference).full


def _split(name: str) -> tuple[str, str]:
    domain, slash, rest = name.partition("/")
    if not slash or not ("." in domain or ":" in domain or domain == "localhost"):
        domain, rest = HUB, name
    if domain == f"index.{HUB}":
        domain = HUB
    if domain == HUB and "/" not in rest:
        rest = f"library/{rest}"
    return domain, rest


def _what_is_wrong(reference: str) -> str:
    name = reference.split("@")[0].split(":")[0]
    if name != name.lower() and _REFERENCE.fullmatch(reference.lower()):
        return f"invalid reference format: repository name ({_split(name)[1]}) must be lowercase"
    return "invalid reference format"
