"""Make docs/dashboard.png, the picture of the dashboard in the README, from a real run.

    python tools/dashboard_picture.py            open a sale, send buyers, kill two pods, draw
    python tools/dashboard_picture.py --check    the same, and compare its words with those in docs/

It needs the extra `browser` and Chromium, takes about a minute, and leaves nothing running. Names
and times differ from run to run; headings, labels and buttons do not. They are kept in the picture
itself, in a text chunk, and these are what --check compares.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page

PICTURE = Path(__file__).parent.parent / "docs" / "dashboard.png"
SIZE = {"width": 1280, "height": 720}
PODS, RATE = 5, 200
PATIENCE = 60_000  # milliseconds
KEYWORD = b"Description"  # of the PNG text chunk, as the format's standard calls it
SIGNATURE = b"\x89PNG\r\n\x1a\n"
FIXED = """() => [...new Set([...document.querySelectorAll(
        "h2, th, dt, label, option, button, .signs")]
    .map(one => one.innerText.replace(/\\s+/g, " ").trim()))].filter(Boolean).join("\\n")"""


def chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG: kind and data."""
    at = len(SIGNATURE)
    while at < len(picture):
        (size,) = struct.unpack(">I", picture[at : at + 4])
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + size]
        at += size + 12


def with_words(picture: bytes, words: str) -> bytes:
    """Put words into a PNG, after its header."""
    parts = list(chunks(picture))
    parts.insert(1, (b"iTXt", KEYWORD + b"\0\0\0\0\0" + words.encode()))
    written = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    return SIGNATURE + b"".join(written)


def words_of(picture: bytes) -> str:
    """Read the words of a PNG that :func:`with_words` made; empty if there are none."""
    begin = KEYWORD + b"\0\0\0\0\0"
    found = (data for kind, data in chunks(picture) if kind == b"iTXt" and data.startswith(begin))
    return next(found, begin).removeprefix(begin).decode()


def drawn(address: str) -> bytes:
    """Heal once, and stop in the middle of the second time, while buyers come."""
    from playwright.sync_api import sync_playwright

    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium") or "chromium", args=sandbox
        )
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(PATIENCE)
        page.goto(address)
        page.locator(".pod.ready").nth(PODS - 1).wait_for()
        page.fill("#crowd-rate", str(RATE))
        page.click("#crowd-button")
        page.locator(".part").filter(has_text="%").first.wait_for()
        kill(page, 1)
        page.locator("td.ready").filter(has_text=" s").wait_for()
        kill(page, 3)
        page.locator(".place").nth(3).locator(".starting").filter(has_text="Running").wait_for()
        page.wait_for_timeout(1500)  # purchases are under way
        picture = with_words(page.screenshot(), page.evaluate(FIXED))
        browser.close()
    return picture


def kill(page: Page, place: int) -> None:
    """Kill the pod in a place."""
    page.locator(".place").nth(place).locator("button.graceful").click()
    page.locator(".place").nth(place).locator(".starting").wait_for()


def flashsale(*words: str) -> list[str]:
    """Give the words that start a command of ours."""
    return [sys.executable, "-c", "from flashsale.cli.main import main; main()", *words]


def main() -> None:
    """Open, draw, close."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["FLASHSALE_HOME"] = home
        up = flashsale("up", "--cluster", "embedded", "--replicas", str(PODS))
        subprocess.run(up, check=True)
        serving = subprocess.Popen(
            flashsale("dashboard", "--no-open"), stdout=subprocess.PIPE, text=True
        )
        try:
            assert serving.stdout
            picture = drawn(serving.stdout.readline().strip())
        finally:
            serving.terminate()
            serving.wait()
            subprocess.run(flashsale("down"), check=True)
    if "--check" not in sys.argv:
        PICTURE.write_bytes(picture)
    elif words_of(picture) != words_of(PICTURE.read_bytes()):
        sys.exit(f"The picture shows other words than the page has now:\n{words_of(picture)}")


if __name__ == "__main__":
    main()
