"""POST to a pod's `eviction`: a deletion that asks the PodDisruptionBudget first.

After pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from flashsale.embedded.apiserver.handlers import responses
from flashsale.embedded.apiserver.handlers.write import Write, decoded
from flashsale.embedded.apiserver.pod_conditions import with_disruption_target
from flashsale.embedded.apiserver.registry.deletion import DeleteOptions
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.selectors.label_selectors import from_label_selector
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import DISRUPTION_BUDGETS, PODS, Resource
from flashsale.objects.models import Object, has_ended, is_ready, labels_of, rfc3339

EVICTION = Resource("policy", "v1", "evictions", "eviction", "Eviction")
VIOLATES = "Cannot evict pod as it would violate the pod's disruption budget."
CAUSE = "DisruptionBudget"
SUCCESS = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
TARGET = ("EvictionByEvictionAPI", "Eviction API: evicting")  # why it goes


def create_eviction(write: Write) -> web.Response:
    """Evict a pod.

    Raises:
        StatusError: 404, 400 for another name, 429 where the budget does not allow it.
    """
    registry, target = write.registry, write.target
    body = decoded(write, EVICTION)
    name = (body.get("metadata") or {}).get("name")
    if name != target.name:
        raise api_errors.bad_request("name in URL does not match name in Eviction object")
    options = DeleteOptions.from_object(body.get("deleteOptions") or {})
    if write.options.dry_run:
        options = replace(options, dry_run=True)
    evict(registry, target.namespace, target.name, options)
    return responses.json_answer(SUCCESS, 201)


def evict(registry: Registry, namespace: str, name: str, options: DeleteOptions) -> None:
    """Delete a pod, if its PodDisruptionBudget allows it.

    Raises:
        StatusError: 404, 409, 429 where it does not, 500 where several guard it.
    """
    pod = registry.get(PODS, namespace, name)
    pending = (pod.get("status") or {}).get("phase") == "Pending"
    if not (pending or has_ended(pod)) and "deletionTimestamp" not in pod["metadata"]:
        _ask_budget(registry, pod, dry_run=options.dry_run)
    if not options.dry_run:
        _mark(registry, pod)
    registry.delete(PODS, namespace, name, options)


def _ask_budget(registry: Registry, pod: Object, *, dry_run: bool) -> None:
    meta = pod["metadata"]
    budgets = [
        budget
        for budget in registry.store.all(DISRUPTION_BUDGETS, meta["namespace"])
        if from_label_selector(budget["spec"].get("selector")).matches(labels_of(pod))
    ]
    if len(budgets) > 1:
        why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does"
        raise StatusError(500, "", f"{why} not support.")
    for budget in budgets:
        status = budget.get("status") or {}
        healthy, needed = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        if not is_ready(pod):
            always = budget["spec"].get("unhealthyPodEvictionPolicy") == "AlwaysAllow"
            if always or healthy >= needed > 0:
                return
        _take(registry, budget, meta["name"], dry_run=dry_run)


def _take(registry: Registry, budget: Object, pod: str, *, dry_run: bool) -> None:
    """Use up one disruption of a budget, which its controller counts anew later."""
    meta, status = budget["metadata"], budget.get("status") or {}
    name, allowed = meta["name"], status.get("disruptionsAllowed", 0)
    if status.get("observedGeneration", 0) < meta.get("generation", 1):
        why = f"The disruption budget {name} is still being processed by the server."
        raise _too_many(why, retry=10)
    if allowed <= 0:
        healthy, needed = status.get("currentHealthy", 0), status.get("desiredHealthy", 0)
        why = f"The disruption budget {name} does not allow evicting pods currently"
        if healthy <= needed:
            why = (
                f"The disruption budget {name} needs {needed} healthy pods and has {healthy}"
                " currently"
            )
        raise _too_many(why, retry=0)
    if dry_run:
        return
    evicted = (status.get("disruptedPods") or {}) | {pod: rfc3339(registry.clock())}
    changed = status | {"disruptionsAllowed": allowed - 1, "disruptedPods": evicted}
    registry.set_status(DISRUPTION_BUDGETS, budget, changed, "kube-apiserver")


def _mark(registry: Registry, pod: Object) -> None:
    marked = with_disruption_target(pod, *TARGET, registry.clock(), observes=False)
    registry.set_status(PODS, pod, marked, "kube-apiserver")


def _too_many(why: str, *, retry: int) -> StatusError:
    details: Object = {"causes": [{"reason": CAUSE, "message": why}]}
    if retry:
        details["retryAfterSeconds"] = retry
    return StatusError(429, "TooManyRequests", VIOLATES, details)
