"""The README's picture of the live view is of the live view that there is."""

from __future__ import annotations

import html
import re
from pathlib import Path

from flashsale.ui.watch.layout import KEYS, screen_lines
from tests.ui.watch.view_models import moment

PICTURE = Path(__file__).parents[3] / "docs" / "watch.svg"


def words(picture: str) -> str:
    """All text of an SVG, in one line."""
    shown = html.unescape(re.sub(r"(?s)<style>.*?</style>|<[^>]+>", " ", picture))
    return " ".join(shown.split())


def test_the_picture_shows_the_headings_and_keys_of_today() -> None:
    """Whoever changes them runs `python tools/picture.py`."""
    board, now = moment("03-delete-pod", 2.0)
    headings = [line for line in screen_lines(board, (102, 23), now) if str(line.style) == "bold"]
    shown = words(PICTURE.read_text())
    assert len(headings) == 3
    for heading in (*(line.plain for line in headings), KEYS):
        assert " ".join(heading.split()) in shown


def test_the_picture_shows_what_the_view_is_for() -> None:
    """A pod that dies, the one that takes its place, and one that did."""
    shown = words(PICTURE.read_text())
    for word in ("Terminating", "replaces flashsale-rs-", "replaced flashsale-rs-", "gone after"):
        assert word in shown


def test_the_picture_asks_nobody_for_anything() -> None:
    """No font, style or script from elsewhere: it is shown where such things are not loaded."""
    text = PICTURE.read_text()
    assert re.findall(r"https?://(?!www\.w3\.org|127\.0\.0\.1)\S+", text) == []
    assert "<script" not in text
