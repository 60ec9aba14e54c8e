"""What the classic builder cannot do, and what is added for the network."""

from __future__ import annotations

import pytest

from flashsale.base.errors import BadInputError
from flashsale.docker.buildkit import CA_PATH, extended, refuse_buildkit

PAGE = "FROM python:3.11-slim\nWORKDIR /app\nRUN pip install flask gunicorn\n"


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("RUN --mount=type=cache,target=/root/.cache pip install flask", "--mount"),
        ("run --network=none \\\n  --mount=type=secret true", "--network"),
        ("COPY --link app.py .", "--link"),
        ("COPY --from=build --chmod=755 app.py .", "--chmod"),
        ("ADD --checksum=sha256:00 http://x/y /", "--checksum"),
        ("RUN <<EOF\necho hi\nEOF", "<<EOF"),
        ("RUN python3 <<'PY'\nprint()\nPY", "<<PY"),
    ],
)
def test_buildkit_instructions_are_refused_with_their_line(line: str, what: str) -> None:
    """Deep in a build the message would be about something else."""
    with pytest.raises(BadInputError) as caught:
        refuse_buildkit(f"FROM scratch\n# comment\n{line}\n")
    assert "Line 3" in str(caught.value)
    assert what in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        "RUN pip install --no-cache-dir flask",
        "COPY --chown=shop --from=build a b",
        'RUN echo "a <<EOF"',
        "RUN test $((1<<2)) = 4",
        "# RUN --mount=type=cache true",
        'CMD ["gunicorn", "--mount"]',
    ],
)
def test_classic_instructions_pass(line: str) -> None:
    """Nothing is refused that the classic builder can do."""
    refuse_buildkit(f"FROM scratch\n{line}\n")


def test_arguments_reach_every_stage() -> None:
    """A stage sees only what it declares, and the page's Dockerfile declares nothing."""
    text = extended("FROM a AS one\nFROM \\\n  b\nRUN x\n", ["PIP_INDEX_URL"])
    assert text == "FROM a AS one\nARG PIP_INDEX_URL\nFROM \\\n  b\nARG PIP_INDEX_URL\nRUN x\n"


def test_proxies_are_not_declared() -> None:
    """The builder knows them, and keeps their passwords out of the history only undeclared."""
    assert extended(PAGE, ["HTTPS_PROXY", "https_proxy", "NO_PROXY"]) == PAGE


def test_certificate_is_copied_in_before_anything_runs() -> None:
    """pip is the first to need it."""
    lines = extended(PAGE, [], ca=True).splitlines()
    assert lines[1].startswith("COPY ")
    assert lines[1].endswith(CA_PATH)


def test_windows_escape_directive_is_understood() -> None:
    """`# escape=`` changes what continues a line."""
    text = extended("# escape=`\nFROM `\n  a\nRUN x\n", ["A"])
    assert text == "# escape=`\nFROM `\n  a\nARG A\nRUN x\n"
