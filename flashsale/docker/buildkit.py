"""A Dockerfile read just far enough: what the classic builder lacks, and where to add lines.

The Docker SDK drives the classic builder, which has no BuildKit. A Dockerfile that needs it would
fail deep in the build with a message about something else, so it is refused before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from flashsale.base.dockerfile.instructions import parse_instructions
from flashsale.base.errors import BadInputError, Hint

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
    r"(?P<copy>--(?:chmod|link|parents|exclude|checksum|keep-git-dir)\b)",
    re.IGNORECASE,
)


def refuse_buildkit(dockerfile: str) -> None:
    """Raise BadInputError, with the line, for a Dockerfile that needs BuildKit."""
    for instruction in parse_instructions(dockerfile):
        match = BUILDKIT.match(f"{instruction.keyword} {instruction.text}")
        what = next(filter(None, match.groups()), "") if match else ""
        if instruction.documents:
            what = what or f"<<{instruction.documents[0].name}"
        if what:
            raise BadInputError(
                f"Line {instruction.line} of the Dockerfile uses {what}, which needs BuildKit;"
                " the Docker SDK has only the classic builder.",
                hint=Hint(
                    "flashsale up --image NAME:TAG",
                    "with an image that you built yourself, or write that line without it",
                ),
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
    instructions = parse_instructions(dockerfile)
    ends = {instruction.last for instruction in instructions if instruction.keyword == "FROM"}
    result: list[str] = []
    for number, line in enumerate(dockerfile.splitlines(), 1):
        result += [line, *(lines if number in ends else ())]
    return "\n".join(result) + "\n"
