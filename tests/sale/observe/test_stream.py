"""Six watches become one stream: what comes first, what is left out, and how it ends."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any

import pytest

from flashsale.kube import Api, paths
from flashsale.kube.response_errors import ForbiddenError
from flashsale.kube.watch_types import Changed, Resynced, Stream, WatchTimeouts
from flashsale.sale.observe.observations import (
    EventSeen,
    NodeSeen,
    Observation,
    PodSeen,
    ReplicaSetSeen,
    StreamSeen,
    Synced,
)
from flashsale.sale.observe.stream import Reader, observe_replicaset
from tests.kube.list_watch.lying_api_server import Cluster, refusing

LIMIT = 10.0  # seconds that anything here may take on a busy machine
RS: dict[str, Any] = {
    "metadata": {"name": "rs", "uid": "rs-uid", "resourceVersion": "7"},
    "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "shop"}}, "template": {}},
    "status": {"replicas": 2},
}


@pytest.fixture
def sale(cluster: Cluster) -> Cluster:
    """A cluster with a ReplicaSet and two pods."""
    cluster.others[paths.replicasets("default")] = [RS]
    cluster.put("rs-a")
    cluster.put("rs-b")
    return cluster


async def read(api: Api, *, until: type[Observation]) -> list[Observation]:
    """Follow until something of a kind is seen."""
    seen: list[Observation] = []
    stream = observe_replicaset(api, "default", "rs", "svc", nodes=True)
    async with asyncio.timeout(LIMIT), aclosing(stream) as news:
        async for new in news:
            seen.append(new)
            if isinstance(new, until):
                break
    return seen


async def test_the_replicaset_comes_first_and_then_all_that_is_there(
    sale: Cluster, api: Api
) -> None:
    """Everything that was there is told before `Synced`, which comes once."""
    seen = await read(api, until=Synced)
    assert isinstance(seen[0], ReplicaSetSeen)
    assert [pod_seen.pod.name for pod_seen in seen if isinstance(pod_seen, PodSeen)] == [
        "rs-a",
        "rs-b",
    ]
    assert all(pod_seen.change == "listed" for pod_seen in seen if isinstance(pod_seen, PodSeen))
    assert {stream_seen.source for stream_seen in seen if isinstance(stream_seen, StreamSeen)} >= {
        "replicasets"
    }


async def test_nodes_are_known_before_all_is(sale: Cluster, api: Api) -> None:
    """So that pods are grouped from the first picture on."""
    names = ("node-a", "node-b")
    sale.others[paths.nodes()] = [
        {"metadata": {"name": name, "resourceVersion": "7"}, "spec": {}, "status": {}}
        for name in names
    ]
    seen = await read(api, until=Synced)
    assert (
        tuple(node_seen.node.name for node_seen in seen if isinstance(node_seen, NodeSeen)) == names
    )


async def test_without_a_replicaset_that_is_all_there_is_to_tell(
    cluster: Cluster, api: Api
) -> None:
    """Nobody knows which pods to watch."""
    seen = await read(api, until=StreamSeen)
    assert isinstance(seen[0], ReplicaSetSeen)
    assert seen[0].replicaset is None


async def test_refused_credentials_end_all_of_it(sale: Cluster, api: Api) -> None:
    """One stream that is not allowed is an error, and no task is left behind."""
    sale.lies["list"] = [refusing(403, "no")]
    with pytest.raises(ForbiddenError):
        await read(api, until=Synced)
    assert watches() == []


@pytest.mark.parametrize("forbidden", [paths.events("default"), paths.nodes()])
async def test_what_may_not_be_read_is_gone_without(
    sale: Cluster, api: Api, monkeypatch: pytest.MonkeyPatch, forbidden: str
) -> None:
    """A user who may read pods and ReplicaSets only sees them heal all the same."""
    allowed = api.list_to_watch

    async def list_to_watch(path: str, query: Any = None) -> Any:
        if path == forbidden:
            raise ForbiddenError("not for you")
        return await allowed(path, query)

    monkeypatch.setattr(api, "list_to_watch", list_to_watch)
    seen = await read(api, until=Synced)
    assert [pod_seen.pod.name for pod_seen in seen if isinstance(pod_seen, PodSeen)] == [
        "rs-a",
        "rs-b",
    ]


async def test_a_server_that_freezes_is_noticed_before_its_watches_do(
    sale: Cluster, api: Api
) -> None:
    """They are silent as they are when nothing happens; once it goes on nothing is listed anew."""
    states: list[str] = []
    patience = WatchTimeouts(quiet=0.05, answer=0.2)
    stream = observe_replicaset(api, "default", "rs", "svc", patience=patience)
    async with asyncio.timeout(LIMIT), aclosing(stream) as news:
        async for new in news:
            if isinstance(new, Synced):
                sale.awake.clear()
            if isinstance(new, StreamSeen) and new.source == "server":
                states.append(new.state)
                sale.awake.set()
                if new.state == "live":
                    break
    assert states[0] == "reconnecting"
    assert sale.asked.count("list") == 1


async def test_reading_may_stop_at_any_time(sale: Cluster, api: Api) -> None:
    """And leaves no task behind."""
    await read(api, until=ReplicaSetSeen)
    assert watches() == []


def watches() -> list[str]:
    """The tasks of watches that still run."""
    names = [task.get_name() for task in asyncio.all_tasks()]
    return [name for name in names if name.startswith("watch ")]


def event(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": f"{name}.1", "resourceVersion": "9"},
        "involvedObject": {"kind": "Pod", "name": name},
        "reason": "Killing",
    }


def test_events_of_other_things_are_left_out() -> None:
    """The ReplicaSet's own, its pods', and those of adopted pods are kept."""
    reader = Reader("rs")
    pod = {"metadata": {"name": "bare", "uid": "u", "resourceVersion": "1"}}
    list(reader.read("pods", Resynced(1.0, (pod,))))
    names = ("rs", "rs-abcde", "bare", "other", "rsx-1")
    passed_on = [
        one for name in names for one in reader.read("events", Changed(1.0, "ADDED", event(name)))
    ]
    assert [event_seen.name for event_seen in passed_on if isinstance(event_seen, EventSeen)] == [
        "rs",
        "rs-abcde",
        "bare",
    ]


def test_an_event_that_is_forgotten_is_no_news() -> None:
    """The API server drops them after an hour."""
    assert list(Reader("rs").read("events", Changed(1.0, "DELETED", event("rs-a")))) == []


def test_what_was_missed_happened_after_the_last_word() -> None:
    """A pod that was restarted while nobody could look was away since then, not since now."""
    pod = {"metadata": {"name": "rs-a", "uid": "u", "resourceVersion": "1"}, "status": {}}
    reader = Reader("rs")
    list(reader.read("pods", Stream(5.0, "reconnecting", 1, heard=3.0)))
    seen = next(iter(reader.read("pods", Changed(9.0, "MODIFIED", pod, relisted=True))))
    assert isinstance(seen, PodSeen)
    assert seen.earliest == 3.0
    first_seen = next(iter(reader.read("pods", Changed(9.0, "MODIFIED", pod))))
    assert isinstance(first_seen, PodSeen)
    assert first_seen.earliest == 9.0


def test_what_was_missed_is_lost_and_not_released() -> None:
    """A pod that was gone after listing again."""
    pod = {"metadata": {"name": "rs-a", "uid": "u", "resourceVersion": "1"}, "status": {}}
    for relisted, cause in ((True, "lost"), (False, "released")):
        change = Changed(1.0, "DELETED", pod, relisted=relisted)
        seen = next(iter(Reader("rs").read("pods", change)))
        assert isinstance(seen, PodSeen)
        assert (seen.change, seen.cause) == ("gone", cause)
