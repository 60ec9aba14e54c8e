"""What a DELETE does to an object: a mark, a grace period, finalizers; only then is it gone.

Pure. After apiserver/pkg/registry/rest/delete.go and CheckGracefulDelete in registry/core/pod.
"""

from __future__ import annotations

from dataclasses import dataclass

from flashsale.embedded.types import api_errors
from flashsale.embedded.types.resources import NAMESPACES, PODS, Resource
from flashsale.objects.fields import with_value
from flashsale.objects.models import Object, has_ended, rfc3339, timestamp

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
LONGEST_GRACE = 2**31  # seconds; beyond, the time of the end could not be written


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete; ``grace`` in seconds, None for the object's own."""

    grace: int | None = None
    policy: str = ""  # Foreground, Background or Orphan; empty for the default, Background
    uid: str | None = None  # preconditions
    resource_version: str | None = None
    dry_run: bool = False
    cascades: bool = False  # said in the old way, which is answered otherwise

    @classmethod
    def from_object(cls, sent: Object) -> DeleteOptions:
        preconditions = sent.get("preconditions") or {}
        orphans = "Orphan" if sent.get("orphanDependents") else ""  # the old way to say it
        return cls(
            grace=sent.get("gracePeriodSeconds"),
            policy=sent.get("propagationPolicy") or orphans,
            uid=preconditions.get("uid"),
            resource_version=preconditions.get("resourceVersion"),
            dry_run=bool(sent.get("dryRun")),
            cascades=sent.get("orphanDependents") is False,
        )


def check_preconditions(resource: Resource, old: Object, options: DeleteOptions) -> None:
    """Refuse what the options forbid.

    Raises:
        StatusError: 409 for another uid or resourceVersion.
    """
    meta = old["metadata"]
    for what, wanted, actual in (
        ("UID", options.uid, meta["uid"]),
        ("ResourceVersion", options.resource_version, meta["resourceVersion"]),
    ):
        if wanted not in (None, actual):
            raise _precondition(resource, meta["name"], what, wanted, actual)


def marked(resource: Resource, old: Object, options: DeleteOptions, now: float) -> Object:
    """Return the object as it stands after the request; the same one if nothing changes."""
    there = old["metadata"].get("finalizers", [])
    finalizers = [name for name in there if name not in (FOREGROUND, ORPHAN)]
    wanted = {"Foreground": [FOREGROUND], "Orphan": [ORPHAN]}.get(options.policy, [])
    keep = [name for name in there if name in (FOREGROUND, ORPHAN)]
    finalizers += wanted if options.policy else keep
    meta = with_value(old["metadata"], "finalizers", finalizers)
    grace = _grace(resource, old, options)
    already = meta.get("deletionGracePeriodSeconds")
    if already is None and "generation" in meta:
        meta["generation"] += 1
    if already is None or grace < already:
        since = now if already is None or not grace else _first_request(meta)
        meta["deletionTimestamp"] = rfc3339(since + grace)
        meta["deletionGracePeriodSeconds"] = grace
    return old if meta == old["metadata"] else old | {"metadata": meta}


def _grace(resource: Resource, old: Object, options: DeleteOptions) -> int:
    """Return the seconds a pod may take (CheckGracefulDelete in registry/core/pod)."""
    if resource is not PODS:
        return 0
    spec = old.get("spec", {})
    if not spec.get("nodeName") or has_ended(old):
        return 0
    grace = options.grace
    if grace is None:
        grace = spec.get("terminationGracePeriodSeconds", 30)
    return 1 if grace < 0 else min(int(grace), LONGEST_GRACE)


def _precondition(resource: Resource, name: str, what: str, wanted: str, actual: str) -> Exception:
    subject = f"{resource.kind}.{resource.group}".rstrip(".")
    more = " and then recreated" if what == "UID" else ""
    tail = "deleted" if what == "UID" else "modified"
    message = (
        f'Operation cannot be fulfilled on {subject} "{name}": the {what} in the precondition '
        f"({wanted}) does not match the {what} in record ({actual}). "
        f"The object might have been {tail}{more}"
    )
    details = api_errors.details_of(resource, name) | {"kind": resource.kind}
    return api_errors.StatusError(409, "Conflict", message, details)


def gone(thing: Object) -> bool:
    """Whether nothing holds a deleted object any longer: no grace, no finalizer, no content."""
    meta = thing["metadata"]
    if "deletionTimestamp" not in meta or meta.get("deletionGracePeriodSeconds"):
        return False
    if thing.get("kind") == NAMESPACES.kind and thing.get("spec", {}).get("finalizers"):
        return False
    return not meta.get("finalizers")


def _first_request(meta: Object) -> float:
    return timestamp(meta["deletionTimestamp"]) - float(meta["deletionGracePeriodSeconds"])
