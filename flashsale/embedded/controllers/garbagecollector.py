"""The garbage collector: what is owned goes with its owner (pkg/controller/garbagecollector).

Background: dependents are deleted once their owners are gone. Foreground: the owner waits for those
that block it. Orphan: dependents lose the reference and live on.
"""

from __future__ import annotations

from flashsale.embedded.apiserver.registry.deletion import FOREGROUND, ORPHAN, DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers.event_loop_sharing import Yielder
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.resources import ALL, EVENTS, Resource
from flashsale.objects.fields import with_value
from flashsale.objects.models import Object, namespaced_name

Key = tuple[Resource, str, str]  # resource, namespace, name


class GarbageCollector:
    """Learns from every write which object owns which."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._dependents: dict[str, set[Key]] = {}  # by the owner's uid; none is empty
        self._uids: dict[str, Key] = {}
        self._queue: WorkQueue[Key] = WorkQueue("garbage collector", self.sync)

    async def run(self) -> None:
        with self._store.subscribe(self._changed):
            for resource in ALL:
                for thing in self._store.all(resource):
                    self._note(resource, thing)
            await self._queue.run()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is EVENTS:
            return
        if event.type == "DELETED":
            self._forget(event.resource, event.object)
        else:
            self._note(event.resource, event.object, event.previous)

    def _note(self, resource: Resource, thing: Object, previous: Object | None = None) -> None:
        meta = thing["metadata"]
        key = _key(resource, thing)
        self._uids[meta["uid"]] = key
        owners = {owner["uid"] for owner in meta.get("ownerReferences") or []}
        before = (previous or {}).get("metadata", {}).get("ownerReferences") or []
        for uid in {owner["uid"] for owner in before} - owners:
            self._part(uid, key)
        for uid in owners:
            self._dependents.setdefault(uid, set()).add(key)
        if owners or meta.get("finalizers"):
            self._queue.add(key)

    def _forget(self, resource: Resource, thing: Object) -> None:
        meta, key = thing["metadata"], _key(resource, thing)
        self._uids.pop(meta["uid"], None)
        for owner in meta.get("ownerReferences") or []:
            self._part(owner["uid"], key)
        for dependent in self._dependents.get(meta["uid"], ()):
            self._queue.add(dependent)

    def _part(self, uid: str, dependent: Key) -> None:
        """Note that an owner, if it still exists, has one dependent less."""
        left = self._dependents.get(uid, set())
        left.discard(dependent)
        if not left:
            self._dependents.pop(uid, None)
        if uid in self._uids:
            self._queue.add(self._uids[uid])

    async def sync(self, key: Key) -> None:
        """Collect one object, or finish the deletion of one that waits for its dependents."""
        thing = self._store.get(*key)
        if thing is None:
            return
        if "deletionTimestamp" in thing["metadata"]:
            await self._finish(key, thing)
        else:
            self._collect(key[0], thing)

    async def _finish(self, key: Key, owner: Object) -> None:
        finalizers = owner["metadata"].get("finalizers") or []
        uid, turns = owner["metadata"]["uid"], Yielder()
        if ORPHAN in finalizers:
            for dependent in tuple(self._dependents.get(uid, ())):
                self._drop_references(dependent, {uid})
                await turns.share()
            self._remove_finalizer(key, uid, ORPHAN)
        elif FOREGROUND in finalizers:
            for dependent in tuple(self._dependents.get(uid, ())):
                self._delete(dependent, "Foreground")
                await turns.share()
            left = self._dependents.get(uid, ())
            if not any(self._blocks(dependent, uid) for dependent in left):
                self._remove_finalizer(key, uid, FOREGROUND)

    def _blocks(self, key: Key, uid: str) -> bool:
        dependent = self._store.get(*key)
        owners = dependent["metadata"].get("ownerReferences") or [] if dependent else []
        return any(owner["uid"] == uid and owner.get("blockOwnerDeletion") for owner in owners)

    def _collect(self, resource: Resource, thing: Object) -> None:
        """Delete an object all of whose owners are gone; drop only the dangling references else."""
        owners = thing["metadata"].get("ownerReferences") or []
        gone = {owner["uid"] for owner in owners if owner["uid"] not in self._uids}
        if not gone:
            return
        if len(gone) == len(owners):
            self._delete(_key(resource, thing), "")
        else:
            self._drop_references(_key(resource, thing), gone)

    def _delete(self, key: Key, policy: str) -> None:
        thing = self._store.get(*key)
        if thing is None or "deletionTimestamp" in thing["metadata"]:
            return
        uid = thing["metadata"]["uid"]
        policy = "Foreground" if policy and self._dependents.get(uid) else "Background"
        self._registry.delete(*key, DeleteOptions(policy=policy, uid=uid))

    def _drop_references(self, key: Key, uids: set[str]) -> None:
        thing = self._store.get(*key)
        if thing is None:
            return
        owners = thing["metadata"].get("ownerReferences") or []
        kept = [owner for owner in owners if owner["uid"] not in uids]
        meta = with_value(thing["metadata"], "ownerReferences", kept)
        self._registry.update(*key, thing | {"metadata": meta})

    def _remove_finalizer(self, key: Key, uid: str, finalizer: str) -> None:
        thing = self._store.get(*key)
        if thing is None or thing["metadata"]["uid"] != uid:
            return
        meta = thing["metadata"]
        kept = [name for name in meta.get("finalizers", []) if name != finalizer]
        self._registry.update(*key, thing | {"metadata": with_value(meta, "finalizers", kept)})


def _key(resource: Resource, thing: Object) -> Key:
    return resource, *namespaced_name(thing)
