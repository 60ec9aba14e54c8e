"""The event recorder."""

from __future__ import annotations

from pathlib import Path

from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.resources import EVENTS, NAMESPACES


def test_a_clock_that_is_set_back_silences_nobody(tmp_path: Path) -> None:
    """The spam filter refills by the clock; a day lost must not cost a day of events."""
    now = [1_800_000_000.0]
    registry = Registry(Store(tmp_path / "state.db"), clock=lambda: now[0])
    namespace = registry.create(NAMESPACES, "", {"metadata": {"name": "default"}})
    recorder = EventRecorder(registry, "test", "host")
    recorder.record(NAMESPACES, namespace, "Normal", "Before", "before")
    now[0] -= 86_400
    recorder.record(NAMESPACES, namespace, "Normal", "After", "after")
    assert [event["reason"] for event in registry.store.all(EVENTS)] == ["After", "Before"]
