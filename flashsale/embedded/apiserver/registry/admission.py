"""What admission does to new pods (service account, priority, tolerations, gates), and to classes.

After the plugins that are on by default: ServiceAccount, Priority, RuntimeClass and
DefaultTolerationSeconds. A real API server also mounts a service account token; there is none here,
because no pod is meant to call this API.
"""

from __future__ import annotations

from flashsale.embedded.apiserver.pod_conditions import with_condition
from flashsale.embedded.apiserver.stored_node_timing import read_node_timing
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.pod_defaults import qos_class
from flashsale.embedded.types.resources import PODS, PRIORITY_CLASSES, SERVICE_ACCOUNTS
from flashsale.embedded.validation.priority_classes import PREEMPTS, SYSTEM_CLASSES
from flashsale.objects.models import Object

NODE_CONDITIONS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
NO_CLASS: Object = {"value": 0, "preemptionPolicy": PREEMPTS}
ADMITTED = ("priority", "preemptionPolicy")
INFO = (
    "machineID", "systemUUID", "bootID", "kernelVersion", "osImage", "containerRuntimeVersion",
    "kubeletVersion", "kubeProxyVersion", "operatingSystem", "architecture",
)  # fmt: skip


def admit_pod(pod: Object, store: Store, now: float) -> Object:
    """Return a new pod with what admission adds.

    Raises:
        StatusError: 403 for what no client may set, and for names of things that are not there.
    """
    spec = dict(pod["spec"])
    _check_account(pod, spec, store)
    spec |= _importance(pod, spec, store)
    _check_runtime(pod, spec)
    spec["serviceAccountName"] = spec["serviceAccount"] = _account(spec)
    spec["tolerations"] = [*(spec.get("tolerations") or []), *_missing_tolerations(spec, store)]
    admitted = pod | {"spec": spec}
    status: Object = {"phase": "Pending", "qosClass": qos_class(admitted)}
    if spec.get("schedulingGates"):
        gated = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulingGated",
            "message": "Scheduling is blocked due to non-empty scheduling gates",
        }
        status = with_condition(status, gated, now)
    return admitted | {"status": status}


def keep_pod_defaults(pod: Object, old: Object, store: Store) -> Object:
    """Return a changed pod with what admission had added, where it is left out."""
    spec = pod["spec"]
    kept = {key: old["spec"][key] for key in ADMITTED if key in old["spec"] and key not in spec}
    if missing := _missing_tolerations(spec, store):
        kept["tolerations"] = [*(spec.get("tolerations") or []), *missing]
    return pod | {"spec": spec | kept}


def new_node(node: Object) -> Object:
    """Return a new node as it is stored: not ready before its kubelet says so."""
    spec = dict(node.get("spec") or {})
    taint = {"key": NODE_CONDITIONS[0], "effect": "NoSchedule"}
    known = [(other.get("key"), other.get("effect")) for other in spec.get("taints") or []]
    if (taint["key"], taint["effect"]) not in known:
        spec["taints"] = [*(spec.get("taints") or []), taint]
    status = {
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 0}},
        "nodeInfo": dict.fromkeys(INFO, ""),
    }
    return node | {"spec": spec, "status": status | (node.get("status") or {})}


def find_priority_class(store: Store, name: str) -> Object | None:
    """Return a class by its name; without a name the default one. None if it is not there."""
    if name in SYSTEM_CLASSES:
        return NO_CLASS | SYSTEM_CLASSES[name]
    if name:
        return store.get(PRIORITY_CLASSES, "", name)
    defaults = [known for known in store.all(PRIORITY_CLASSES) if known.get("globalDefault")]
    return min(defaults, key=lambda known: int(known.get("value", 0)), default=NO_CLASS)


def refuse_second_default(store: Store, thing: Object) -> None:
    """Refuse a class that is the default beside another.

    Raises:
        StatusError: 403.
    """
    name = thing["metadata"].get("name", "")
    for other in store.all(PRIORITY_CLASSES) if thing.get("globalDefault") else ():
        named = other["metadata"]["name"]
        if other.get("globalDefault") and named != name:
            why = f"PriorityClass {named} is already marked as default. Only one default can exist"
            raise api_errors.forbidden(PRIORITY_CLASSES, name, why)


def _check_account(pod: Object, spec: Object, store: Store) -> None:
    """Refuse a missing account; the default one is always about to be made."""
    namespace, name = pod["metadata"]["namespace"], _account(spec)
    if name != "default" and store.get(SERVICE_ACCOUNTS, namespace, name) is None:
        why = f'serviceaccount "{name}" not found'
        raise _forbidden(pod, f"error looking up service account {namespace}/{name}: {why}")


def _account(spec: Object) -> str:
    return spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"


def _importance(pod: Object, spec: Object, store: Store) -> Object:
    """Return what the pod's PriorityClass says, and the default one's name where it names none."""
    name = spec.get("priorityClassName") or ""
    found = find_priority_class(store, name)
    if found is None:
        raise _forbidden(pod, f"no PriorityClass with name {name} was found")
    given = {
        "priority": found.get("value", 0),
        "preemptionPolicy": found.get("preemptionPolicy", PREEMPTS),
    }
    why = "must not be provided in pod spec; priority admission controller computed"
    for key, what in (
        ("priority", "the integer value of priority"),
        ("preemptionPolicy", "the string value of PreemptionPolicy"),
    ):
        if spec.get(key) not in (None, given[key]):
            how = f"{given[key]} from the given PriorityClass name"
            raise _forbidden(pod, f"{what} ({spec[key]}) {why} {how}")
    if not name and "metadata" in found:
        return {"priorityClassName": found["metadata"]["name"], **given}
    return given


def _check_runtime(pod: Object, spec: Object) -> None:
    if spec.get("runtimeClassName") == "":
        raise StatusError(500, "", "resource name may not be empty")
    if spec.get("runtimeClassName"):
        name = spec["runtimeClassName"]
        raise _forbidden(pod, f'pod rejected: RuntimeClass "{name}" not found')
    if spec.get("overhead") is not None:
        why = "Pod Overhead set without corresponding RuntimeClass defined Overhead"
        raise _forbidden(pod, f"pod rejected: {why}")


def _missing_tolerations(spec: Object, store: Store) -> list[Object]:
    """Return those of DefaultTolerationSeconds that the pod does not already bring itself."""
    present = [
        toleration.get("key", "")
        for toleration in spec.get("tolerations") or []
        if toleration.get("effect") in (None, "", "NoExecute")
    ]
    return [
        {
            "key": key,
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": read_node_timing(store).toleration,
        }
        for key in NODE_CONDITIONS
        if key not in present and "" not in present
    ]


def _forbidden(pod: Object, why: str) -> StatusError:
    name = pod["metadata"].get("name") or pod["metadata"].get("generateName") or "Unknown"
    return api_errors.forbidden(PODS, name, why)
