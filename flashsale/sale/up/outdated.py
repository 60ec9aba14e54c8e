"""Which pods are as the ReplicaSet would make them today. Pure.

Two looks, because each sees what the other cannot. A template that changed just now makes every pod
old that was there before: both texts are the server's own, so any difference is one. But an `up`
that was cut short, or told not to replace pods, leaves old pods under a template that has not
changed since. These are found by comparing pod and template, which is not exact: servers and
their webhooks add to pods, and what they may add must not make a pod old, or each `up` would
replace all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flashsale.clusters.base import Image
from flashsale.objects.models import Object, Pod

MADE = ("containers", "initContainers")  # lists of containers, in the order of the template
BROUGHT = (  # only a template brings these into a container: no server or webhook adds them
    "lifecycle",
    "livenessProbe",
    "readinessProbe",
    "startupProbe",
    "command",
    "args",
    "ports",
    "workingDir",
)
MOUNTED = ("volumes", "volumeMounts")  # a token's volume is added to every pod
ADDED_TO = (  # the template's own part must be there; LimitRanger, tolerations' defaults and others
    "env",  # put more beside it
    "envFrom",
    "imagePullSecrets",
    "nodeSelector",
    "resources",
    "securityContext",
    "tolerations",
)


def stale(
    pods: Sequence[Object], replicaset: Object, image: Image, before: Object | None = None
) -> list[Object]:
    """Find the pods that are not as the ReplicaSet would make them today.

    Args:
        pods: some that were there before the newest version was applied.
        before: the ReplicaSet's template as it was then, None where that is not known.
    """
    template = replicaset["spec"]["template"]
    changed = before is not None and before != template

    def current(pod: Object) -> bool:
        if changed or not as_made(pod["spec"], template["spec"]):
            return False
        return image.runs_in(Pod.from_object(pod).image_id)

    return [
        pod for pod in pods if not pod["metadata"].get("deletionTimestamp") and not current(pod)
    ]


def as_made(spec: Object, template: Object) -> bool:
    """Whether a pod has what its template says, and nothing that only a template can bring."""
    return _has(spec, template, but=MADE) and all(
        _containers_as_made(spec.get(key) or [], template.get(key) or []) for key in MADE
    )


def _containers_as_made(there: Sequence[Object], made: Sequence[Object]) -> bool:
    if len(there) != len(made):
        return False
    pairs = list(zip(there, made, strict=True))
    left = any(key in one and key not in wanted for one, wanted in pairs for key in BROUGHT)
    return not left and all(_has(one, wanted) for one, wanted in pairs)


def _has(there: Object, made: Object, but: Sequence[str] = ()) -> bool:
    """Whether an object has every field of a template's; of some it may have more."""
    return all(
        _contains(there.get(key), value) if key in ADDED_TO else there.get(key) == value
        for key, value in made.items()
        if key not in MOUNTED and key not in but
    )


def _contains(there: Any, made: Any) -> bool:
    """Whether a value is part of another: some of its keys, some of its entries."""
    if isinstance(made, dict):
        return all(_contains((there or {}).get(key), value) for key, value in made.items())
    if isinstance(made, list):
        return all(any(_contains(one, wanted) for one in there or []) for wanted in made)
    return bool(there == made)
