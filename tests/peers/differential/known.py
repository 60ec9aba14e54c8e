"""Differences that are known and meant: each with its reason. What is not here fails the test."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.peers.differential.compare import Difference
from tests.peers.differential.requests import Request


@dataclass(frozen=True, slots=True)
class Known:
    """One known difference: patterns for the request and for what is reported of it."""

    reason: str
    request: str  # found in "METHOD path body"
    report: str  # found in "where: real ... ours ..."


KNOWN: tuple[Known, ...] = (
    Known(
        "a PUT without it takes a real pod's token away, which ours never had",
        "^PUT .*/pods/",
        r'real .*pod updates may not change.*"Name\\\\*": \\\\*"kube-api-access-',
    ),
)


def known(request: Request, difference: Difference) -> Known | None:
    """Return why a difference is accepted; None if it is not."""
    for one in KNOWN:
        if re.search(one.request, str(request)) and re.search(one.report, str(difference)):
            return one
    return None
