"""The same requests to the embedded cluster and to the real API: the same answers.

FLASHSALE_DIFFERENTIAL_EXAMPLES and FLASHSALE_DIFFERENTIAL_SEED run it longer, or elsewhere.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.conformance.api import Answer, Api
from tests.conformance.conftest import (
    EMBEDDED,
    Cluster,
    connected,
    embedded_cluster,
    image_of,
)
from tests.peers import programs
from tests.peers.control_plane import CONTEXT
from tests.peers.differential.compare import differences
from tests.peers.differential.known import KNOWN, known
from tests.peers.differential.requests import COLLECTIONS, Request, examples
from tests.peers.running import real_cluster, skip_unless_built

USUAL = (1, 1000)  # seed, examples
SEED = int(os.environ.get("FLASHSALE_DIFFERENTIAL_SEED", USUAL[0]))
EXAMPLES = int(os.environ.get("FLASHSALE_DIFFERENTIAL_EXAMPLES", USUAL[1]))
NAMESPACE = "differential"
SHOWN = 60  # differences in a report
LIMIT = 30.0  # seconds for a namespace to be usable


@pytest.fixture(scope="module")
def both(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[tuple[Api, Api]]:
    """The real API and ours, each with the namespace of these tests."""
    skip_unless_built(programs.CONTROL_PLANE)
    with ExitStack() as stack:
        real = stack.enter_context(real_cluster(tmp_path_factory.mktemp("real"), "--control-plane"))
        ours = stack.enter_context(embedded_cluster(tmp_path_factory, image_of(pytestconfig)))
        apis = (
            stack.enter_context(connected(Cluster(real, CONTEXT, embedded=False))),
            stack.enter_context(connected(Cluster(ours, EMBEDDED, embedded=True))),
        )
        for api in apis:
            api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
            wait_for(api, f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts/default")
        yield apis


def wait_for(api: Api, path: str) -> None:
    """Wait until a controller made something that pods need."""
    deadline = time.monotonic() + LIMIT
    while api.send("GET", path).status != 200:
        assert time.monotonic() < deadline, f"no {path} within {LIMIT:.0f} s"
        time.sleep(0.05)


@pytest.mark.thorough
@pytest.mark.timeout(1800)
def test_both_answer_alike(both: tuple[Api, Api]) -> None:
    """Status, reason, message and body are the same, or the difference is known.

    In the run that CI makes, each known difference is met: what is mended leaves the list.
    """
    found: Counter[str] = Counter()
    met = set()
    shown_by: dict[str, str] = {}
    numbers = iter(range(10**9))

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(examples())
    def compare(steps: list[Request]) -> None:
        name = f"fuzz-{next(numbers)}"
        for request, real, ours in answered(both, steps, name):
            for difference in differences(real, ours):
                if reason := known(request, difference):
                    met.add(reason)
                else:
                    found[str(difference)] += 1
                    shown_by.setdefault(str(difference), str(request))

    compare()
    shown = [
        f"{count} x {row[:600]}\n  {shown_by[row][:900]}" for row, count in found.most_common(SHOWN)
    ]
    assert not found, f"{len(found)} differences that are not known\n" + "\n\n".join(shown)
    stale = [one.reason for one in KNOWN if one not in met]
    assert not stale or (SEED, EXAMPLES) != USUAL, f"known, and not met any more: {stale}"


def answered(
    both: tuple[Api, Api], steps: list[Request], name: str
) -> Iterator[tuple[Request, Answer, Answer]]:
    """Send an example to both, as long as they agree, and clean up behind it."""
    for request in steps:
        real, ours = (ask(api, request, name) for api in both)
        yield request, real, ours
        if real.status != ours.status:
            break
    for api in both:
        for collection in COLLECTIONS.values():
            path = collection.format(namespace=NAMESPACE)
            api.send("DELETE", f"{path}/{name}", {"gracePeriodSeconds": 0})


def ask(api: Api, request: Request, name: str) -> Answer:
    """Send one request of an example; the answer speaks of `{name}` again."""
    body = filled(request.body, name).encode() if request.body else None
    answer = api.send(
        request.method,
        filled(request.path, name),
        body,
        content_type=request.content_type,
        accept=request.accept,
    )
    steady = answer.body.replace(name.encode(), b"NAME")
    return Answer(answer.status, answer.headers, steady)


def filled(text: str, name: str) -> str:
    """Put the names into a text."""
    return text.replace("{namespace}", NAMESPACE).replace("{name}", name)
