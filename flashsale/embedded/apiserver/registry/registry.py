"""What the API server does to an object between a request and the store.

Defaults, validation, allocation, generations, optimistic concurrency and graceful deletion live
here; controllers and the kubelet call the same functions as the HTTP handlers. All calls are
synchronous and leave the store untouched when they raise.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable
from functools import partial

from flashsale.embedded.apiserver.pod_conditions import with_condition
from flashsale.embedded.apiserver.registry import incoming, namespace_lifecycle, service_allocator
from flashsale.embedded.apiserver.registry.admission import (
    admit_pod,
    keep_pod_defaults,
    new_node,
    refuse_second_default,
)
from flashsale.embedded.apiserver.registry.deletion import (
    DeleteOptions,
    check_preconditions,
    gone,
    marked,
)
from flashsale.embedded.apiserver.registry.service_allocator import ServiceAllocator
from flashsale.embedded.patching.server_side_apply.configuration import track_update
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.defaults import apply_defaults, default_conditions
from flashsale.embedded.types.resources import (
    NAMESPACES,
    NODES,
    PODS,
    PRIORITY_CLASSES,
    SERVICES,
    Resource,
)
from flashsale.embedded.validation import validate_create, validate_status, validate_update
from flashsale.embedded.validation.metadata import validate_core_metadata_update
from flashsale.embedded.validation.other_kinds import validate_namespace_finalizers
from flashsale.embedded.validation.priority_classes import SYSTEM_CLASSES
from flashsale.objects.models import Object, namespaced_name, rfc3339

Tracker = Callable[[Object | None, Object], Object]  # before, after -> after with managedFields


class Registry:
    """The one way to the cluster's objects."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], float] = time.time,
        rng: random.Random | None = None,
        port_is_free: Callable[[int], bool] = lambda port: True,
    ) -> None:
        self.store = store
        self.clock = clock
        self.rng = rng or random.Random()
        self._services = ServiceAllocator(store, self.rng, port_is_free)

    def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """Return an object.

        Raises:
            StatusError: 404.
        """
        obj = self.store.get(resource, namespace, name)
        if obj is None:
            raise api_errors.not_found(resource, name)
        return obj

    def create(
        self,
        resource: Resource,
        namespace: str,
        body: Object,
        *,
        dry_run: bool = False,
        track: Tracker | None = None,
        manager: str = "",
    ) -> Object:
        """Create an object from what a client sent; ``track`` notes who wrote it.

        A controller names itself as ``manager`` instead.

        Raises:
            StatusError: 400 for contradictions with the path, 404 for a missing namespace, 409 for
                a taken name, 422 for an invalid object.
        """
        incoming.check_match_new(resource, namespace, incoming.metadata(body), dry_run=dry_run)
        namespace_lifecycle.check_create(self.store, resource, namespace)
        if manager:
            track = self.tracker(resource, manager)
        thing = self._prepare_new(resource, namespace, body, track, dry_run=dry_run)
        name = thing["metadata"]["name"]
        if existing := self.store.get(resource, namespace, name):
            terminating = "deletionTimestamp" in existing["metadata"]
            raise api_errors.already_exists(resource, name, terminating=terminating)
        return thing if dry_run else self.store.put(resource, thing)

    def update(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        body: Object,
        *,
        subresource: str = "",
        dry_run: bool = False,
        track: Tracker | None = None,
        patches: bool = False,
        manager: str = "",
    ) -> Object:
        """Replace an object, or only its status; returns it unchanged if nothing differs.

        With ``patches`` the body is the live object with a patch laid over it, managedFields and
        all; otherwise what it says of them does not count.

        Raises:
            StatusError: 404, 409 for a stale resourceVersion or another uid, 422.
        """
        old = self.get(resource, namespace, name)
        namespace_lifecycle.check_update(self.store, resource, namespace)
        incoming.check_match(resource, old, incoming.metadata(body), patches=patches)
        if manager:
            track = self.tracker(resource, manager, subresource)
        if subresource == "status":
            new = self._with_status(resource, old, body, patches=patches)
            if track and new != old:
                new = track(old, new)
        elif subresource == "finalize":
            new = self._with_finalizers(old, body, track)
        else:
            new = self._prepare_update(resource, old, body, track, patches=patches, dry_run=dry_run)
        return self._commit(resource, old, new, dry_run=dry_run)

    def _with_status(
        self, resource: Resource, old: Object, body: Object, *, patches: bool
    ) -> Object:
        """Return an object with another status; labels and annotations may change with it.

        Raises:
            StatusError: 422.
        """
        status = body.get("status") or incoming.initial_status(resource, old).get("status") or {}
        meta = incoming.updated_metadata(old, body, patches)
        for name in ("deletionTimestamp", "ownerReferences"):
            meta.pop(name, None)
            if name in old["metadata"]:
                meta[name] = old["metadata"][name]
        new = old | {"metadata": meta, "status": default_conditions(resource, status)}
        errors = [*validate_core_metadata_update(new, old), *validate_status(resource, new)]
        incoming.refuse(resource, old["metadata"]["name"], errors)
        return new

    def _with_finalizers(self, old: Object, body: Object, track: Tracker | None) -> Object:
        """Return a namespace with other finalizers of its content, whether it is empty or not.

        Raises:
            StatusError: 422.
        """
        new = incoming.typed(NAMESPACES, body) | {
            "metadata": incoming.updated_metadata(old, body, patches=False),
            "status": old["status"],
        }
        new = track(old, new) if track else new
        errors = [*validate_core_metadata_update(new, old), *validate_namespace_finalizers(new)]
        incoming.refuse(NAMESPACES, old["metadata"]["name"], errors)
        return new

    def set_status(
        self, resource: Resource, thing: Object, status: Object, manager: str = ""
    ) -> Object | None:
        """Replace the status of the object with that uid; None if it is gone.

        For controllers and the kubelet, which are always up to date; ``manager`` is who it is.
        """
        old = self.store.get(resource, *namespaced_name(thing))
        if old is None or old["metadata"]["uid"] != thing["metadata"]["uid"]:
            return None
        new = old | {"status": status}
        if manager and new != old:
            new = self.tracker(resource, manager, "status")(old, new)
        return self._commit(resource, old, new, dry_run=False)

    def tracker(self, resource: Resource, manager: str, subresource: str = "") -> Tracker:
        """Return what notes in managedFields what a writer changes now."""
        return partial(
            track_update,
            manager=manager,
            api_version=resource.api_version,
            subresource=subresource,
            now=rfc3339(self.clock()),
        )

    def bind(self, pod: Object, node: str) -> Object:
        """Give a pod to a node, in one write with its PodScheduled condition."""
        scheduled = {"type": "PodScheduled", "status": "True"}
        status = with_condition(pod["status"], scheduled, self.clock())
        status.pop("nominatedNodeName", None)
        spec = pod["spec"] | {"nodeName": node}
        return self.store.put(PODS, pod | {"spec": spec, "status": status})

    def finalize(self, namespace: Object) -> None:
        """Let go of a deleted namespace that is empty."""
        self._commit(NAMESPACES, namespace, namespace | {"spec": {}}, dry_run=False)

    def delete(
        self, resource: Resource, namespace: str, name: str, options: DeleteOptions
    ) -> tuple[Object, bool]:
        """Begin or finish the deletion of an object; returns its last state and whether it is gone.

        Raises:
            StatusError: 404, 409 for a precondition that does not hold, 422 for an unknown policy.
        """
        old = self.get(resource, namespace, name)
        check_preconditions(resource, old, options)
        namespace_lifecycle.check_delete(resource, name)
        if resource is PRIORITY_CLASSES and name in SYSTEM_CLASSES:
            raise api_errors.forbidden(
                resource, name, "this is a system priority class and cannot be deleted"
            )
        after = marked(resource, old, options, self.clock())
        if options.dry_run:  # what would go at once is shown as it is, without a mark
            ends = gone(after)
            return old if ends and resource is not PODS else after, ends
        if after is not old:
            if gone(after) and resource is not PODS:  # a pod's end is told as two events
                return self.store.remove(resource, namespace, name), True
            after = self.store.put(resource, after)
        if gone(after):
            return self.store.remove(resource, namespace, name), True
        return after, False

    def _prepare_new(
        self,
        resource: Resource,
        namespace: str,
        body: Object,
        track: Tracker | None,
        *,
        dry_run: bool,
    ) -> Object:
        now = self.clock()
        sent = incoming.metadata(body)
        if not sent.get("name") and (base := sent.get("generateName")):
            is_taken = partial(self.store.get, resource, namespace)
            sent = sent | {"name": incoming.generate_free_name(base, self.rng, is_taken)}
        uid = uuid.UUID(int=self.rng.getrandbits(128), version=4)
        meta = incoming.new_metadata(resource, namespace, sent, uid=str(uid), now=rfc3339(now))
        thing = apply_defaults(
            resource, incoming.typed(resource, body) | {"metadata": meta}, now=now
        )
        thing = track(None, thing) if track else thing
        if resource is NAMESPACES:
            thing = incoming.named_by_label(thing)
        thing = incoming.initial_status(resource, thing)
        if resource is NODES and track:  # ours brings its status with it
            thing = new_node(thing)
        if resource is PODS:
            thing = admit_pod(incoming.without_negative_grace(thing), self.store, now)
        thing = incoming.without_disabled(resource, thing)
        if resource is PRIORITY_CLASSES:
            refuse_second_default(self.store, thing)
        if resource is SERVICES:
            thing = service_allocator.with_both_addresses(thing)
            thing, errors = self._services.allocate(thing, None, dry_run=dry_run)
            incoming.refuse(resource, meta.get("name", ""), errors)  # before all else, as there
        incoming.refuse(resource, meta.get("name", ""), validate_create(resource, thing))
        return thing

    def _prepare_update(
        self,
        resource: Resource,
        old: Object,
        body: Object,
        track: Tracker | None,
        *,
        patches: bool,
        dry_run: bool,
    ) -> Object:
        new = incoming.typed(resource, body) | {
            "metadata": incoming.updated_metadata(old, body, patches)
        }
        if resource.has_status:
            new["status"] = old.get("status", {})
        if resource is NAMESPACES:  # a client that leaves it out must not strand what is inside
            new["spec"] = old.get("spec", {})
        new = apply_defaults(resource, new, now=self.clock())
        if track:  # also of no change: a write of a Scale may tell owners apart
            new = track(old, new)
        new = incoming.without_disabled(resource, new, old)
        if resource is PODS:
            new = keep_pod_defaults(incoming.without_negative_grace(new), old, self.store)
        if resource is PRIORITY_CLASSES:
            refuse_second_default(self.store, new)
        if resource is SERVICES:
            new = service_allocator.carried_over(new, old)
        errors = validate_update(resource, new, old)
        if resource is SERVICES and not errors:
            new, errors = self._services.allocate(new, old, dry_run=dry_run)
        incoming.refuse(resource, old["metadata"]["name"], errors)
        if incoming.counts_for_generation(resource, new, old):
            new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
        return new

    def _commit(self, resource: Resource, old: Object, new: Object, *, dry_run: bool) -> Object:
        if new == old:
            return old
        if dry_run:
            return new
        if gone(new):  # the last finalizer went: its end is all that watches are told
            self.store.remove(resource, *namespaced_name(old))
            return new
        return self.store.put(resource, new)
