"""Objects on disk: SQLite below, one revision counter, a history that watches read.

All reads come from memory; every write is committed to SQLite before it is acknowledged, so a
killed process loses nothing. Objects are never changed in place once stored: a write brings a new
dict, and old ones live on in the history.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from flashsale.base.errors import FlashsaleError, room_hint
from flashsale.base.files import put_aside
from flashsale.base.text import quoted
from flashsale.embedded.types import apitypes
from flashsale.embedded.types.resources import ALL, Resource
from flashsale.objects.models import Object, namespaced_name

FORMAT = "1"  # of the file; another one is refused, never converted by guess
HISTORY = 4096  # events that a watch can resume over
HISTORY_BYTES = 16 * 1024 * 1024  # of JSON; of large objects fewer events are kept
DAMAGED = (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT)
EventKind = Literal["ADDED", "MODIFIED", "DELETED"]
log = logging.getLogger(__name__)


class StoreError(FlashsaleError):
    """The state cannot be read or written; nothing was changed."""

    exit_code = 3


class DamagedStoreError(StoreError):
    """The file was cut, or holds rubbish: nobody can read it any more."""


@dataclass(frozen=True, slots=True)
class StoreEvent:
    """One write. For DELETED, ``object`` is the last state with the deletion's own revision."""

    type: EventKind
    resource: Resource
    object: Object
    previous: Object | None
    revision: int
    _lines: list[bytes] = field(default_factory=list, compare=False, repr=False)
    size: int = 0  # bytes of the object as JSON

    def encoded_object(self) -> bytes:
        """The object as JSON; made once and shared by all watches."""
        if not self._lines:
            self._lines.append(encode_object(self.object))
        return self._lines[0]


class Store:
    """The cluster's objects. Synchronous; use it from one thread (the event loop's)."""

    def __init__(self, path: Path) -> None:
        """Open or create the file.

        Raises:
            DamagedStoreError: it is no file of ours, or not any more.
            StoreError: it is from another version, or the disk refuses.
        """
        self.path = path
        self._objects: dict[Resource, dict[tuple[str, str], Object]] = {kind: {} for kind in ALL}
        self._bodies: dict[tuple[Resource, str, str], bytes] = {}
        self._history: list[StoreEvent] = []
        self._history_bytes = 0
        self._dropped = 0  # events that left the history; index 0 is event number _dropped
        self._subscribers: list[Callable[[StoreEvent], None]] = []
        self._wakers: set[asyncio.Future[None]] = set()
        try:
            self._db = sqlite3.connect(path, isolation_level=None)
        except sqlite3.Error as error:
            raise _unreadable(path, error) from error
        try:
            self._open()
        except (sqlite3.Error, ValueError, KeyError) as error:
            self._db.close()
            raise _unreadable(path, error) from error
        self._oldest = self.revision  # watches can start from here on

    def _open(self) -> None:
        db = self._db
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=NORMAL")  # survives a killed process; fsync on checkpoint
        db.execute("CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) STRICT")
        db.execute(
            "CREATE TABLE IF NOT EXISTS objects (resource TEXT, namespace TEXT, name TEXT,"
            " body BLOB, PRIMARY KEY (resource, namespace, name)) STRICT, WITHOUT ROWID"
        )
        meta = dict(db.execute("SELECT key, value FROM meta"))
        if meta.setdefault("format", FORMAT) != FORMAT:
            raise KeyError(f"it has format {meta['format']}, this flashsale reads {FORMAT}")
        db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?), ('revision', '1')", (FORMAT,))
        self.revision = int(meta.get("revision", 1))
        kinds = {resource.qualified: resource for resource in ALL}
        for name, namespace, key, body in db.execute("SELECT * FROM objects"):
            self._remember(kinds[name], namespace, key, json.loads(body), body)

    def close(self) -> None:
        """Close the file; the store must not be used any more."""
        self._db.close()

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Return an object, or None. The caller must not change it."""
        return self._objects[resource].get((namespace, name))

    def all(self, resource: Resource, namespace: str = "") -> list[Object]:
        """Return all objects of a kind as their keys sort in etcd; no namespace means all."""
        return _in_order(self._objects[resource], namespace)

    def all_at(self, revision: int, resource: Resource, namespace: str = "") -> list[Object] | None:
        """Return what :meth:`all` returned at a revision; None if that is forgotten."""
        if revision >= self.revision:
            return self.all(resource, namespace)
        if revision < self._oldest:
            return None
        objects = dict(self._objects[resource])
        for event in reversed(self._history):
            if event.revision <= revision:
                break
            if event.resource is resource:
                key = namespaced_name(event.object)
                if event.previous is None:
                    objects.pop(key, None)
                else:
                    objects[key] = event.previous
        return _in_order(objects, namespace)

    def encoded(self, resource: Resource, thing: Object) -> bytes:
        """Return an object as JSON; the one that is stored without encoding it again."""
        key = namespaced_name(thing)
        if self._objects[resource].get(key) is not thing:
            return encode_object(thing)
        return self._bodies[resource, *key]

    def put(self, resource: Resource, thing: Object) -> Object:
        """Create or replace an object; returns it with its new resourceVersion."""
        namespace, name = namespaced_name(thing)
        previous = self._objects[resource].get((namespace, name))
        revision = self.revision + 1
        thing = thing | {
            "metadata": _ordered(thing["metadata"] | {"resourceVersion": str(revision)})
        }
        body = encode_object(thing)
        with self._transaction(revision):
            self._db.execute(
                "INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?)",
                (resource.qualified, namespace, name, body),
            )
        self._remember(resource, namespace, name, thing, body)
        change: EventKind = "MODIFIED" if previous else "ADDED"
        self._publish(StoreEvent(change, resource, thing, previous, revision, [body], len(body)))
        return thing

    def remove(self, resource: Resource, namespace: str, name: str) -> Object:
        """Delete an object; returns its last state with the deletion's resourceVersion."""
        previous = self._objects[resource][namespace, name]
        revision = self.revision + 1
        last = previous | {"metadata": previous["metadata"] | {"resourceVersion": str(revision)}}
        with self._transaction(revision):
            self._db.execute(
                "DELETE FROM objects WHERE resource = ? AND namespace = ? AND name = ?",
                (resource.qualified, namespace, name),
            )
        del self._objects[resource][namespace, name]
        size = len(self._bodies.pop((resource, namespace, name)))
        self._publish(StoreEvent("DELETED", resource, last, previous, revision, size=size))
        return last

    def subscribe(self, callback: Callable[[StoreEvent], None]) -> contextlib.ExitStack:
        """Call back after every write, before it is acknowledged, until what is returned closes.

        A callback must be quick and must not write: it notes and wakes. One that raises is logged:
        the write is done by then, and all others must hear of it.
        """
        self._subscribers.append(callback)
        until = contextlib.ExitStack()
        until.callback(self._subscribers.remove, callback)
        return until

    def position(self, since: int) -> int | None:
        """Return where the events after revision ``since`` begin; None if they are forgotten.

        Revision 1 is that of an empty store, from before the cluster; nobody can have seen it.
        """
        if since < max(self._oldest, 2):
            return None
        for offset in range(len(self._history), 0, -1):
            if self._history[offset - 1].revision <= since:
                return self._dropped + offset
        return self._dropped

    def end(self) -> int:
        """Return the position of the next event."""
        return self._dropped + len(self._history)

    def events(self, position: int) -> list[StoreEvent] | None:
        """Return the events from a position on; None if the reader is too far behind."""
        if position < self._dropped:
            return None
        return self._history[position - self._dropped :]

    def wait(self) -> asyncio.Future[None]:
        """Return a future that is done at the next write."""
        waker = asyncio.get_running_loop().create_future()
        self._wakers.add(waker)
        waker.add_done_callback(self._wakers.discard)
        return waker

    def _remember(
        self, resource: Resource, namespace: str, name: str, thing: Object, body: bytes
    ) -> None:
        self._objects[resource][namespace, name] = thing
        self._bodies[resource, namespace, name] = body

    def _publish(self, event: StoreEvent) -> None:
        self._history.append(event)
        self._history_bytes += event.size
        if len(self._history) > 2 * HISTORY or self._history_bytes > HISTORY_BYTES:
            self._forget_half()
        for callback in tuple(self._subscribers):
            try:
                callback(event)
            except Exception:
                name, resource = event.object["metadata"]["name"], event.resource.qualified
                log.exception("%s of %s %s", event.type, resource, name)
        for waker in tuple(self._wakers):
            if not waker.done():
                waker.set_result(None)

    def _forget_half(self) -> None:
        """Shorten the history; by halves, so that appending stays cheap."""
        count = (len(self._history) + 1) // 2
        self._oldest = self._history[count - 1].revision
        self._history_bytes -= sum(event.size for event in self._history[:count])
        del self._history[:count]
        self._dropped += count

    @contextlib.contextmanager
    def _transaction(self, revision: int) -> Iterator[None]:
        """Write an object and the counter together; a refused write leaves both as they were."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("UPDATE meta SET value = ? WHERE key = 'revision'", (str(revision),))
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise StoreError(
                f"The cluster's state in {self.path} cannot be written: {error}.",
                hint=room_hint(self.path.parent),
            ) from error
        self.revision = revision


def open_or_put_aside(path: Path) -> tuple[Store, str]:
    """Open the state. One that is damaged is put aside, and the cluster begins without objects.

    Returns:
        The store, and a warning for the user, empty if all is well.

    Raises:
        StoreError: it is from another version, or the disk refuses.
    """
    for suffix in ("", "-wal", "-shm"):
        put_aside(path.with_name(f"{path.name}{suffix}"))
    try:
        return Store(path), ""
    except DamagedStoreError as error:
        for file in path.parent.glob(f"{path.name}*"):
            if "broken" not in file.name:
                file.replace(file.with_name(file.name.replace(path.name, f"{path.name}.broken")))
        return Store(path), f"{error} It is kept as {path.name}.broken; the cluster begins empty."


def _in_order(objects: dict[tuple[str, str], Object], namespace: str) -> list[Object]:
    if namespace:
        return [objects[key] for key in sorted(key for key in objects if key[0] == namespace)]
    return [objects[key] for key in sorted(objects, key="/".join)]  # `a-b/x` before `a/x`


def encode_object(thing: Object) -> bytes:
    return json.dumps(thing, separators=(",", ":"), ensure_ascii=False).encode()


def _unreadable(path: Path, error: Exception) -> StoreError:
    """Tell a damaged file from one that only wants room: sqlite writes when it opens."""
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL:
        return StoreError(
            f"The cluster's state in {path} cannot be opened: {error}.", hint=room_hint(path.parent)
        )
    folder = quoted(path.parent)
    damaged = isinstance(error, ValueError) or getattr(error, "sqlite_errorcode", 0) in DAMAGED
    why = error.args[0] if isinstance(error, KeyError) else error
    return (DamagedStoreError if damaged else StoreError)(
        f"The cluster's state in {path} cannot be read: {why}.",
        hint=f"mv {folder} {folder}.broken && flashsale up",
    )


def _ordered(meta: Object) -> Object:
    """Return metadata in the order of Go's struct, in which clients see it."""
    return {key: meta[key] for key in apitypes.struct("meta.ObjectMeta").fields if key in meta}
