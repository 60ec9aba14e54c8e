"""The page in a real browser, on a sale on an embedded cluster, or with `--context` on another.

pytest -n 0 tests/dashboard/test_browser.py --context NAME --image REGISTRY/NAME:TAG
"""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.command import Flashsale, opened_sale
from tests.dashboard.browsing import OnContext, dashboard, text

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sale(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flashsale]:
    """A sale of our own, for what these tests do to it."""
    context, image = request.config.getoption("--context"), request.config.getoption("--image")
    home = tmp_path_factory.mktemp("dashboard") / "home"
    program = OnContext(home, os.environ.get("KUBECONFIG", "")) if context else Flashsale(home)
    there = ["--context", context, "--allow-remote", "--image", image] if context else []
    with opened_sale(program, program.quick_manifest(), *there) as sale:
        yield sale
        program("down")


@pytest.fixture(scope="module")
def address(chromium: Browser, sale: Flashsale) -> Iterator[str]:
    with dashboard(sale) as found:
        yield found


@pytest.fixture
def opened(page: Page, address: str) -> Page:
    """The page, with three ready pods."""
    page.goto(address)
    page.locator(".pod.ready").nth(2).wait_for()
    return page


def test_a_kill_is_seen_from_tile_to_replacement(opened: Page) -> None:
    """The victim leaves, its replacement comes in the same place, and the table says how long."""
    place = opened.locator(".place").first
    victim = place.locator(".pod").get_attribute("aria-label") or ""
    place.get_by_role("button", name=f"Kill {victim} gracefully").click()
    leaving = place.locator(".pod.leaving, .pod.gone")
    leaving.wait_for()
    assert leaving.get_attribute("aria-label") == victim
    heir = place.locator(".pod.ready")
    heir.wait_for()
    assert f"replaces {victim[-5:]}" in (heir.text_content() or "")
    row = text(opened, "#healing-rows tr", holds=rf"{victim[-5:]}deleted.*\d s.*\d s.*\d s.*\d s")
    assert (heir.get_attribute("aria-label") or "")[-5:] in row
    text(opened, "#spoken p", holds=f"{victim} deleted")
    text(opened, "#spoken p", holds="is ready after")
    text(opened, "#answer", holds=f"{victim} was killed")
    leaving.wait_for(state="detached")


def test_a_crashed_process_comes_back_in_the_same_pod(opened: Page) -> None:
    """No tile comes or goes; the restart is counted."""
    tile = opened.locator(".pod.ready").first
    name = tile.get_attribute("aria-label") or ""
    tile.get_by_role("button", name="by its process").click()
    same = opened.locator(f".pod.ready[aria-label='{name}']").filter(has_text="1 restart")
    same.wait_for()
    text(opened, "#healing-rows tr", holds=f"{name[-5:]}crasheditself")


def test_scaling_adds_a_tile_and_takes_it_away(opened: Page) -> None:
    """By a button, and by a number."""
    opened.get_by_role("button", name="One pod more").click()
    opened.locator(".pod.ready").nth(3).wait_for()
    text(opened, "#desired", holds="4")
    opened.get_by_label("Pods to keep").fill("3")
    opened.get_by_role("button", name="Scale", exact=True).click()
    text(opened, "#moments li", holds="scaled from 4 to 3")
    opened.locator(".pod").nth(3).wait_for(state="detached")
    text(opened, "#answer", holds="is scaled from 4 to 3")


def test_a_crowd_buys_until_it_is_stopped(opened: Page) -> None:
    """Every pod shows its share, and the ledger closes."""
    opened.locator("#crowd-rate").fill("60")
    opened.locator("#crowd-button").click()
    for number in range(3):
        tile = opened.locator(".pod.ready").nth(number)
        tile.locator(".part").filter(has_text=re.compile(r"\d %")).wait_for()
    text(opened, "#confirmed", holds=r"[1-9]")
    other = opened.context.new_page()
    other.goto(opened.url)
    other.locator("#crowd-button").filter(has_text="Stop").wait_for()
    other.close()
    text(opened, "#crowd-note", holds="also when this page is closed")
    opened.locator("#drill-button").click()
    text(opened, "#answer.bad", holds="Buyers are coming already")
    opened.locator("#crowd-button").filter(has_text="Stop").click()
    note = text(opened, "#crowd-note", holds="sent, ")
    sent, confirmed, lost = (int(one.replace(",", "")) for one in re.findall(r"[\d,]*\d", note))
    assert (sent, lost) == (confirmed, 0)


def test_a_drill_ends_with_its_verdict_and_a_report(opened: Page) -> None:
    """As the command's, with the same charts."""
    for name, value in (("#crowd-rate", "30"), ("#drill-kills", "1"), ("#drill-scale", "3")):
        opened.locator(name).fill(value)
    opened.locator("#drill-button").click()
    text(opened, "#answer", holds="The drill began: 1 kill. It deletes a pod, which gets its grace")
    opened.wait_for_selector("#verdict:visible", timeout=90_000)
    text(opened, "#verdict-word", holds="PASS|FAIL|INCONCLUSIVE")
    with opened.context.expect_page() as report:
        opened.locator("#verdict a").click()
    report.value.locator("#chart-sales canvas").first.wait_for()


def test_what_cannot_be_done_is_said_as_on_the_command_line(sale: Flashsale, opened: Page) -> None:
    """Sentence and hint."""
    opened.get_by_label("Pods to keep").fill("101")
    opened.get_by_role("button", name="Scale", exact=True).click()
    said = text(opened, "#answer.bad", holds="pods")
    typed = sale("scale", "101").err
    error, hint = re.findall(r"^(?:Error|Hint): (.*)$", typed, re.MULTILINE)
    assert said.strip() == f"{error} {hint}"


def test_the_focus_goes_on_to_the_replacement(opened: Page) -> None:
    """By keyboard alone: whoever killed a pod stands on the one that came in its place."""
    button = opened.locator(".place").nth(1).locator("button.hard")
    button.focus()
    opened.keyboard.press("Enter")
    victim = opened.locator(".place").nth(1).locator(".leaving, .gone")
    victim.wait_for()
    victim.wait_for(state="detached")
    opened.locator(".pod.ready").nth(2).wait_for()
    heir = opened.locator(".place").nth(1).locator("button.hard")
    assert heir.evaluate("button => button === document.activeElement")


def test_read_only_shows_everything_and_changes_nothing(page: Page, sale: Flashsale) -> None:
    """No button is there, and an action that is asked for all the same is refused."""
    with dashboard(sale, "--read-only") as address:
        page.goto(address)
        page.locator(".pod.ready").nth(2).wait_for()
        assert page.locator("button:visible").count() == 0
        answer = page.evaluate(
            """async () => (await fetch("actions/scale", {method: "POST", body: "{}",
            headers: {"X-Flashsale-Key": localStorage.getItem("flashsale-key")}})).json()"""
        )
    assert answer["error"] == "This dashboard only shows the sale."


class Elsewhere(BaseHTTPRequestHandler):
    """Another page, on another port of this machine."""

    def do_GET(self) -> None:
        self.server.cookies.append(self.headers.get("Cookie") or "")  # type: ignore[attr-defined]
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<title>elsewhere</title>")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def elsewhere() -> Iterator[ThreadingHTTPServer]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        server.cookies = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_another_page_gets_nothing(opened: Page, elsewhere: ThreadingHTTPServer) -> None:
    """In the same browser, also where it is sent our cookie and repeats it."""
    home = opened.url
    other = opened.context.new_page()
    other.goto(f"http://127.0.0.1:{elsewhere.server_address[1]}/")
    asked = """async url => { try {
        const answer = await fetch(url, {method: "POST", mode: "no-cors", credentials: "include",
            body: '{"replicas": 9}'});
        return answer.type } catch { return "failed" } }"""
    assert other.evaluate(asked, f"{home}actions/scale") in ("opaque", "failed")
    assert other.evaluate("url => fetch(url).then(() => true, () => false)", home) is False
    text(opened, "#desired", holds="3")
    (cookie,) = [cooky for cooky in elsewhere.cookies if "flashsale" in cooky][:1]  # type: ignore[attr-defined]
    answer = opened.context.request.post(
        f"{home}actions/scale", headers={"Cookie": cookie, "Origin": home.rstrip("/")}, data={}
    )
    assert answer.status == 403


def test_a_browser_without_the_token_gets_nothing(chromium: Browser, address: str) -> None:
    """Another user's, say."""
    context = chromium.new_context()
    stranger = context.new_page()
    answer = stranger.goto(address.partition("?")[0])
    assert answer is not None
    assert answer.status == 403
    assert "needs its token" in stranger.inner_text("body")
    context.close()


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_crowd_as_well(
    page: Page, sale: Flashsale, sent: signal.Signals, code: int
) -> None:
    """Nobody goes on buying when the window that sent them is closed."""
    with sale.start("dashboard", "--no-open") as serving:
        assert serving.stdout is not None
        page.goto(serving.stdout.readline().strip())
        page.locator("#crowd-button").click()
        text(page, "#confirmed", holds="[1-9]")
        children = Path(f"/proc/{serving.pid}/task/{serving.pid}/children").read_text().split()
        assert children
        serving.send_signal(sent)
        assert serving.wait(30) == code
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []
    assert not (sale.home / "load.json").exists()


def test_an_ended_dashboard_is_said(page: Page, sale: Flashsale) -> None:
    """The page outlives it, and must not look alive."""
    with dashboard(sale) as address:
        page.goto(address)
        page.locator(".pod.ready").nth(2).wait_for()
    text(page, "#banner", holds="The dashboard has ended")
    page.wait_for_selector("body.stale")
