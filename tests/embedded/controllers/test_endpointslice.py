"""The EndpointSlices of a Service, as the controller writes them."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers import endpointslice
from flashsale.embedded.controllers.endpointslice import EndpointsController
from flashsale.embedded.storage.store import Store, StoreEvent
from flashsale.embedded.types.resources import ENDPOINT_SLICES, NAMESPACES, PODS, SERVICES
from tests.virtual_time import in_virtual_time

LABELS = {"app": "shop"}


@in_virtual_time
async def test_pods_that_change_together_make_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty pods that come at once are not twenty versions of the slice; who goes, goes now."""
    monkeypatch.setattr(endpointslice, "BATCH_SECONDS", 1.0)
    registry = Registry(Store(tmp_path / "state.db"))
    registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
    spec = {"selector": LABELS, "ports": [{"port": 80}]}
    registry.create(SERVICES, "default", {"metadata": {"name": "svc"}, "spec": spec})
    written: list[StoreEvent] = []
    registry.store.subscribe(
        lambda event: written.append(event) if event.resource is ENDPOINT_SLICES else None
    )
    work = asyncio.create_task(EndpointsController(registry).run())
    async with asyncio.timeout(10):
        while not written:
            await registry.store.wait()
        for number in range(20):
            body = {
                "metadata": {"name": f"p{number}", "labels": LABELS},
                "spec": {"containers": [{"name": "c", "image": "x"}]},
            }
            pod = registry.create(PODS, "default", body)
            status = pod["status"] | {"podIP": f"127.1.2.{number + 2}"}
            registry.set_status(PODS, pod, status)
            await asyncio.sleep(0)
        while len(written[-1].object["endpoints"] or []) < 20:
            await registry.store.wait()
        assert [event.type for event in written] == ["ADDED", "MODIFIED"]
        monkeypatch.setattr(endpointslice, "BATCH_SECONDS", 3600.0)
        registry.delete(PODS, "default", "p0", DeleteOptions())
        while len(written) == 2:
            await registry.store.wait()
        assert len(written[-1].object["endpoints"]) == 19
    work.cancel()
    await asyncio.wait({work})


def test_ports_in_the_order_of_their_hashes() -> None:
    """Slices and Endpoints list ports as Kubernetes v1.36.2 does."""
    ports = [
        {"name": "a", "port": 80, "targetPort": 8000, "protocol": "TCP"},
        {"name": "b", "port": 81, "targetPort": 8000, "protocol": "TCP"},
        {"name": "c", "port": 82, "targetPort": 82, "protocol": "UDP"},
    ]
    service = {"metadata": {"name": "multi"}, "spec": {"selector": LABELS, "ports": ports}}
    pod = {
        "metadata": {"name": "p", "namespace": "default", "uid": "1", "labels": LABELS},
        "spec": {"containers": [{"name": "c"}], "nodeName": "n"},
        "status": {"podIP": "10.0.0.1", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    (body,) = endpointslice.slice_bodies(service, [pod])
    (subset,) = endpointslice.legacy_subsets(service, [pod])
    assert [port["name"] for port in body["ports"]] == ["c", "b", "a"]
    assert [port["name"] for port in subset["ports"]] == ["a", "c", "b"]
