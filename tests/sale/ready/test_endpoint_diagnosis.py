"""Why an address does not lead to the sale: Warnings that hold, strangers, and the words."""

from __future__ import annotations

from typing import Any

import pytest

from flashsale.objects.models import Object, Pod, Service, rfc3339
from flashsale.sale.ready import endpoint_diagnosis
from tests.sale.api_objects import pod_object, pod_view

NOW = 1_800_000_000.0
URL = "http://127.0.0.1:30555"


def event_of(reason: str, seconds_ago: float, **more: Any) -> Object:
    """A Warning about the Service."""
    when = rfc3339(NOW - seconds_ago)
    return {"type": "Warning", "reason": reason, "message": "m", "lastTimestamp": when, **more}


@pytest.mark.parametrize(
    ("event", "holds"),
    [
        (event_of("NodePortInUse", 5), True),
        (event_of("NodePortInUse", 11), False),
        (event_of("NodePortInUse", 200, count=25), True),
        (event_of("NodePortInUse", 400, count=25), False),
        (event_of("NodePortInUse", 2, type="Normal"), False),
        (event_of("SyncLoadBalancerFailed", 30), True),
        (event_of("SyncLoadBalancerFailed", 90), False),
        (event_of("FailedToUpdateEndpointSlices", 1), False),
        ({"type": "Warning", "reason": "NodePortInUse", "lastTimestamp": None}, False),
        (event_of("X", 900, series={"count": 3, "lastObservedTime": None}), False),
    ],
)
def test_warning_holds_while_it_is_repeated(event: Object, holds: bool) -> None:
    """No event says that a trouble is over; one that is told often is told seldom later."""
    assert (endpoint_diagnosis.newest_lasting([event], NOW) is event) is holds


def test_taken_port_counts_more_than_any_other_warning() -> None:
    """It alone explains why a stranger answers."""
    port, newer = event_of("NodePortInUse", 5), event_of("SyncLoadBalancerFailed", 1)
    assert endpoint_diagnosis.newest_lasting([port, newer], NOW) is port


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        ("flashsale-rs-x7k2p", False),
        ("flashsale-rs-zzzzz", True),
        ("flashsale-rs-", False),
        ("unknown", False),
        ("my laptop", False),
        ("", False),
    ],
)
def test_only_another_pods_name_makes_a_stranger(named: str, expected: bool) -> None:
    """A learner's app may call itself whatever it likes."""
    assert endpoint_diagnosis.is_stranger(named, [pod_view("flashsale-rs-x7k2p")]) is expected


def test_name_that_was_cut_to_a_host_name_is_ours() -> None:
    """Linux allows 63 characters."""
    name = "a" * 60 + "-x7k2p"
    assert not endpoint_diagnosis.is_stranger(name[:63], [pod_view(name)])


def service(target: object = 5000, **more: Any) -> Object:
    """A Service with one port."""
    port = {"port": 80, "targetPort": target, "nodePort": 30555, **more}
    return {"metadata": {"name": "svc"}, "spec": {"type": "NodePort", "ports": [port]}}


def pod(*ports: Object) -> Object:
    """A pod that declares ports."""
    made = pod_object(ready=True)
    made["spec"]["containers"][0]["ports"] = list(ports)
    return made


@pytest.mark.parametrize(
    ("target", "ports", "log", "words"),
    [
        (80, [{"containerPort": 5000}], "", "targetPort 80, where no container listens"),
        ("web", [{"name": "http", "containerPort": 5000}], "", "targetPort web, where no"),
        ("http", [{"name": "http", "containerPort": 5000}], "", f"but {URL} gives no answer: how."),
        (5000, [], "", f"but {URL} gives no answer: how."),
        (5000, [], "Listening at: http://0.0.0.0:8000 (1)", "the app listens on port 8000 (how)."),
        (5000, [], "Listening at: http://0.0.0.0:5000 (1)", f"but {URL} gives no answer: how."),
    ],
)
def test_why_nobody_answers(target: object, ports: list[Object], log: str, words: str) -> None:
    """As precisely as Service, containers and log tell."""
    view, pods = Service.from_object(service(target)), [Pod.from_object(pod(*ports))]
    assert words in endpoint_diagnosis.no_answer_problem(URL, "how", view, pods, log).sentence


def test_taken_port_has_a_way_out() -> None:
    """The manifest's own port can be changed there; another is drawn anew."""
    view = Service.from_object(service())
    assert (
        "change nodePort in the manifest"
        in endpoint_diagnosis.port_taken_problem(view, requested=True).hint
    )
    assert (
        "flashsale down && flashsale up"
        in endpoint_diagnosis.port_taken_problem(view, requested=False).hint
    )


def test_other_warnings_are_told_in_the_clusters_words() -> None:
    """In one line, whatever they are."""
    event = event_of("SyncLoadBalancerFailed", 1, message="no quota left.")
    line = endpoint_diagnosis.endpoint_warning(event, Service.from_object(service()), URL)
    assert line == "The Service svc is in trouble: no quota left."
