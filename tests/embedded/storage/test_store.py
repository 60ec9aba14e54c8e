"""The store: nothing acknowledged is lost, watches resume, strangers are refused."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from flashsale.embedded.storage import store as store_module
from flashsale.embedded.storage.store import Store, StoreError, StoreEvent
from flashsale.embedded.types.resources import CONFIG_MAPS, PODS
from flashsale.objects.models import Object

WRITER = """
import sys
from pathlib import Path
from flashsale.embedded.types.resources import CONFIG_MAPS
from flashsale.embedded.storage.store import Store
store = Store(Path(sys.argv[1]))
for number in range(100_000):
    store.put(CONFIG_MAPS, {"metadata": {"namespace": "default", "name": f"n{number}"}})
    print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An empty store."""
    return Store(tmp_path / "state.db")


def config(name: str, **data: str) -> Object:
    """A ConfigMap as it is stored."""
    return {"metadata": {"namespace": "default", "name": name}, "data": data}


def test_revisions_rise_by_one_with_every_write_of_any_kind(store: Store) -> None:
    """One counter orders everything."""
    first = store.revision
    store.put(CONFIG_MAPS, config("a"))
    store.put(PODS, config("p"))
    last = store.remove(CONFIG_MAPS, "default", "a")
    assert store.revision == first + 3
    assert last["metadata"]["resourceVersion"] == str(first + 3)


def test_a_new_process_reads_what_was_written_and_never_reuses_a_revision(tmp_path: Path) -> None:
    """Also the revision of a deletion, which left no object behind."""
    store = Store(tmp_path / "state.db")
    store.put(CONFIG_MAPS, config("kept", a="1"))
    store.put(CONFIG_MAPS, config("gone"))
    store.remove(CONFIG_MAPS, "default", "gone")
    revision = store.revision
    store.close()
    again = Store(tmp_path / "state.db")
    found = again.get(CONFIG_MAPS, "default", "kept")
    assert found is not None
    assert found["data"] == {"a": "1"}
    assert again.get(CONFIG_MAPS, "default", "gone") is None
    assert again.revision == revision


def test_a_killed_process_loses_no_acknowledged_write(tmp_path: Path) -> None:
    """SIGKILL in the middle of writing: all that was reported is there."""
    path = tmp_path / "state.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if int(line) == 300:
                os.kill(writer.pid, signal.SIGKILL)
                break
        reported = [300, *(int(line) for line in writer.stdout if line.endswith("\n"))]
    store = Store(path)
    missing = [n for n in range(reported[-1] + 1) if not store.get(CONFIG_MAPS, "default", f"n{n}")]
    assert missing == []


def test_a_full_disk_refuses_the_write_and_keeps_what_was(store: Store) -> None:
    """The object, the revision and the history are as before; the error names the cause."""
    store.put(CONFIG_MAPS, config("a", text="old"))
    revision = store.revision
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreError, match="full"):
        store.put(CONFIG_MAPS, config("a", text="x" * 1_000_000))
    found = store.get(CONFIG_MAPS, "default", "a")
    assert found is not None
    assert found["data"] == {"text": "old"}
    assert store.revision == revision


def test_a_watch_resumes_after_its_revision(store: Store) -> None:
    """Events after N, none before, each once."""
    store.put(CONFIG_MAPS, config("a"))
    since = store.revision
    store.put(CONFIG_MAPS, config("b"))
    store.put(CONFIG_MAPS, config("b", x="1"))
    position = store.position(since)
    assert position is not None
    events = store.events(position)
    assert [(e.type, e.revision - since) for e in events or []] == [("ADDED", 1), ("MODIFIED", 2)]


def test_a_revision_that_history_forgot_is_too_old(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """None for the oldest, a position for one that is still remembered."""
    monkeypatch.setattr(store_module, "HISTORY", 10)
    first = store.revision
    for number in range(50):
        store.put(CONFIG_MAPS, config("a", n=str(number)))
    assert store.position(first) is None
    assert store.position(store.revision - 3) is not None
    assert store.events(0) is None


def test_large_objects_are_forgotten_sooner(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand versions of an EndpointSlice must not fill the memory."""
    monkeypatch.setattr(store_module, "HISTORY_BYTES", 100_000)
    for _ in range(50):
        store.put(CONFIG_MAPS, config("a", text="x" * 10_000))
        store.put(CONFIG_MAPS, config("b", text="x" * 10_000))
        store.remove(CONFIG_MAPS, "default", "b")
        assert sum(event.size for event in store._history) <= 100_000
    assert store.position(store.revision - 3) is not None


def test_a_restarted_store_has_no_history_before_its_start(tmp_path: Path) -> None:
    """A watch that was interrupted by the restart must list again; a current one goes on."""
    store = Store(tmp_path / "state.db")
    store.put(CONFIG_MAPS, config("a"))
    before = store.revision
    store.put(CONFIG_MAPS, config("b"))
    store.close()
    again = Store(tmp_path / "state.db")
    assert again.position(before) is None
    assert again.position(again.revision) is not None


async def test_every_waiter_wakes_at_the_next_write(store: Store) -> None:
    """Fifty waiters, one write."""
    waiters = [store.wait() for _ in range(50)]
    store.put(CONFIG_MAPS, config("a"))
    async with asyncio.timeout(5):
        await asyncio.gather(*waiters)


def test_subscribers_hear_of_a_write_before_it_is_acknowledged(store: Store) -> None:
    """So a pod leaves the load balancer before the deletion's answer is sent."""
    heard: list[StoreEvent] = []
    until = store.subscribe(heard.append)
    store.put(CONFIG_MAPS, config("a"))
    assert [event.type for event in heard] == ["ADDED"]
    until.close()
    store.put(CONFIG_MAPS, config("b"))
    assert len(heard) == 1


def test_a_subscriber_that_raises_spoils_neither_the_write_nor_the_others(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    """The write is on disk by then: to refuse it would be a lie, to tell half of them another."""
    heard: list[StoreEvent] = []

    def broken(event: StoreEvent) -> None:
        raise KeyError("status")

    store.subscribe(broken)
    store.subscribe(heard.append)
    assert store.put(CONFIG_MAPS, config("a"))["metadata"]["resourceVersion"] == "2"
    assert [event.type for event in heard] == ["ADDED"]
    assert "ADDED of configmaps a" in caplog.text


@pytest.mark.parametrize("content", [b"not a database at all, but long enough " * 40, b"\0" * 5000])
def test_a_foreign_file_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    """The message names the file; its content stays."""
    path = tmp_path / "state.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"state\.db"):
        Store(path)
    assert path.read_bytes() == content


def test_another_format_is_refused(tmp_path: Path) -> None:
    """The state of another version is never converted by guess."""
    path = tmp_path / "state.db"
    Store(path).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '99' WHERE key = 'format'")
    db.close()
    with pytest.raises(StoreError, match="format 99"):
        Store(path)


def test_a_list_of_all_namespaces_is_in_the_order_of_etcds_keys(store: Store) -> None:
    """`/shop-b/x` comes before `/shop/x`, as on a real v1.36.2."""
    for namespace in ("shop", "shop-b", "a"):
        store.put(CONFIG_MAPS, {"metadata": {"namespace": namespace, "name": "x"}})
    found = [obj["metadata"]["namespace"] for obj in store.all(CONFIG_MAPS)]
    assert found == ["a", "shop-b", "shop"]
