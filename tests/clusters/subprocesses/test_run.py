"""Programs that are run to their end: whatever they print, and however they end."""

from __future__ import annotations

import sys

from flashsale.clusters.subprocesses.run import KEPT_LINES, LINE_LIMIT, Output, run_program


async def outcome(script: str) -> tuple[Output, list[str]]:
    """Run some Python, and remember each line of its stdout as it comes."""
    lines: list[str] = []
    command = (sys.executable, "-ISc", script)
    return await run_program(*command, each=lines.append, timeout=60, patience=5), lines


async def test_line_of_any_length_is_one_line() -> None:
    """A document of minikube's about all its profiles is one, too."""
    length = 3 * LINE_LIMIT + 1
    answer, lines = await outcome(f"print('a'); print('x' * {length}); print('b', end='')")
    assert [len(line) for line in lines] == [1, length, 1]
    assert answer.stdout == f"a\n{'x' * length}\nb\n"


async def test_lines_are_decoded_whatever_they_are() -> None:
    """Half a character, a line end of another system, an empty line."""
    answer, lines = await outcome(
        "import sys; sys.stdout.buffer.write(b'\\xff\\xc3\\r\\n\\n\\xc3\\xa4\\n')"
    )
    assert lines == ["\ufffd\ufffd", "", "\xe4"]
    assert answer.code == 0


async def test_of_what_goes_wrong_the_last_lines_are_kept() -> None:
    """Logs can be long, and the reason comes last."""
    answer, _ = await outcome(
        "import sys; print(*range(1000), sep='\\n', file=sys.stderr); sys.exit(3)"
    )
    assert answer.code == 3
    assert answer.stderr.split() == [str(number) for number in range(1000 - KEPT_LINES, 1000)]
