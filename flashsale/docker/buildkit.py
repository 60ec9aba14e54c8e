"""A Dockerfile read just far enough: what the classic builder lacks, and where to add lines.

The Docker SDK drives the classic builder, which has no BuildKit. A Dockerfile that needs it would
fail deep in the build with a message about something else, so it is refused before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from flashsale.base.errors import BadInputError

CA_FILE = ".flashsale-ca.crt"  # in the context
CA_PATH = "/usr/local/share/ca-certificates/flashsale-extra.crt"  # in the image

# The builder knows these without ARG, and keeps them out of the image's history only so.
PREDEFINED = frozenset(
    name
    for word in ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (word, word.lower())
)

BUILDKIT = re.compile(
    r"RUN\s+(?:--\w+=\S+\s+)*?(?P<run>--(?:mount|network|security|device)\b)"
    r"|(?:COPY|ADD)\s+(?:--\w+(?:=\S+)?\s+)*?"
    r"(?P<copy>--(?:chmod|link|parents|exclude|checksum|keep-git-dir)\b)"
    r"|(?:RUN|COPY|ADD)\s(?:[^'\"]*?\s)?(?P<heredoc><<-?[\"']?[A-Za-z_]\w*)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction with its continuation lines; lines count from 1."""

    first: int
    last: int
    text: str


def instructions(dockerfile: str) -> Iterator[Instruction]:
    """Give the instructions in order, comments and blank lines left out."""
    parts: list[str] = []
    first = 0
    escape = _escape(dockerfile)
    for number, line in enumerate(dockerfile.splitlines(), 1):
        bare = line.strip()
        if not bare or bare.startswith("#"):
            continue  # both are skipped inside a continuation too
        first = first or number
        parts.append(bare.removesuffix(escape).strip())
        if not bare.endswith(escape):
            yield Instruction(first, number, " ".join(parts))
            parts, first = [], 0
    if parts:
        yield Instruction(first, number, " ".join(parts))


def refuse_buildkit(dockerfile: str) -> None:
    """Do nothing for a Dockerfile that the classic builder can build.

    Raises:
        BadInputError: it needs BuildKit; the message names the line.
    """
    for instruction in instructions(dockerfile):
        if found := BUILDKIT.match(instruction.text):
            what = next(group for group in found.groups() if group)
            raise BadInputError(
                f"Line {instruction.first} of the Dockerfile uses {what}, which needs BuildKit;"
                " the Docker SDK has only the classic builder.",
                hint="write that line without it, or build the image yourself and pass --image",
            )


def extended(dockerfile: str, arguments: Iterable[str], *, ca: bool = False) -> str:
    """Make build arguments and a CA certificate reach every stage of an unchanged Dockerfile.

    A stage sees only the arguments that it declares, and the page's Dockerfile declares none.
    """
    lines = [f"ARG {name}" for name in sorted(set(arguments) - PREDEFINED)]
    if ca:
        lines.append(f"COPY {CA_FILE} {CA_PATH}")
    if not lines:
        return dockerfile
    ends = {one.last for one in instructions(dockerfile) if one.text.upper().startswith("FROM ")}
    result: list[str] = []
    for number, line in enumerate(dockerfile.splitlines(), 1):
        result += [line, *(lines if number in ends else ())]
    return "\n".join(result) + "\n"


def _escape(dockerfile: str) -> str:
    """Return the line continuation character, which a first-line directive may change."""
    found = re.match(r"\s*#\s*escape\s*=\s*([\\`])", dockerfile, re.IGNORECASE)
    return found[1] if found else "\\"
