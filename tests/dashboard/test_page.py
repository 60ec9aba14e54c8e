"""The page in a real browser, with states that are hard to bring about on a real sale."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from flashsale.cli.commands.dashboard import opener
from flashsale.dashboard import dashboard_state as states
from flashsale.dashboard.dashboard_state import Crowd, DashboardState
from flashsale.load.results import Figures, LoadProgress
from flashsale.sale.observe.observations import Observation, StreamSeen
from flashsale.ui.watch.view_model import Board, Place
from tests.dashboard.serving import served
from tests.dashboard.test_page_document import three_nodes
from tests.ui.watch.view_models import fold, many, sight

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

HOSTILE = "<img src=x onerror=document.title='broken'>"


def shown(board: Board) -> DashboardState:
    return DashboardState(board, connected=True)


def seen(state: DashboardState, *observations: Observation) -> DashboardState:
    return replace(state, board=fold(state.board, list(observations)))


def test_a_hundred_pods_fit_a_projector(page: Page) -> None:
    """All at once, without scrolling; a finger on one presses no button that it did not see."""
    with served(shown(many(100)), read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(99).wait_for()
        lowest = page.locator(".pod").nth(99).bounding_box()
        assert lowest is not None
        assert lowest["y"] + lowest["height"] <= 720
        touched = """pod => { const box = pod.getBoundingClientRect();
            return document.elementFromPoint(box.x + box.width / 2, box.y + 30).tagName; }"""
        assert page.locator(".pod").nth(50).evaluate(touched) != "BUTTON"


@pytest.mark.parametrize("count", [3, 100])
def test_nothing_is_wider_than_the_screen(page: Page, count: int) -> None:
    """No page moves sideways, on a phone or a projector."""
    with served(shown(many(count)), read_only=False) as dashboard:
        for width in (320, 390, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 720})
            page.goto(dashboard.guard.address)
            page.locator(".pod").nth(count - 1).wait_for()
            assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_text_from_outside_is_text(page: Page) -> None:
    """Names, reasons and messages of a cluster are never markup."""
    board = replace(many(2), place=Place(HOSTILE, HOSTILE, HOSTILE))
    state = seen(
        shown(board),
        sight(1.0, "changed", 1, status=HOSTILE, waiting=HOSTILE, node=HOSTILE, ready=False),
    )
    with served(state) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod .status").filter(has_text=HOSTILE).wait_for()
        page.locator("#where").filter(has_text=HOSTILE).wait_for()
        assert page.locator("main img, header img").count() == 0
        assert page.title() != "broken"


def test_nodes_are_shown_where_there_are_several(page: Page) -> None:
    """With one, its name says nothing; a dead one is grey, with its pods, and can be started."""
    with served(shown(many(2)), read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(1).wait_for()
        assert page.locator(".pod .node").all_text_contents() == ["", ""]
        state = seen(dashboard.state, *three_nodes(), sight(1.0, "added", 7, node="minikube-m02"))
        dashboard.show(replace(state, kills_nodes=True))
        page.locator(".pod .node").filter(has_text="minikube-m02").wait_for()
        assert page.locator(".pod .node").all_text_contents() == ["minikube"] * 2 + ["minikube-m02"]
        dashboard.show(seen(dashboard.state, *three_nodes("minikube-m02")))
        page.get_by_role("button", name="Start the node minikube-m02").wait_for()
        assert page.locator(".lost-node").all_text_contents()[0].count("does not answer") == 1
        assert page.get_by_role("button", name="Kill the node").count() == 1


def test_a_pod_of_others_is_shown_and_not_offered(page: Page) -> None:
    """The sale's selector finds it, and its ReplicaSet does not own it."""
    ours = sight(1.0, "added", 7)
    state = seen(shown(many(2)), replace(ours, pod=replace(ours.pod, owner_uid="other")))
    with served(state, read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        foreign = page.locator(".pod.foreign")
        foreign.filter(has_text="not of this ReplicaSet").wait_for()
        states = foreign.locator("button").evaluate_all("all => all.map(one => one.ariaDisabled)")
        assert states == ["true"] * 3


def test_what_is_stale_is_grey_and_says_since_when(page: Page) -> None:
    """Until the cluster answers again."""
    with served(shown(many(2))) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(1).wait_for()
        now = time.monotonic()
        lost = StreamSeen(now, "pods", "reconnecting", 2, heard=now - 5, why="refused")
        dashboard.show(seen(dashboard.state, lost))
        page.wait_for_selector("body.stale")
        said = page.inner_text("#banner")
        assert said.startswith("The cluster does not answer; what you see is how the sale was at")
        dashboard.show(seen(dashboard.state, StreamSeen(now, "pods", "live", heard=now)))
        page.wait_for_selector("body:not(.stale)")


def test_dots_fly_only_where_motion_is_welcome(page: Page) -> None:
    """The figures are there for everybody."""
    state = replace(shown(many(2)), crowd=Crowd(100.0))
    names = [pod.pod.name for pod in state.board.state.pods.values()]

    def bought(count: int) -> DashboardState:
        figures = Figures(confirmed=count, pods={names[0]: count})
        return states.with_progress(state, LoadProgress(count / 100, 60.0, 100.0, figures), 0.0)

    for motion, note in (("reduce", ""), ("no-preference", "each dot: 5 purchases")):
        page.emulate_media(reduced_motion=motion)
        with served(bought(100)) as dashboard:
            page.goto(dashboard.guard.address)
            page.locator("#confirmed").filter(has_text="100").wait_for()
            dashboard.show(bought(200))
            page.locator("#confirmed").filter(has_text="200").wait_for()
            assert page.inner_text("#flow-note") == note


def test_the_file_that_opens_the_browser_leads_to_the_page(page: Page, tmp_path: Path) -> None:
    """A browser takes that for another page, and would send no strict cookie after a redirect."""
    with served(shown(many(2))) as dashboard:
        file = tmp_path / "open.html"
        file.write_text(opener(dashboard.guard.address))
        page.goto(file.as_uri())
        page.locator(".pod").nth(1).wait_for()
        assert page.url == f"http://127.0.0.1:{dashboard.guard.port}/"


def test_the_controls_are_near_by_keyboard(page: Page) -> None:
    """Not behind three hundred buttons of a hundred pods."""
    with served(shown(many(100)), read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(99).wait_for()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.ariaLabel") == "One pod less"


def test_every_button_has_a_name(page: Page) -> None:
    """That tells it from the others, for those who hear it."""
    with served(shown(many(3)), read_only=False) as dashboard:
        page.goto(dashboard.guard.address)
        page.locator(".pod").nth(2).wait_for()
        names = page.locator("button").evaluate_all(
            "all => all.map(one => one.form ? `${one.form.id} ${one.ariaLabel || one.innerText}`"
            " : one.ariaLabel || one.innerText)"
        )
    assert all(names)
    assert len(set(names)) == len(names)
