"""Our own code, as tests read it that look for something in all of it."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence


def nodes_near(pattern: re.Pattern[str], text: str) -> Iterator[ast.AST]:
    """Walk through the syntax of a file, but for statements that have a pattern in no line.

    Most of a file is left out; where the pattern is nowhere, nothing is parsed.
    """
    lines = [at for at, line in enumerate(text.split("\n"), 1) if pattern.search(line)]
    return _nodes(ast.parse(text), lines) if lines else iter(())


def _nodes(node: ast.AST, lines: Sequence[int]) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            decorators = getattr(child, "decorator_list", [])
            first = bisect_left(lines, min(one.lineno for one in [child, *decorators]))
            if first == len(lines) or lines[first] > (child.end_lineno or 0):
                continue
        yield child
        yield from _nodes(child, lines)
