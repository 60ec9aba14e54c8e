"""The page of a drill: whole in itself, true without scripts, safe whatever a pod is called."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from flashsale.base.text import milliseconds
from flashsale.drill.history import ReplicaCount
from flashsale.drill.report.compare import compare
from flashsale.drill.result import NodeDeath, SkippedKill
from flashsale.load.results import Figures
from flashsale.ui.figures import loss_groups, share
from flashsale.ui.report.chart_data import chart_data
from flashsale.ui.report.markdown import drill_report
from flashsale.ui.report.page import UPLOT, VENDOR, comparison_page, drill_page
from tests.drill.drill_results import PLACE, START, life, loss
from tests.drill.report.test_drill_document import written

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
    reader = Reader(drill_page(written(losses=LOSSES)))
    for tag, attributes in reader.elements:
        assert tag not in ("link", "iframe", "img", "object")
        assert not {"src", "href", "srcset", "action"} & attributes.keys()
    policy = next(
        element["content"]
        for tag, element in reader.elements
        if tag == "meta" and element.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "url(" not in (VENDOR / "uPlot.min.css").read_text()


def test_the_tables_tell_everything_without_scripts() -> None:
    """Verdict, deaths, losses with their causes, phases, shares, versions, manifest."""
    text = Reader(drill_page(written(losses=LOSSES))).text
    for words in (
        "FAIL",
        "3 of 5,403 purchases lost in 1 kill and 1 scaling.",
        "1 a x 10.0",  # the healing's row begins with kill, victim, replacement, second
        "kill 1 a it was dying 2 reset 2 10.5 s",
        "unexplained - no pod came or went then 1 timeout 1 50.0 s",
        "kills 5 10.0 s",
        "kind: ReplicaSet",
        "v1.36.0+flashsale, an imitation for one machine",
    ):
        assert words in text


def test_a_drill_without_losses_has_no_table_of_them() -> None:
    """What did not happen takes no room."""
    text = Reader(drill_page(written())).text
    assert "PASS" in text
    assert "its cause" not in text


def test_skipped_kills_and_early_ends_show() -> None:
    """The page hides nothing of what the terminal shows."""
    document = written(
        skipped=[SkippedKill(2, START + 20.0, "it would leave nobody")], ended="interrupted"
    )
    text = Reader(drill_page(document)).text
    assert "Kill 2 was skipped: it would leave nobody." in text
    assert "stopped before its end" in text


def test_a_pod_that_left_before_the_drill_has_no_moment_for_it() -> None:
    """Only when it was gone was seen."""
    leaver = replace(life("old", leaving=-0.08, gone=3.0), missed=frozenset({"leaving"}))
    text = Reader(drill_page(written(pods=[leaver]))).text
    assert "- before 3.0 s" in text
    assert "-0.08" not in text


def test_the_page_claims_no_kill_and_no_change_that_was_not() -> None:
    """One that was stopped in its first calm says what it had: nothing."""
    document = written(kills=[], healings=[], scalings=[], ended="interrupted")
    text = Reader(drill_page(document)).text
    assert ", and no kill." in text
    assert "Pods came and went" not in text
    done = "while the drill scaled from 3 to 5 pods and killed 1 pod. Each kill deletes a pod"
    assert done in Reader(drill_page(written())).text


def test_hostile_names_stay_text() -> None:
    """A pod's name comes from an answer, a context's from a file: neither becomes markup."""
    document = written(environment=replace(PLACE, context=EVIL, manifest=EVIL, replicaset=EVIL))
    document["pods"][0]["name"] = EVIL
    document["healings"][0]["victim"] = EVIL
    text = drill_page(document)
    assert EVIL not in text
    assert (
        html.escape(EVIL, quote=True).replace("&quot;", "&#34;").replace("&#x27;", "&#39;") in text
    )
    reader = Reader(text)
    assert "img" not in {tag for tag, _ in reader.elements}
    assert EVIL in [pod["name"] for pod in json.loads(reader.data)["pods"]]


def test_the_charts_stack_every_pod_in_every_second() -> None:
    """Columns of equal length that add up to what was confirmed."""
    document = written(losses=LOSSES)
    drawn = chart_data(document)
    length = len(drawn["seconds"])
    assert {len(drawn[name]) for name in ("confirmed", "lost", "p50", "p99")} == {length}
    for at in range(length):
        assert sum(pod["counts"][at] for pod in drawn["pods"]) == drawn["confirmed"][at]
    assert sum(drawn["lost"]) == document["load"]["lost"]
    assert [(pod["seat"], pod["turn"]) for pod in drawn["pods"]] == sorted(
        (pod["seat"], pod["turn"]) for pod in drawn["pods"]
    )


def test_a_last_second_that_is_not_whole_is_no_drop_of_the_rate() -> None:
    """Buyers came for 9.8 s: nine whole seconds are drawn, the table names the rest."""
    answers = {at: {"a": 90 if at < 9 else 72} for at in range(10)} | {12: {"a": 1}}
    figures = Figures(sent=883, confirmed=883, seconds=12.4, rate=883 / 9.8)
    document = written(seconds=10, answers=answers, figures=figures)
    assert [row["buyers_seconds"] for row in document["timeline"]] == [1] * 9 + [0.8] + [0] * 3
    drawn = chart_data(document)
    assert (drawn["whole"], drawn["end"]) == (9, 15.0)  # the last mark is later than the buyers
    assert sum(drawn["confirmed"]) == 883
    text = Reader(drill_page(document)).text
    assert "Buyers came for 9.8 s: what is no whole second at the end" in text
    assert "8 90 0 0" in text
    assert "9 (0.80 s of it) 72 0 0" in text
    assert "12 (no buyers) 0 0 0" in text
    assert "no whole second" not in Reader(drill_page(written())).text


def test_the_charts_mark_kills_ready_moments_and_scalings() -> None:
    """In their order, at their seconds."""
    marks = [(mark["kind"], mark["at"]) for mark in chart_data(written())["marks"]]
    assert marks == [("scaling", 2.0), ("ready", 3.5), ("kill", 10.0), ("ready", 15.0)]


def node_death(**wish: Any) -> dict[str, Any]:
    """A drill in which the node n2 dies with the pod a, and comes back."""
    death = NodeDeath("n2", (("a", "a"),), START + 10.0, START + 15.0, START + 20.0, START + 21.0)
    place = replace(PLACE, node_timing="fast nodes: not ready after 5 s")
    return written(node_deaths=(death,), kills=[], environment=place, losses=[loss(10.5)], **wish)


def test_a_nodes_death_is_marked_and_its_pods_are_no_accidents() -> None:
    """From its death until it is back."""
    marks = [(mark["kind"], mark["at"]) for mark in chart_data(node_death())["marks"]]
    assert marks[2:] == [
        ("node", 10.0),
        ("node-state", 15.0),
        ("ready", 15.0),
        ("node-state", 21.0),
    ]


@pytest.mark.parametrize("write", [lambda drill: Reader(drill_page(drill)).text, drill_report])
def test_a_report_shows_what_a_nodes_death_cost(write: Callable[[dict[str, Any]], str]) -> None:
    """Its split, its losses, and that its times are not Kubernetes' own; else not a word of it."""
    shown = " ".join(re.sub(r"[|`]", " ", write(node_death())).split())
    assert "n2 1 10.0 s 5.0 s 10.0 s 11.0 s 1" in shown
    assert "Fast nodes: not ready after 5 s." in shown
    assert "while the drill scaled from 3 to 5 pods and killed 1 node." in shown
    assert "node that died" not in write(written())
    assert "Every node" not in write(written())


def test_the_library_is_the_one_that_is_named() -> None:
    """Its own first line says the version; its licence lies beside it."""
    library = (VENDOR / "uPlot.iife.min.js").read_text()
    assert f"(v{UPLOT})" in library.partition("\n")[0]
    assert "MIT License" in (VENDOR / "LICENSE").read_text()
    assert UPLOT in (VENDOR / "README.md").read_text()
    assert "</script" not in library


def test_losses_are_summed_up_by_cause() -> None:
    """The unexplained last, whenever they were."""
    rows = loss_groups(written(losses=[loss(5.0), *LOSSES])["losses"])
    assert [(row["cause"], row["lost"]) for row in rows] == [("kill 1", 2), ("unexplained", 2)]
    assert rows[1]["classes"] == "reset 1, timeout 1"


def test_figures_read_well() -> None:
    """One form of each unit; a dash where nothing is known."""
    assert [milliseconds(one) for one in (1.234, 99.96, 123.4, 2500.0, None, 0.0)] == [
        "1.2 ms",
        "100.0 ms",
        "123 ms",
        "2.5 s",
        "-",
        "-",
    ]
    assert share(1, 3) == "33.3 %"


def test_three_sentences_come_first() -> None:
    """What was done, what came of it and why, before any figure."""
    document = written(losses=LOSSES)
    text = Reader(drill_page(document)).text
    assert len(document["summary"]) == 3
    places = [text.index(sentence) for sentence in document["summary"]]
    assert places == sorted(places)
    assert places[-1] < text.index("purchases sent")


def test_ten_pods_have_ten_colours() -> None:
    """On light paper and on dark; the script takes as many as the style sheet has."""
    style = (VENDOR.parent / "style.css").read_text()
    seats = re.findall(r"--seat-(\d+): (#[0-9a-f]{6})", style)
    dark = seats.index(("1", next(colour for seat, colour in seats[1:] if seat == "1")))
    for palette in (seats[:dark], seats[dark:]):
        assert len({colour for _, colour in palette}) == len(palette) >= 10
    assert f"const SEATS = {dark};" in (VENDOR.parent / "charts.js").read_text()


def test_paper_keeps_its_colours() -> None:
    """Browsers drop backgrounds in print: swatches and bars ask them not to."""
    style = (VENDOR.parent / "style.css").read_text()
    assert "print-color-adjust: exact" in style[style.index("@media print") :]


def test_desired_and_ready_pods_are_drawn_over_time() -> None:
    """Each change once, what was before the run as its beginning."""
    counts = [ReplicaCount(START + at, 3, ready) for at, ready in ((-2.0, 0), (-1.0, 3), (4.0, 2))]
    drawn = chart_data(written(replica_counts=counts))["replicas"]
    assert drawn == {"at": [0.0, 4.0], "desired": [3, 3], "ready": [3, 2]}


def test_a_comparison_is_a_page_too() -> None:
    """Both verdicts, what was different, what came of it; names of files are text."""
    comparison = compare(written(), written(losses=LOSSES, replicas=4))
    page = comparison_page(comparison, EVIL, "b.json")
    assert EVIL not in page
    text = Reader(page).text
    for words in (
        "A: PASS",
        "B: FAIL",
        "b.json",
        "replicas differs: 3 in A, 4 in B",
        "Every figure",
    ):
        assert words in text


PROBE = """<script>
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
setTimeout(() => {
  const root = document.documentElement;
  const canvases = document.querySelectorAll("canvas").length;
  parent.postMessage({errors, canvases, wide: root.scrollWidth - root.clientWidth}, "*");
}, 500);
</script>"""
FRAME = """<body><iframe src="drill.html" width="{}" height="900"></iframe><pre></pre><script>
onmessage = (event) => document.querySelector("pre").textContent = JSON.stringify(event.data);
</script>"""


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
@pytest.mark.parametrize("width", [320, 1200])
def test_a_browser_draws_the_charts(width: int, tmp_path: Path) -> None:
    """All of them, without an error, and nothing is wider than the narrowest of screens."""
    counts = [ReplicaCount(START - 1.0, 3, 3), ReplicaCount(START + 10.0, 3, 2)]
    text = drill_page(written(losses=LOSSES, replica_counts=counts))
    (tmp_path / "drill.html").write_text(text.replace("<body>", "<body>" + PROBE))
    (tmp_path / "frame.html").write_text(FRAME.format(width))
    shown = browsed(tmp_path / "frame.html", width, tmp_path / "profile")
    match = re.search(r"<pre>(.*?)</pre>", shown)
    assert match is not None
    assert json.loads(html.unescape(match[1])) == {"errors": [], "canvases": 4, "wide": 0}


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
