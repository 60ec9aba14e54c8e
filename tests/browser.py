"""A real Chromium for tests: the machine's own, driven by Playwright.

Where one of the two is missing, the tests that need it are skipped, and say what to install.
Playwright's loop runs while its browser is open, so a module that uses this has no async tests.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 30_000  # milliseconds for anything to be seen, on a busy machine


def chromium_path() -> str:
    """Where the machine's Chromium is; empty if it has none."""
    return next(filter(None, map(shutil.which, NAMES)), "")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for the tests of a module."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="no Playwright here: pip install 'flashsale[browser]'"
    )
    if not chromium_path():
        pytest.skip("no Chromium here: apt install chromium")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium has none for root
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium_path(), args=sandbox)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page of a browser that was never anywhere, as wide as a projector; no error may show."""
    errors: list[str] = []
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    context.set_default_timeout(PATIENCE)
    found = context.new_page()
    found.on("pageerror", lambda error: errors.append(str(error)))
    found.on("console", lambda message: errors.extend(_broken_policy(message)))
    yield found
    context.close()
    assert errors == []


def _broken_policy(message: Any) -> list[str]:
    """What a page tried that its own policy forbids."""
    return [message.text] if "Content Security Policy" in message.text else []
