"""What a client sent, against the request's path, the stored object and the system's own fields."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.types.pod_defaults import qos_class
from flashsale.embedded.types.resources import (
    DISRUPTION_BUDGETS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
    PRIORITY_CLASSES,
    REPLICA_SETS,
    SERVICES,
    Resource,
)
from flashsale.objects.models import Object

SYSTEM_METADATA = (  # a client's own values for these are dropped
    "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation",
    "resourceVersion",
)  # fmt: skip
WITH_GENERATION = (DISRUPTION_BUDGETS, PODS, REPLICA_SETS, ENDPOINT_SLICES)
CONDITIONAL_UPDATES = (DISRUPTION_BUDGETS, LEASES)  # say what they have seen
STORED_AT = {ENDPOINTS: "services/endpoints", NODES: "minions", SERVICES: "services/specs"}
NAME_LABEL = "kubernetes.io/metadata.name"
CHECKED_METADATA = ("uid", "deletionTimestamp", "deletionGracePeriodSeconds")  # may not change
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels and no look-alikes: no words by accident
SUFFIX = 5
LONGEST_BASE = 58  # 63, the longest label, less the suffix
TRIES = 8  # where names are taken


def check_match_new(resource: Resource, namespace: str, sent: Object, *, dry_run: bool) -> None:
    """Check what a new object says of its place against the request's.

    Raises:
        StatusError: 400 for another namespace, 500 (as in Kubernetes) for a resourceVersion.
    """
    if resource.namespaced and sent.get("namespace") not in (None, "", namespace):
        raise api_errors.bad_request(
            "the namespace of the provided object does not match the namespace sent on the request"
        )
    if sent.get("resourceVersion") and not dry_run:
        message = "resourceVersion should not be set on objects to be created"
        raise api_errors.StatusError(500, "", message)


def without_disabled(resource: Resource, thing: Object, old: Object | None = None) -> Object:
    """Drop fields that are off by default, or of older versions (DropDisabledPodFields)."""
    spec = thing.get("spec") or {}
    if resource is ENDPOINT_SLICES and thing.get("endpoints") != (old or {}).get("endpoints"):
        for endpoint in thing["endpoints"] or []:
            endpoint.pop("deprecatedTopology", None)
    if resource is LEASES:
        spec.pop("strategy", None)
        spec.pop("preferredHolder", None)
    if resource is SERVICES and spec.get("type") == "ExternalName":
        spec.pop("internalTrafficPolicy", None)
    if resource not in (PODS, REPLICA_SETS):
        return thing
    pod = spec if resource is PODS else (spec.get("template") or {}).get("spec") or {}
    pod.pop("schedulingGroup", None)
    for kind in ("containers", "initContainers"):
        for container in pod.get(kind) or []:
            hooks = container.get("lifecycle")
            if hooks and "stopSignal" in hooks:
                del hooks["stopSignal"]
                if not hooks:
                    del container["lifecycle"]
    return thing


def check_match(resource: Resource, old: Object, meta: Object, *, patches: bool) -> None:
    """Check that an update is of this very object, as its writer has seen it.

    Raises:
        StatusError: 409, 500 (as in Kubernetes) for a resourceVersion that is no number.
    """
    current, name = old["metadata"], old["metadata"]["name"]
    version = meta.get("resourceVersion") or "0"
    if version == "0" and resource in CONDITIONAL_UPDATES and not patches:
        why = FieldError.invalid("metadata.resourceVersion", 0, "must be specified for an update")
        raise api_errors.invalid_object(resource.plural, resource.group, name, [why])
    if not (version.isascii() and version.isdigit()):
        message = f'strconv.ParseUint: parsing "{version}": invalid syntax'
        raise api_errors.StatusError(500, "", message)
    if not patches:
        check_uid(resource, old, meta.get("uid") or "")
    if version not in ("0", current["resourceVersion"]):
        raise api_errors.conflict(resource, name)


def check_uid(resource: Resource, old: Object, uid: str) -> None:
    """Check that a write is of this very object, if it says which one it is of.

    Raises:
        StatusError: 409.
    """
    current = old["metadata"]
    if uid in ("", current["uid"]):
        return
    place = STORED_AT.get(resource, resource.plural)
    key = f"/{place}/{current.get('namespace', '')}/{current['name']}".replace("//", "/")
    raise api_errors.conflict(
        resource,
        current["name"],
        f"StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, "
        f"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, "
        f"UID in object meta: {current['uid']}",
    )


def initial_status(resource: Resource, thing: Object) -> Object:
    """Give a new object the status that every new one has."""
    if resource is REPLICA_SETS:
        return thing | {"status": {"replicas": 0}}
    if resource is SERVICES:
        return thing | {"status": {"loadBalancer": {}}}
    if resource is DISRUPTION_BUDGETS:
        numbers = ("disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods")
        return thing | {"status": dict.fromkeys(numbers, 0)}
    if resource is NAMESPACES:
        own = (thing.get("spec") or {}).get("finalizers") or []
        missing = [] if "kubernetes" in own else ["kubernetes"]
        return thing | {"status": {"phase": "Active"}, "spec": {"finalizers": [*own, *missing]}}
    if resource is PODS and thing.get("spec"):
        return thing | {"status": {"qosClass": qos_class(thing)}}
    return thing


def new_metadata(resource: Resource, namespace: str, sent: Object, *, uid: str, now: str) -> Object:
    """Return the metadata of a new object: what was sent, with the system's own."""
    meta = {key: value for key, value in sent.items() if key not in SYSTEM_METADATA}
    meta.pop("selfLink", None)
    if sent.get("generation"):
        meta["generation"] = sent["generation"]
    if sent.get("resourceVersion"):  # of a dry run: else it was refused
        meta["resourceVersion"] = sent["resourceVersion"]
    if resource.namespaced:
        meta["namespace"] = namespace
    else:
        meta.pop("namespace", None)
    meta["uid"] = uid
    if resource in WITH_GENERATION or resource is PRIORITY_CLASSES:  # which never change theirs
        meta["generation"] = 1
    meta["creationTimestamp"] = now
    return meta


def updated_metadata(old: Object, body: Object, patches: bool) -> Object:
    """Return the metadata of a changed object: what the system sets stays, if it is left out."""
    before, sent = old["metadata"], metadata(body)
    system = SYSTEM_METADATA
    meta = {key: value for key, value in sent.items() if key not in system}
    kept = {key: before[key] for key in (*system, "namespace") if key in before}
    given = {
        key: sent[key]
        for key in CHECKED_METADATA
        if sent.get(key) is not None and (patches or key != "uid")
    }
    return {**meta, "name": before["name"]} | kept | given


def without_negative_grace(pod: Object) -> Object:
    """Return a pod that is not killed at once although its grace period is negative."""
    if pod["spec"].get("terminationGracePeriodSeconds", 0) >= 0:
        return pod
    return pod | {"spec": pod["spec"] | {"terminationGracePeriodSeconds": 1}}


def metadata(body: Object) -> dict[str, Any]:
    return body.get("metadata") or {}


def typed(resource: Resource, body: Object) -> Object:
    """Put kind and apiVersion first, whatever the client left out."""
    rest = {key: value for key, value in body.items() if key not in ("kind", "apiVersion")}
    return {"kind": resource.kind, "apiVersion": resource.api_version, **rest}


def desired(thing: Object) -> Object:
    """What counts for the generation: all but metadata and status."""
    return {key: value for key, value in thing.items() if key not in ("metadata", "status")}


def named_by_label(namespace: Object) -> Object:
    """Return a namespace whose label is its name, whatever the client thinks of that."""
    meta = metadata(namespace)
    label = {NAME_LABEL: meta.get("name") or ""}
    return namespace | {"metadata": meta | {"labels": (meta.get("labels") or {}) | label}}


def counts_for_generation(resource: Resource, new: Object, old: Object) -> bool:
    """Whether a change counts for the generation."""
    if resource not in WITH_GENERATION:
        return False
    if resource is ENDPOINT_SLICES and metadata(new).get("labels") != metadata(old).get("labels"):
        return True
    return desired(new) != desired(old)


def refuse(resource: Resource, name: str, errors: Iterable[FieldError]) -> None:
    """Raise what is wrong with an object, if anything is: 422."""
    if wrong := list(errors):
        raise api_errors.invalid_object(resource.kind, resource.group, name, wrong)


def generate_free_name(base: str, rng: random.Random, is_taken: Callable[[str], object]) -> str:
    """Append five random characters to a base: `flashsale-rs-x7k2p`.

    The last one tried may be taken all the same. After apiserver/pkg/storage/names and
    apimachinery/pkg/util/rand.
    """
    for _ in range(TRIES):
        name = base[:LONGEST_BASE] + "".join(rng.choices(ALPHABET, k=SUFFIX))
        if not is_taken(name):
            break
    return name
