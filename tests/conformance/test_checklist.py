"""The checklist itself: every item has a test that names it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ITEMS = 70


def test_every_item_is_tested() -> None:
    """No item of the checklist was left out."""
    named = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                match = re.match(r"H(\d+): ", ast.get_docstring(node) or "")
                named |= {int(match[1])} if match else set()
    assert set(range(1, ITEMS + 1)) - named == set()
