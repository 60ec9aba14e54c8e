"""The page is to be read: enough contrast, words above the dots, and nothing that jumps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from flashsale.dashboard.dashboard_state import DashboardState
from tests.dashboard.serving import served
from tests.ui.watch.view_models import fold, many, sight

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

FAINT = """() => {
    const canvas = document.createElement("canvas").getContext("2d");
    const rgba = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (top, under) =>
        [0, 1, 2].map((i) => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
    const linear = (part) => {
        part /= 255;
        return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    };
    const light = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
    const above = (one) => (one ? [one, ...above(one.parentElement)] : []);
    const faint = [];
    for (const one of document.querySelectorAll("body *")) {
        const words = [...one.childNodes].filter((node) => node.nodeType === 3).map(
            (node) => node.textContent.trim()).join("");
        const style = getComputedStyle(one);
        const box = one.getBoundingClientRect();
        const exempt = one.closest("[aria-disabled=true], [aria-hidden=true], .skip");
        if (!words || box.width < 2 || exempt) continue;
        const layers = above(one).map((each) => rgba(getComputedStyle(each).backgroundColor));
        const ground = layers.reverse().reduce((under, top) => over(top, under), rgba("canvas"));
        const ink = rgba(style.color);
        for (const each of above(one)) ink[3] *= Number(getComputedStyle(each).opacity);
        const [low, high] = [light(over(ink, ground)), light(ground)].sort((a, b) => a - b);
        const large = parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 600;
        const ratio = (high + 0.05) / (low + 0.05);
        if (ratio < (large ? 3 : 4.5)) faint.push(`${ratio.toFixed(2)} ${words}`);
    }
    return faint;
}"""


SETTLED = "() => Promise.allSettled(document.getAnimations().map((one) => one.finished))"
ABOVE = """() => {
    const layer = (found) => Number(getComputedStyle(document.querySelector(found)).zIndex);
    return layer(".pod h3") > layer("#flow");
}"""


def dying() -> DashboardState:
    """Five pods, one of which is on its way out; its replacement is starting."""
    news = [sight(1.0, "changed", 2, terminating=True), sight(1.1, "added", 7, ready=False)]
    return DashboardState(fold(many(5), news), connected=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_words_have_the_contrast_of_wcag_aa(page: Page, scheme: str) -> None:
    """4.5 to 1, and 3 to 1 where they are large: of a pod that leaves too."""
    page.emulate_media(color_scheme=scheme)
    with served(dying(), read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod.leaving").wait_for()
        page.evaluate(SETTLED)
        assert page.evaluate(FAINT) == []


def test_a_death_moves_nothing_on_the_page(page: Page) -> None:
    """A victim and its replacement share the room that each pod has."""
    calm = DashboardState(many(5), connected=True)
    with served(calm, read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(4).wait_for()
        before = page.locator("#time").bounding_box()
        dashboard.show(dying())
        page.locator(".pod.leaving").wait_for()
        page.evaluate(SETTLED)
        assert page.locator("#time").bounding_box() == before


def test_purchases_fly_behind_the_words(page: Page) -> None:
    """Names of pods are read while hundreds of purchases a second pass."""
    with served(dying(), read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(4).wait_for()
        assert page.evaluate(ABOVE)


def test_the_buttons_of_a_small_tile_leave_its_name(page: Page) -> None:
    """Who points at one of twenty pods still reads which it is."""
    with served(DashboardState(many(20), connected=True), read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        tile = page.locator(".pod").nth(4)
        tile.hover()
        name, kill = tile.locator(".name").bounding_box(), tile.locator(".graceful").bounding_box()
        assert name is not None
        assert kill is not None
        assert name["y"] + name["height"] <= kill["y"]
