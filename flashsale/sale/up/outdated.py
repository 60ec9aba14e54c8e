"""Which pods are not as the ReplicaSet would make them today. Pure.

Pods carry no hash of the template they were made from, as a Deployment's do: an annotation in the
template would change what the manifest says, and make each older pod look outdated. So there are
two looks, because each sees what the other cannot. A template that changed just now makes every pod
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
from flashsale.objects.fields import Section, sections, text
from flashsale.objects.models import Object, Pod
from flashsale.sale.ready.diagnosis import BEING_MADE, UNSTARTED

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


def find_outdated(
    pods: Sequence[Pod], replicaset: Object, image: Image, before: Object | None = None
) -> list[Pod]:
    """Find the pods that are not as the ReplicaSet would make them today.

    A pod whose container could not be started counts as outdated whatever it is made of: after a
    mistake was mended the kubelet tries again only minutes later, and it has nothing to lose.

    Args:
        pods: some that were there before the newest version was applied.
        before: the ReplicaSet's template as it was then, None where that is not known.
    """
    template = replicaset["spec"]["template"]
    changed = before is not None and before != template

    def current(pod: Pod) -> bool:
        if changed or failed_to_start(pod) or not as_made(pod.raw["spec"], template["spec"]):
            return False
        return image.runs_in(pod.image_id)

    return [pod for pod in pods if not pod.terminating and not current(pod)]


def failed_to_start(pod: Pod) -> bool:
    """Whether some container of a pod has never run, and what was tried has failed."""
    return any(map(_failed_to_start, sections(pod.raw, "status", "containerStatuses")))


def _failed_to_start(status: Section) -> bool:
    state, last = status.get("state") or {}, status.get("lastState") or {}
    if "running" in state:
        return False
    ends = [end for end in (state.get("terminated"), last.get("terminated")) if end]
    if any(ended.get("reason") not in UNSTARTED for ended in ends):
        return False  # it ran, and ended
    return bool(ends) or text(state, "waiting", "reason") not in ("", *BEING_MADE)


def as_made(spec: Object, template: Object) -> bool:
    """Whether a pod has what its template says, and nothing that only a template can bring."""
    return _has(spec, template, but=MADE) and all(
        _containers_as_made(spec.get(key) or [], template.get(key) or []) for key in MADE
    )


def _containers_as_made(there: Sequence[Object], made: Sequence[Object]) -> bool:
    if len(there) != len(made):
        return False
    pairs = list(zip(there, made, strict=True))
    left = any(
        key in container and key not in wanted for container, wanted in pairs for key in BROUGHT
    )
    return not left and all(_has(container, wanted) for container, wanted in pairs)


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
        return all(any(_contains(item, wanted) for item in there or []) for wanted in made)
    return bool(there == made)
