"""The page of a drill: whole in itself, true without scripts, safe whatever a pod is called."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from flashsale.drill.result import Skipped
from flashsale.load.results import Figures
from flashsale.ui.report import UPLOT, VENDOR, page
from flashsale.ui.report.charting import charts
from flashsale.ui.report.wording import causes, milliseconds, share
from tests.drill.drill_results import PLACE, START, life, loss
from tests.drill.report.test_document import written

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
LOSSES = [loss(10.5), loss(10.6), loss(50.0, 55.0, "timeout")]
EVIL = '</script><script>alert("x")</script><img src=x onerror=alert(1)>'


class Reader(HTMLParser):
    """Reads a page without scripts: its text, its elements, its addresses."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.data = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        """Leave scripts and styles."""
        self._inside = ""

    def handle_data(self, data: str) -> None:
        """Keep what people read, and the data of the charts."""
        if self._inside == "script" and self.elements[-1][1].get("id") == "data":
            self.data = data
        elif self._inside not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        """All that is read, in one line."""
        return " ".join(" ".join(self.words).split())


def test_nothing_is_loaded_from_anywhere() -> None:
    """No address in any element, and a policy that forbids the rest."""
    found = Reader(page(written(losses=LOSSES)))
    for tag, attributes in found.elements:
        assert tag not in ("link", "iframe", "img", "object")
        assert not {"src", "href", "srcset", "action"} & attributes.keys()
    policy = next(
        one["content"]
        for tag, one in found.elements
        if tag == "meta" and one.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "url(" not in (VENDOR / "uPlot.min.css").read_text()


def test_the_tables_tell_everything_without_scripts() -> None:
    """Verdict, deaths, losses with their causes, phases, shares, versions, manifest."""
    text = Reader(page(written(losses=LOSSES))).text
    for words in (
        "FAIL",
        "3 of 5,403 purchases lost in 1 kill and 1 scaling.",
        "1 a x 10.0",  # the healing's row begins with kill, victim, replacement, second
        "kill 1 a it was dying 2 reset 2 10.50",
        "unexplained – no pod came or went then 1 timeout 1 50.00",
        "kills 5 10.0",
        "kind: ReplicaSet",
        "v1.36.0+flashsale, an imitation for one machine",
    ):
        assert words in text.replace("\u202f", " ")


def test_a_drill_without_losses_has_no_table_of_them() -> None:
    """What did not happen takes no room."""
    text = Reader(page(written())).text
    assert "PASS" in text
    assert "blamed" not in text


def test_skipped_kills_and_early_ends_show() -> None:
    """The page hides nothing of what the terminal said."""
    told = written(skipped=[Skipped(2, START + 20.0, "it would leave nobody")], ended="interrupted")
    text = Reader(page(told)).text
    assert "Kill 2 was skipped: it would leave nobody." in text
    assert "stopped before its end" in text


def test_a_pod_that_left_before_the_drill_has_no_moment_for_it() -> None:
    """Only when it was gone was seen."""
    leaver = replace(life("old", leaving=-0.08, gone=3.0), missed=frozenset({"leaving"}))
    text = Reader(page(written(lives=[leaver]))).text.replace("\u202f", " ")
    assert "– before 3.00 s" in text
    assert "-0.08" not in text


def test_the_page_claims_no_kill_and_no_change_that_was_not() -> None:
    """One that was stopped in its first calm says what it had: nothing."""
    told = written(kills=[], healings=[], scalings=[], ended="interrupted")
    text = Reader(page(told)).text
    assert ", without a kill." in text
    assert "Pods came and went" not in text
    assert (
        "scaled from 3 to 5 meanwhile, with 1 kill. It deletes a pod"
        in Reader(page(written())).text
    )


def test_hostile_names_stay_text() -> None:
    """A pod's name comes from an answer, a context's from a file: neither becomes markup."""
    told = written(place=replace(PLACE, context=EVIL, manifest=EVIL, replicaset=EVIL))
    told["pods"][0]["name"] = EVIL
    told["healings"][0]["victim"] = EVIL
    text = page(told)
    assert EVIL not in text
    assert (
        html.escape(EVIL, quote=True).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in text
    )
    found = Reader(text)
    assert "img" not in {tag for tag, _ in found.elements}
    assert EVIL in [pod["name"] for pod in json.loads(found.data)["pods"]]


def test_the_charts_stack_every_pod_in_every_second() -> None:
    """Columns of equal length that add up to what was confirmed."""
    told = written(losses=LOSSES)
    drawn = charts(told)
    length = len(drawn["seconds"])
    assert {len(drawn[name]) for name in ("confirmed", "lost", "p50", "p99")} == {length}
    for at in range(length):
        assert sum(pod["counts"][at] for pod in drawn["pods"]) == drawn["confirmed"][at]
    assert sum(drawn["lost"]) == told["load"]["lost"]
    assert [(pod["seat"], pod["turn"]) for pod in drawn["pods"]] == sorted(
        (pod["seat"], pod["turn"]) for pod in drawn["pods"]
    )


def test_a_last_second_that_is_not_whole_is_no_drop_of_the_rate() -> None:
    """Buyers came for 9.8 s: nine whole seconds are drawn, the table names the rest."""
    answers = {at: {"a": 90 if at < 9 else 72} for at in range(10)} | {12: {"a": 1}}
    figures = Figures(sent=883, confirmed=883, seconds=12.4, rate=883 / 9.8)
    told = written(seconds=10, answers=answers, figures=figures)
    assert [row["buyers_seconds"] for row in told["timeline"]] == [1] * 9 + [0.8] + [0] * 3
    drawn = charts(told)
    assert (drawn["whole"], drawn["end"]) == (9, 15.0)  # the last mark is later than the buyers
    assert sum(drawn["confirmed"]) == 883
    text = Reader(page(told)).text.replace("\u202f", " ")
    assert "Buyers came for 9.80 s: what is no whole second at the end" in text
    assert "8 90 0 0" in text
    assert "9 (0.8 s of it) 72 0 0" in text
    assert "12 (no buyers) 0 0 0" in text
    assert "no whole second" not in Reader(page(written())).text


def test_the_charts_mark_kills_ready_moments_and_scalings() -> None:
    """In their order, at their seconds."""
    marks = [(mark["kind"], mark["at"]) for mark in charts(written())["marks"]]
    assert marks == [("scaling", 2.0), ("ready", 3.5), ("kill", 10.0), ("ready", 15.0)]


def test_the_library_is_the_one_that_is_named() -> None:
    """Its own first line says the version; its licence lies beside it."""
    library = (VENDOR / "uPlot.iife.min.js").read_text()
    assert f"(v{UPLOT})" in library.partition("\n")[0]
    assert "MIT License" in (VENDOR / "LICENSE").read_text()
    assert UPLOT in (VENDOR / "README.md").read_text()
    assert "</script" not in library


def test_losses_are_summed_up_by_cause() -> None:
    """The unexplained last, whenever they were."""
    rows = causes(written(losses=[loss(5.0), *LOSSES])["losses"])
    assert [(row["cause"], row["lost"]) for row in rows] == [("kill 1", 2), ("unexplained", 2)]
    assert rows[1]["classes"] == "reset 1, timeout 1"


def test_figures_read_well() -> None:
    """Units after a narrow blank; a dash where nothing is known."""
    assert [milliseconds(one) for one in (1.234, 99.96, 123.4, 2500.0, None, 0.0)] == [
        "1.2\u202fms",
        "100.0\u202fms",
        "123\u202fms",
        "2.50\u202fs",
        "–",
        "–",
    ]
    assert share(1, 3) == "33.3\u202f%"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
@pytest.mark.parametrize("width", [380, 1200])
def test_a_browser_draws_the_charts(width: int, tmp_path: Path) -> None:
    """Three canvases of the page's width, no error, nothing wider than the page."""
    file = tmp_path / "drill.html"
    probe = (
        "<script>addEventListener('error', (e) => document.title = 'ERROR ' + e.message);"
        "setTimeout(() => { const d = document.documentElement;"
        "document.title += ` wide=${d.scrollWidth - d.clientWidth}`; }, 500)</script>"
    )
    text = page(written(losses=LOSSES))
    file.write_text(text.replace("<body>", "<body>" + probe))
    drawn = browsed(file, width, tmp_path / "profile")
    assert drawn.count("<canvas") == 3
    title = re.search(r"<title>(.*?)</title>", drawn)
    assert title is not None
    assert "ERROR" not in title[1]
    assert "wide=0" in title[1]


def browsed(file: Path, width: int, profile: Path) -> str:
    """Open a page in a browser without a screen or a network, and return what it made of it."""
    flags: list[Any] = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={profile}",
        f"--window-size={width},900",
        "--virtual-time-budget=2000",
        "--dump-dom",
        file.as_uri(),
    ]
    done = subprocess.run(
        [str(CHROMIUM), *flags], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout
