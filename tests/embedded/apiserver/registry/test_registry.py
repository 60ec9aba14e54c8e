"""The registry: what happens to an object between a request and the store."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import NAMESPACES, PODS, REPLICA_SETS, SERVICES
from flashsale.objects.models import Object, rfc3339, timestamp

NOW = 1_800_000_000.0


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """An empty cluster with the namespace default, at a fixed time."""
    store = Store(tmp_path / "state.db")
    registry = Registry(store, clock=lambda: NOW, rng=random.Random(1))
    registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
    return registry


def pod_body(**meta: Any) -> Object:
    """A small pod."""
    return {
        "metadata": {"name": "p"} | meta,
        "spec": {"containers": [{"name": "c", "image": "flashsale:1.0"}]},
    }


def replicaset_body(replicas: int = 3) -> Object:
    """A small ReplicaSet."""
    labels = {"app": "shop"}
    return {
        "metadata": {"name": "rs"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod_body()["spec"]},
        },
    }


def service_body(**port: Any) -> Object:
    """A NodePort service."""
    return {
        "metadata": {"name": "svc"},
        "spec": {"type": "NodePort", "ports": [{"port": 80} | port]},
    }


def scheduled_pod(registry: Registry, **meta: Any) -> Object:
    """A pod that a node has, so that its deletion is graceful."""
    pod = registry.create(PODS, "default", pod_body(**meta))
    return registry.bind(pod, "embedded")


def test_a_client_cannot_choose_what_the_server_decides(registry: Registry) -> None:
    """uid, times and generation are the server's."""
    pod = registry.create(
        PODS,
        "default",
        pod_body(uid="mine", creationTimestamp="2001-01-01T00:00:00Z", generation=9),
    )
    meta = pod["metadata"]
    assert meta["uid"] != "mine"
    assert meta["creationTimestamp"] == rfc3339(NOW)
    assert meta["generation"] == 1


def test_generated_names_use_the_safe_alphabet(registry: Registry) -> None:
    """Five characters without vowels behind the base."""
    body = pod_body(generateName="flashsale-rs-")
    del body["metadata"]["name"]
    name = registry.create(PODS, "default", body)["metadata"]["name"]
    assert name.startswith("flashsale-rs-")
    assert set(name.removeprefix("flashsale-rs-")) <= set("bcdfghjklmnpqrstvwxz2456789")
    assert len(name) == len("flashsale-rs-") + 5


def test_only_a_changed_spec_raises_the_generation(registry: Registry) -> None:
    """Labels, status and the same spec again leave it alone; the same again is no write at all."""
    old = registry.create(REPLICA_SETS, "default", replicaset_body())
    labelled = old | {"metadata": old["metadata"] | {"labels": {"a": "b"}}}
    labelled = registry.update(REPLICA_SETS, "default", "rs", labelled)
    assert labelled["metadata"]["generation"] == 1
    revision = registry.store.revision
    assert registry.update(REPLICA_SETS, "default", "rs", labelled) == labelled
    assert registry.store.revision == revision
    scaled = labelled | {"spec": labelled["spec"] | {"replicas": 5}}
    assert registry.update(REPLICA_SETS, "default", "rs", scaled)["metadata"]["generation"] == 2


def test_a_stale_resource_version_is_a_conflict(registry: Registry) -> None:
    """Two writers, one of them late."""
    old = registry.create(REPLICA_SETS, "default", replicaset_body())
    new = old | {"spec": old["spec"] | {"replicas": 4}}
    registry.update(REPLICA_SETS, "default", "rs", new)
    with pytest.raises(StatusError, match="the object has been modified") as failure:
        registry.update(REPLICA_SETS, "default", "rs", old)
    assert failure.value.code == 409


def test_a_dry_run_stores_nothing(registry: Registry) -> None:
    """Not on create, update or delete."""
    pod = registry.create(PODS, "default", pod_body())
    revision = registry.store.revision
    registry.create(REPLICA_SETS, "default", replicaset_body(), dry_run=True)
    changed = pod | {"metadata": pod["metadata"] | {"labels": {"x": "y"}}}
    registry.update(PODS, "default", "p", changed, dry_run=True)
    registry.delete(PODS, "default", "p", DeleteOptions(dry_run=True))
    assert registry.store.revision == revision


def test_deleting_a_scheduled_pod_only_marks_it(registry: Registry) -> None:
    """It stays until the kubelet is done; the deadline is written on it."""
    scheduled_pod(registry)
    marked, gone = registry.delete(PODS, "default", "p", DeleteOptions())
    assert not gone
    assert timestamp(marked["metadata"]["deletionTimestamp"]) == NOW + 30
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert marked["metadata"]["generation"] == 2


def test_a_second_deletion_may_only_shorten_the_grace_period(registry: Registry) -> None:
    """Counted from the first request; a longer one changes nothing."""
    scheduled_pod(registry)
    registry.delete(PODS, "default", "p", DeleteOptions(grace=30))
    shorter, _ = registry.delete(PODS, "default", "p", DeleteOptions(grace=5))
    assert timestamp(shorter["metadata"]["deletionTimestamp"]) == NOW + 5
    assert shorter["metadata"]["generation"] == 2
    longer, _ = registry.delete(PODS, "default", "p", DeleteOptions(grace=20))
    assert longer == shorter


def test_a_pod_without_a_node_goes_at_once(registry: Registry) -> None:
    """Nobody has to stop it."""
    registry.create(PODS, "default", pod_body())
    _, gone = registry.delete(PODS, "default", "p", DeleteOptions())
    assert gone
    assert registry.store.get(PODS, "default", "p") is None


def test_forced_deletion_is_told_as_two_events(registry: Registry) -> None:
    """MODIFIED with a grace period of 0, then DELETED, as on a real server."""
    scheduled_pod(registry)
    position = registry.store.position(registry.store.revision)
    assert position is not None
    registry.delete(PODS, "default", "p", DeleteOptions(grace=0))
    events = registry.store.events(position) or []
    assert [event.type for event in events] == ["MODIFIED", "DELETED"]
    assert events[0].object["metadata"]["deletionGracePeriodSeconds"] == 0


def test_a_wrong_uid_precondition_protects_a_namesake(registry: Registry) -> None:
    """The message names both uids."""
    pod = scheduled_pod(registry)
    with pytest.raises(StatusError, match="the UID in the precondition") as failure:
        registry.delete(PODS, "default", "p", DeleteOptions(uid="other"))
    assert failure.value.code == 409
    assert pod["metadata"]["uid"] in failure.value.message


def test_a_finalizer_holds_a_deleted_object(registry: Registry) -> None:
    """It goes with the last finalizer, and its end is all that watches are told of that."""
    registry.create(REPLICA_SETS, "default", replicaset_body())
    marked, gone = registry.delete(
        REPLICA_SETS, "default", "rs", DeleteOptions(policy="Foreground")
    )
    assert not gone
    assert marked["metadata"]["finalizers"] == ["foregroundDeletion"]
    assert marked["metadata"]["generation"] == 2
    meta = {k: v for k, v in marked["metadata"].items() if k != "finalizers"}
    position = registry.store.end()
    registry.update(REPLICA_SETS, "default", "rs", marked | {"metadata": meta})
    assert registry.store.get(REPLICA_SETS, "default", "rs") is None
    (end,) = registry.store.events(position) or ()
    assert (end.type, end.object["metadata"]["finalizers"]) == ("DELETED", ["foregroundDeletion"])


def test_node_ports_are_dealt_from_the_upper_band(registry: Registry) -> None:
    """30000-30085 are left to those who ask by number."""
    service = registry.create(SERVICES, "default", service_body())
    assert 30086 <= service["spec"]["ports"][0]["nodePort"] <= 32767


def test_two_protocols_of_one_port_share_a_node_port(registry: Registry) -> None:
    """As DNS needs it; only when they are first given one."""
    both = service_body()
    port = both["spec"]["ports"][0]
    names = (("a", "TCP"), ("b", "UDP"))
    both["spec"]["ports"] = [port | {"name": name, "protocol": kind} for name, kind in names]
    service = registry.create(SERVICES, "default", both)
    assert len({port["nodePort"] for port in service["spec"]["ports"]}) == 1


@pytest.mark.parametrize(
    ("number", "why"),
    [(30123, "already allocated"), (20000, "not in the valid range")],
)
def test_a_node_port_that_cannot_be_had_is_refused(
    registry: Registry, number: int, why: str
) -> None:
    """Taken by another service, or outside the range."""
    registry.create(SERVICES, "default", service_body(nodePort=30123))
    second = service_body(nodePort=number) | {"metadata": {"name": "second"}}
    with pytest.raises(StatusError, match=why) as failure:
        registry.create(SERVICES, "default", second)
    assert failure.value.code == 422
    assert registry.store.get(SERVICES, "default", "second") is None


def test_a_service_keeps_its_addresses_when_it_is_replaced_without_them(
    registry: Registry,
) -> None:
    """As a client-side apply from a file without nodePort would do."""
    old = registry.create(SERVICES, "default", service_body())
    new = registry.update(SERVICES, "default", "svc", service_body())
    assert new["spec"]["clusterIP"] == old["spec"]["clusterIP"]
    assert new["spec"]["ports"] == old["spec"]["ports"]


def test_nothing_is_created_in_a_namespace_that_does_not_exist(registry: Registry) -> None:
    """404 for the namespace, not for the object."""
    with pytest.raises(StatusError, match='namespaces "nope" not found'):
        registry.create(PODS, "nope", pod_body())


def test_a_namespace_replaced_without_its_spec_still_waits_for_what_is_inside(
    registry: Registry,
) -> None:
    """As `kubectl replace` of a file with nothing but a name does."""
    registry.create(NAMESPACES, "", {"metadata": {"name": "shop"}})
    registry.update(NAMESPACES, "", "shop", {"metadata": {"name": "shop"}})
    _, gone = registry.delete(NAMESPACES, "", "shop", DeleteOptions())
    assert not gone


@pytest.mark.parametrize("asked", [None, 2**63 - 1])
def test_a_grace_period_of_ages_ends_at_a_time_that_can_be_written(
    registry: Registry, asked: int | None
) -> None:
    """Whether the spec has it or the request: both are 64 bits wide."""
    body = pod_body()
    body["spec"] |= {"nodeName": "n", "terminationGracePeriodSeconds": 2**63 - 1}
    registry.create(PODS, "default", body)
    marked, gone = registry.delete(PODS, "default", "p", DeleteOptions(grace=asked))
    assert not gone
    assert timestamp(marked["metadata"]["deletionTimestamp"]) > NOW + 2**30
