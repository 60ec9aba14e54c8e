"""The shop's page in a real browser, on a sale on an embedded cluster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.browser import chromium, page
from tests.command import Flashsale, opened_sale

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["chromium", "page"]
pytestmark = pytest.mark.browser
REFRESHES = 12  # that one of three pods answers all of them is one chance in 177,147


@pytest.fixture(scope="module")
def sale(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """An open sale of the real shop, once there is a browser; tests leave it as it was."""
    assert chromium.is_connected()
    program = Flashsale(tmp_path_factory.mktemp("shop") / "home")
    with opened_sale(program, program.quick_manifest()) as sale:
        yield sale


def test_a_refresh_shows_another_pod_and_the_strip_grows(page: Page, sale: Flashsale) -> None:
    """As the exercise promises: the connection closes, so the Service picks a pod anew."""
    page.goto(sale("url").out.strip())
    pods = set()
    for _ in range(REFRESHES):
        page.reload()
        pods.add(page.locator(".pod b").inner_text())
    assert len(pods) > 1
    assert page.locator("ol li").count() == REFRESHES
    colours = {
        one.evaluate("item => getComputedStyle(item).backgroundColor")
        for one in page.locator("ol li").all()
    }
    assert len(colours) == len(pods)


def test_the_button_buys(page: Page, sale: Flashsale) -> None:
    """And says what, and which pod sold it."""
    page.goto(sale("url").out.strip())
    page.get_by_role("button", name="Buy").click()
    page.get_by_text(" bought: ").wait_for()
    name = page.locator(".pod b").inner_text()
    assert name in {pod["name"] for pod in sale("status", "-o", "json").json["pods"]}


def test_the_page_loads_nothing_else_and_fits_a_telephone(page: Page, sale: Flashsale) -> None:
    """One request a page, and no sideways scrolling."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": 320, "height": 568})
    page.goto(sale("url").out.strip())
    assert len([one for one in asked if not one.startswith("data:")]) == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
