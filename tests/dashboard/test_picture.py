"""The README's picture of the dashboard is of the page that there is."""

from __future__ import annotations

import re
from pathlib import Path

from flashsale.dashboard.web_server import FOLDER
from tools.dashboard_picture import PICTURE, with_words, words_of

LARGEST = 200_000  # bytes


def test_the_picture_shows_the_headings_of_today() -> None:
    """Whoever changes them runs `python tools/dashboard_picture.py`."""
    page = (FOLDER / "index.html").read_text()
    page = page.partition('<section id="verdict"')[0] + page.partition('<section id="healed"')[2]
    headings = re.findall(r"<(?:h2|dt|th)[^>]*>([^<]+)<", page)
    assert len(headings) >= 18
    shown = words_of(PICTURE.read_bytes()).split("\n")
    assert [heading for heading in headings if heading not in shown] == []


def test_the_picture_is_small() -> None:
    """It is part of the first page that anybody loads."""
    assert PICTURE.stat().st_size < LARGEST


def test_words_in_a_picture_are_read_back(tmp_path: Path) -> None:
    """Also those beyond ASCII."""
    assert words_of(with_words(PICTURE.read_bytes(), "− ⇅")) == "− ⇅"
