"""What has happened, read from the objects that are there now."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from flashsale.learn.evidence import Evidence, from_api, purchases_of, since
from flashsale.objects.models import Object, Pod
from flashsale.sale.observe.observations import EventSeen
from tests.learn.facts import begun, sale
from tests.sale.api_objects import RS_UID, pod_object, replicaset_object

A, B, C, D = (f"flashsale-rs-{letter * 5}" for letter in "abcd")


def event_seen(kind: str, name: str, reason: str, message: str, at: float) -> EventSeen:
    """One event, ``at`` seconds after the first."""
    return EventSeen(0.0, kind, name, "Normal", reason, message, when=at)


def created(*names: str) -> list[EventSeen]:
    """The events of pods that the ReplicaSet made, ten seconds apart."""
    made = partial(event_seen, "ReplicaSet", "flashsale-rs", "SuccessfulCreate")
    return [made(f"Created pod: {name}", 10 * at) for at, name in enumerate(names)]


def evidence(pods: list[Object], events: list[EventSeen]) -> Evidence:
    """Read it."""
    seen = [Pod.from_object(pod) for pod in pods]
    return from_api(replicaset_object(), seen, events)


def own(*names: str) -> list[Object]:
    """Ready pods of the ReplicaSet."""
    return [pod_object(name, ready=True) for name in names]


def test_a_pod_that_is_gone_was_deleted_and_the_next_one_replaced_it() -> None:
    """As the events say, in their order."""
    events = [*created(A, B, C, D), event_seen("Pod", A, "Killing", "Stopping container x", 30)]
    evidence_read = evidence(own(B, C, D), events)
    assert {name: healing.replacement for name, healing in evidence_read.healings.items()} == {A: D}


def test_a_pod_that_the_replicaset_deleted_is_no_victim() -> None:
    """It was surplus."""
    gone = event_seen("ReplicaSet", "flashsale-rs", "SuccessfulDelete", f"Deleted pod: {D}", 9)
    evidence_read = evidence(own(A, B, C), [*created(A, B, C, D), gone])
    assert evidence_read.surplus == {D}
    assert evidence_read.healings == {}


def test_events_that_were_combined_are_read_too() -> None:
    """What Kubernetes makes of more than ten similar ones."""
    text = f"(combined from similar events): Created pod: {D}"
    evidence_read = evidence(
        own(A), [event_seen("ReplicaSet", "flashsale-rs", "SuccessfulCreate", text, 5)]
    )
    assert D in evidence_read.created


def test_a_pod_without_its_owner_was_released() -> None:
    """Also where the event of its creation is gone; a stranger's pod was not."""
    pods = [*own(B, C, D), pod_object(A, ready=True, owner=""), pod_object("other", owner="")]
    evidence_read = evidence(pods, created(D))
    assert evidence_read.released == {A}
    assert evidence_read.healings[A].cause == "released"


def test_a_released_pod_is_replaced_by_the_youngest() -> None:
    """Not by one that came and went long before: when it was released, nothing says."""
    gone = event_seen("Pod", B, "Killing", "Stopping container x", 20)
    free = pod_object(A, ready=True, owner="")
    free["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z"  # as its event says
    evidence_read = evidence([*own(C, D), free], [*created(A, B, C, D), gone])
    assert {name: healing.replacement for name, healing in evidence_read.healings.items()} == {
        A: D,
        B: C,
    }
    assert evidence_read.healings[A].died == evidence_read.healings[A].created


def test_an_old_death_takes_no_released_pod_s_replacement() -> None:
    """Its own replacement may have no event any more: then nobody knows it."""
    gone = event_seen("Pod", B, "Killing", "Stopping container x", 15)
    free = pod_object(A, ready=True, owner="")
    free["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z"
    made = event_seen("ReplicaSet", "flashsale-rs", "SuccessfulCreate", f"Created pod: {D}", 50)
    evidence_read = evidence([*own(D), free], [*created(A, B), gone, made])
    assert evidence_read.healings[A].replacement == D


def test_a_pod_of_an_earlier_sale_was_replaced_by_none_of_this_one() -> None:
    """It had a name like these; Kubernetes keeps its event for an hour."""
    gone = event_seen("Pod", A, "Killing", "Stopping container x", 5)
    replicaset = replicaset_object()
    replicaset["metadata"]["creationTimestamp"] = "1970-01-01T00:00:09Z"
    later = [Pod.from_object(pod) for pod in own(B, C, D)]
    found = from_api(replicaset, later, [gone, *created(A, B, C, D)[1:]])
    assert found.healings == {}


def test_a_pod_of_another_owner_is_nobodys_business() -> None:
    """The namespace may hold other things."""
    pods = [*own(A), pod_object("web-12345", owner="uid-of-web")]
    assert set(evidence(pods, []).created) == {A}
    assert pods[0]["metadata"]["ownerReferences"][0]["uid"] == RS_UID


def test_only_what_comes_after_the_beginning_counts() -> None:
    """Names tell, not clocks: those of the cluster and of this machine may differ."""
    before = begun(sale(A, B, C))
    later = evidence(own(A, B, D), [event_seen("Pod", C, "Killing", "Stopping", 1)])
    counted = since(later, before)
    assert set(counted.created) == {D}
    assert set(counted.healings) == {C}


def test_a_pod_seen_leaving_before_its_event_is_no_victim_in_the_end() -> None:
    """The ReplicaSet deletes first, and says so a moment later."""
    leaving = [*own(A, B, C), pod_object(D, terminating=True)]
    early = evidence(leaving, created(A, B, C, D))
    gone = event_seen("ReplicaSet", "flashsale-rs", "SuccessfulDelete", f"Deleted pod: {D}", 90)
    late = evidence(leaving, [*created(A, B, C, D), gone])
    assert set(early.healings) == {D}
    assert since(early.plus(late), begun(sale(A, B, C))).healings == {}


def test_the_shops_log_tells_purchases_from_everything_else() -> None:
    """And a user's name cannot make up a line."""
    log = (
        "2026-11-27T10:00:00.5Z [8081] [INFO] Booting worker\n"
        "2026-11-27T10:00:01.5Z sold Shoes to 'ann\\n2026-11-27T10:00:01.6Z sold Laptop to x'\n"
    )
    assert [(one.pod, one.item) for one in purchases_of(A, log)] == [(A, "Shoes")]


def test_a_pod_that_is_released_once_more_counts_again() -> None:
    """Whoever tried it before the step may take the same pod."""
    free = pod_object(A, ready=True, owner="")
    free["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z"  # as its event says
    first = evidence([*own(B, C), free], created(A, B, C))
    back = first.plus(evidence(own(A, B, C), created(A, B, C)))
    before = begun(replace(sale(A, B, C), evidence=back))
    assert since(back, before).released == frozenset()
    assert since(back, before).adopted == frozenset()
    again = evidence([*own(B, C, D), free], created(A, B, C, D))
    counted = since(back.plus(again), before)
    assert counted.released == {A}
    assert counted.healings[A].replacement == D


def test_a_pod_that_was_released_and_adopted_may_be_killed_later() -> None:
    """Its first way out, before the step, does not hide the second."""
    free = pod_object(A, ready=True, owner="")
    free["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z"  # as its event says
    back = evidence([*own(B, C), free], created(A, B, C))
    before = begun(replace(sale(A, B, C), evidence=back))
    gone = event_seen("Pod", A, "Killing", "Stopping container x", 30)
    after = back.plus(evidence(own(B, C, D), [*created(A, B, C, D), gone]))
    assert since(back, before).healings == {}
    assert {healing.cause for healing in since(after, before).healings.values()} == {"deleted"}
    assert since(after, before).released == frozenset()
