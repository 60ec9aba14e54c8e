"""Words and numbers as sentences want them."""

from __future__ import annotations

import pytest

from flashsale.wording import joined


@pytest.mark.parametrize(
    ("words", "text"), [("a", "a"), ("ab", "a and b"), ("abcde", "a, b, c, d and e")]
)
def test_lists_read_as_people_write_them(words: str, text: str) -> None:
    """Commas, and one `and` before the last."""
    assert joined(words) == text
