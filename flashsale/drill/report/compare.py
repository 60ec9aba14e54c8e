"""Two drills side by side: what differs between their reports, and which of it matters. Pure.

A difference matters when it is more than noise: throughput from 3 %, durations from a fifth and
some absolute size, losses when chance would hardly bring them about.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from math import comb
from typing import Any

from flashsale.base.text import begin_sentence, seconds

Document = Mapping[str, Any]
Figure = float | None
Row = dict[str, Any]  # name, unit ("", "s", "ms" or "/s"), a, b, difference, matters

RATE_NOISE = 0.03  # of throughput
TIME_NOISE = 0.20  # of a duration
HEALING_NOISE = 0.25  # seconds
WAITING_NOISE = 2.0  # milliseconds
UNLIKELY = 0.05  # chance below which two counts of losses count as different
SHOWN = ("verdict", "reason", "started")
REPLICAS = re.compile(r"^  replicas: \d+\n", re.M)
SAME = ("rate", "kills", "every", "replicas", "scale", "grace", "process", "calm", "kill_node")
PLACES = ("kind", "server", "flashsale", "cores", "manifest", "node_timing")
NAMED = {
    "kills": "number of kills",
    "every": "time between kills",
    "replicas": "number of replicas",
    "scale": "number of replicas to scale to",
    "grace": "grace period",
    "process": "choice of killing processes",
    "calm": "calm time",
    "kill_node": "choice of killing a node",
    "kind": "cluster",
    "server": "Kubernetes version",
    "flashsale": "version of flashsale",
    "cores": "number of cores",
}


def compare(a: Document, b: Document) -> dict[str, Any]:
    """Set two reports side by side: the document of `drill --compare -o json`."""
    parts = (_losses, _healing, _node_deaths, _waiting, _throughput)
    rows = [row for part in parts for row in part(a, b)]
    findings = [*_verdicts(a, b), *(_sentence(row) for row in rows if row["matters"])]
    return {
        "a": {key: a[key] for key in SHOWN},
        "b": {key: b[key] for key in SHOWN},
        "differences": list(_differences(a, b)),
        "findings": findings or ["Nothing differs by more than noise."],
        "rows": rows,
    }


def _differences(a: Document, b: Document) -> Iterator[str]:
    for part, names in (("scenario", SAME), ("environment", PLACES)):
        for name in names:
            one, other = a[part].get(name), b[part].get(name)
            if name == "manifest":  # how many there were has a line of its own
                one, other = (REPLICAS.sub("", str(text)) for text in (one, other))
            if one == other:
                continue
            called = NAMED.get(name, name)
            if name == "manifest":
                yield "The manifests differ."
            elif name == "node_timing":
                yield "The times of a lost node differ."
            else:
                yield f"The {called} differs: {_word(one)} in A, {_word(other)} in B."


def _word(value: object) -> str:
    words = {None: "the pod's own", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _verdicts(a: Document, b: Document) -> Iterator[str]:
    if a["verdict"] != b["verdict"]:
        yield f"The verdict on A is {a['verdict']}, on B {b['verdict']}."


def _losses(a: Document, b: Document) -> Iterator[Row]:
    one, other = a["load"], b["load"]
    yield _row("sent", "", one["sent"], other["sent"])
    unlike = chance(one["lost"], one["sent"], other["lost"], other["sent"]) < UNLIKELY
    yield _row("lost", "", one["lost"], other["lost"], lambda _a, _b: unlike)
    yield _row("lost without explanation", "", *_both(a, b, "attribution", "unexplained"))
    yield _row("rejected", "", one["rejected"], other["rejected"])


def _healing(a: Document, b: Document) -> Iterator[Row]:
    matters = larger_than(TIME_NOISE, HEALING_NOISE)
    for name, key in (("healing, half within", "median"), ("healing, the slowest", "worst")):
        yield _row(name, "s", *_both(a, b, "healing_seconds", key), matters)


def _node_deaths(a: Document, b: Document) -> Iterator[Row]:
    """Compare the first node's death of each, where both have one; the nodes may be others."""
    ones, others = a.get("node_deaths"), b.get("node_deaths")
    if not ones or not others:
        return
    matters = larger_than(TIME_NOISE, HEALING_NOISE)
    for name, key in (("not ready", "not_ready"), ("its pods replaced", "replaced")):
        one, other = ones[0][f"{key}_seconds"], others[0][f"{key}_seconds"]
        yield _row(f"node that died, {name}", "s", one, other, matters)
    yield _row("lost by the node's death", "", ones[0]["lost"], others[0]["lost"])


def _waiting(a: Document, b: Document) -> Iterator[Row]:
    matters = larger_than(TIME_NOISE, WAITING_NOISE)
    ones, others = a["load"]["latency_ms"], b["load"]["latency_ms"]
    for name in ("p50", "p99"):
        yield _row(f"latency {name}", "ms", ones[name], others[name], matters)
    yield _row("latency, the longest", "ms", ones["max"], others["max"])  # of one buyer: no pattern


def _throughput(a: Document, b: Document) -> Iterator[Row]:
    """Compare the phases that both have, by their names."""
    ones = {part["name"]: part for part in a["phases"]}
    others = {part["name"]: part for part in b["phases"]}
    for name, phase in ones.items():
        if name in others:
            rates = phase["confirmed_rate"], others[name]["confirmed_rate"]
            yield _row(f"confirmed, {name}", "/s", *rates, larger_than(RATE_NOISE, 0.0))


def never(a: float, b: float) -> bool:
    """Whether a difference of a figure that says nothing by itself matters."""
    return False


def _row(
    name: str, unit: str, a: Figure, b: Figure, matters: Callable[[float, float], bool] = never
) -> Row:
    if a is None or b is None:
        change, matter = None, False
    else:
        change, matter = round(b - a, 3), matters(a, b)
    return {"name": name, "unit": unit, "a": a, "b": b, "difference": change, "matters": matter}


def larger_than(share: float, least: float) -> Callable[[float, float], bool]:
    """Ask for a difference of so large a share of the smaller figure, and so much at least."""

    def matters(a: float, b: float) -> bool:
        return abs(a - b) > max(least, share * min(a, b))

    return matters


def chance(lost_a: int, sent_a: int, lost_b: int, sent_b: int) -> float:
    """Return the chance that purchases lost at random fall this unevenly on two drills.

    An exact binomial test with both sides: given how many were lost in all, each fell on A with
    the probability of A's share of what was sent.
    """
    lost, sent = lost_a + lost_b, sent_a + sent_b
    if not lost or not sent:
        return 1.0
    if lost > 1000:  # far beyond chance, unless the shares are nearly the same
        expected = lost * sent_a / sent
        deviation = (expected * (1 - sent_a / sent)) ** 0.5
        return 0.0 if abs(lost_a - expected) > 3 * deviation else 1.0
    part = sent_a / sent
    odds = [comb(lost, n) * part**n * (1 - part) ** (lost - n) for n in range(lost + 1)]
    return min(1.0, sum(p for p in odds if p <= odds[lost_a] * (1 + 1e-9)))


def _both(a: Document, b: Document, part: str, key: str) -> tuple[Figure, Figure]:
    one, other = a[part], b[part]
    return (one[key] if one else None), (other[key] if other else None)


def _sentence(row: Row) -> str:
    a, b, name = row["a"], row["b"], row["name"]
    times = f", {b / a:.2f} times as much" if a and b else ""
    both = f"{write_figure(a, row['unit'])} in A, {write_figure(b, row['unit'])} in B"
    return f"{begin_sentence(name)}: {both}{times}."


def write_figure(value: Figure, unit: str) -> str:
    """Write a figure with its unit, as precisely as it is worth; unknown is a dash."""
    if value is None:
        return "-"
    if unit == "s":
        return ("-" if value < 0 else "") + seconds(abs(value))
    digits = {"": 0, "ms": 1, "/s": 1}[unit]
    return f"{value:,.{digits}f}{f' {unit}' if unit else ''}"
