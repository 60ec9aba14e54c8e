"""The ReplicaSet controller: keeps as many pods as were asked for, and says what it did."""

from __future__ import annotations

from collections.abc import Sequence

from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.controllers import MANAGER, owner_reference
from flashsale.embedded.controllers.event_loop_sharing import Yielder
from flashsale.embedded.controllers.event_recorder import EventRecorder
from flashsale.embedded.controllers.replicaset import replicaset_plan
from flashsale.embedded.controllers.workqueue import WorkQueue
from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.embedded.storage.store import StoreEvent
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import PODS, REPLICA_SETS
from flashsale.objects.fields import with_value
from flashsale.objects.models import Object, controller_uid, labels_of, namespaced_name, rfc3339

Key = tuple[str, str]  # namespace, name


class ReplicaSetController:
    """Watches ReplicaSets and pods; one sync at a time for each ReplicaSet."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._store = registry.store
        self._events = EventRecorder(registry, "replicaset-controller")
        self._queue: WorkQueue[Key] = WorkQueue("replicaset", self.sync)

    async def run(self) -> None:
        with self._store.subscribe(self._changed):
            for replicaset in self._store.all(REPLICA_SETS):
                self._add(replicaset)
            await self._queue.run()

    def _changed(self, event: StoreEvent) -> None:
        if event.resource is REPLICA_SETS:
            self._add(event.object)
        elif event.resource is PODS:
            for pod in (event.object, event.previous):
                if pod is not None:
                    self._add_owner_of(pod)

    def _add(self, replicaset: Object) -> None:
        self._queue.add(namespaced_name(replicaset))

    def _add_owner_of(self, pod: Object) -> None:
        """Queue the owner; for an orphan every ReplicaSet that could adopt it."""
        uid, labels = controller_uid(pod), labels_of(pod)
        for replicaset in self._store.all(REPLICA_SETS, pod["metadata"]["namespace"]):
            if uid:
                wanted = replicaset["metadata"]["uid"] == uid
            else:
                wanted = from_label_selector(replicaset["spec"]["selector"]).matches(labels)
            if wanted:
                self._add(replicaset)

    async def sync(self, key: Key) -> None:
        """Bring one ReplicaSet one step nearer to its wish.

        Raises:
            StatusError: a pod could not be created or deleted; the queue tries again.
        """
        replicaset = self._store.get(REPLICA_SETS, *key)
        if replicaset is None:
            return
        owned = self._claimed(replicaset)
        now = self._registry.clock()
        plan = replicaset_plan.plan(replicaset, owned, now=now)
        error = await self._act(replicaset, plan)
        failure = _failure(replicaset, plan, error, now)
        status = replicaset_plan.calculate_status(replicaset, owned, now=now, failure=failure)
        self._registry.set_status(REPLICA_SETS, replicaset, status, MANAGER)
        due = replicaset_plan.next_available(replicaset, owned, now=now)
        if due is not None:
            self._queue.add_after(key, due - now)
        if error is not None:
            raise error

    def _claimed(self, replicaset: Object) -> list[Object]:
        """Adopt and release, then return the pods that are this ReplicaSet's."""
        pods = self._store.all(PODS, replicaset["metadata"]["namespace"])
        claim = replicaset_plan.claim(replicaset, pods)
        uid = replicaset["metadata"]["uid"]
        for pod in claim.release:
            owners = [o for o in pod["metadata"]["ownerReferences"] if o["uid"] != uid]
            self._set_owners(pod, owners)
        adopted = []
        for pod in claim.adopt:
            owners = pod["metadata"].get("ownerReferences") or []
            own = owner_reference(REPLICA_SETS, replicaset)
            adopted.append(self._set_owners(pod, [*owners, own]))
        return [*claim.owned, *adopted]

    def _set_owners(self, pod: Object, owners: list[Object]) -> Object:
        meta = with_value(pod["metadata"], "ownerReferences", owners)
        return self._registry.update(PODS, *namespaced_name(pod), pod | {"metadata": meta})

    async def _act(self, replicaset: Object, plan: replicaset_plan.Plan) -> StatusError | None:
        """Carry out a plan; returns the first error, which ends it.

        Hundreds of pods take a while, in which others have their turn. A changed wish ends the
        plan, for the sync that it asks for decides anew. manageReplicas in
        pkg/controller/replicaset/replica_set.go finishes what it has begun, up to burstReplicas
        (500); but it writes them all at once, and here they come one after the other.
        """
        return await self._create_all(replicaset, plan.create) or await self._delete_all(
            replicaset, plan.delete
        )

    async def _create_all(self, replicaset: Object, count: int) -> StatusError | None:
        turns, batch, created = Yielder(), 1, 0
        while created < count and self._holds(replicaset):
            if error := self._create(replicaset):
                return error
            created += 1
            if created == 2 * batch - 1:  # slow start: the first ones are seen on their way
                batch *= 2
                await turns.give()
            await turns.share()
        return None

    async def _delete_all(self, replicaset: Object, pods: Sequence[Object]) -> StatusError | None:
        turns = Yielder()
        for pod in pods:
            if not self._holds(replicaset):
                return None
            if error := self._delete(replicaset, pod):
                return error
            await turns.share()
        return None

    def _holds(self, planned: Object) -> bool:
        """Whether a ReplicaSet still wants what was planned for it."""
        meta = planned["metadata"]
        live = self._store.get(REPLICA_SETS, *namespaced_name(planned))
        return live is not None and all(
            live["metadata"][key] == meta[key] for key in ("uid", "generation")
        )

    def _create(self, replicaset: Object) -> StatusError | None:
        body = replicaset_plan.pod_from_template(replicaset)
        try:
            namespace = replicaset["metadata"]["namespace"]
            pod = self._registry.create(PODS, namespace, body, manager=MANAGER)
        except StatusError as error:
            self._warn(replicaset, "FailedCreate", f"Error creating: {error.message}")
            return error
        message = f"Created pod: {pod['metadata']['name']}"
        self._events.record(REPLICA_SETS, replicaset, "Normal", "SuccessfulCreate", message)
        return None

    def _delete(self, replicaset: Object, pod: Object) -> StatusError | None:
        meta = pod["metadata"]
        try:
            self._registry.delete(PODS, *namespaced_name(pod), DeleteOptions(uid=meta["uid"]))
        except StatusError as error:
            if error.code == 404:
                return None
            self._warn(replicaset, "FailedDelete", f"Error deleting: {error.message}")
            return error
        message = f"Deleted pod: {meta['name']}"
        self._events.record(REPLICA_SETS, replicaset, "Normal", "SuccessfulDelete", message)
        return None

    def _warn(self, replicaset: Object, reason: str, message: str) -> None:
        self._events.record(REPLICA_SETS, replicaset, "Warning", reason, message)


def _failure(
    replicaset: Object, plan: replicaset_plan.Plan, error: StatusError | None, now: float
) -> Object | None:
    """The ReplicaFailure condition: kept from the first failure, gone with the first success."""
    if error is None:
        return None
    for condition in (replicaset.get("status") or {}).get("conditions") or []:
        if condition.get("type") == "ReplicaFailure":
            return dict(condition)
    return {
        "type": "ReplicaFailure",
        "status": "True",
        "lastTransitionTime": rfc3339(now),
        "reason": "FailedCreate" if plan.create else "FailedDelete",
        "message": error.message,
    }
