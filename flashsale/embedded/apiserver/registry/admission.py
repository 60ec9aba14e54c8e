"""What admission does to new pods: service account, priority, tolerations, gates.

After the plugins that are on by default: ServiceAccount, Priority, RuntimeClass and
DefaultTolerationSeconds. A real API server also mounts a service account token; there is none here,
because no pod is meant to call this API.
"""

from __future__ import annotations

from flashsale.embedded.apiserver.pod_conditions import with_condition
from flashsale.embedded.apiserver.registry.priority_admission import find_priority_class
from flashsale.embedded.apiserver.stored_node_timing import read_node_timing
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.pod_defaults import qos_class
from flashsale.embedded.types.resources import PODS, SERVICE_ACCOUNTS
from flashsale.embedded.validation.priority_classes import PREEMPTS
from flashsale.objects.models import Object

NODE_CONDITIONS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
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
    account = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    spec["serviceAccountName"] = spec["serviceAccount"] = account
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
    missing = _missing_tolerations(spec, store)
    if missing:
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


def _check_account(pod: Object, spec: Object, store: Store) -> None:
    """Refuse a missing account; the default one is always about to be made."""
    namespace = pod["metadata"]["namespace"]
    name = spec.get("serviceAccountName") or spec.get("serviceAccount") or "default"
    if name != "default" and store.get(SERVICE_ACCOUNTS, namespace, name) is None:
        why = f'serviceaccount "{name}" not found'
        raise _forbidden(pod, f"error looking up service account {namespace}/{name}: {why}")


def _importance(pod: Object, spec: Object, store: Store) -> Object:
    """Return what the pod's PriorityClass says, and the default one's name where it names none."""
    name, value, policy = (
        spec.get(k) for k in ("priorityClassName", "priority", "preemptionPolicy")
    )
    priority_class = find_priority_class(store, name or "")
    if priority_class is None:
        raise _forbidden(pod, f"no PriorityClass with name {name} was found")
    priority, preempts = (
        priority_class.get("value", 0),
        priority_class.get("preemptionPolicy", PREEMPTS),
    )
    if value is not None and value != priority:
        raise _forbidden(
            pod,
            f"the integer value of priority ({value}) must not be provided in pod spec; priority "
            f"admission controller computed {priority} from the given PriorityClass name",
        )
    if policy is not None and policy != preempts:
        raise _forbidden(
            pod,
            f"the string value of PreemptionPolicy ({policy}) must not be provided in pod spec; "
            f"priority admission controller computed {preempts} from the given PriorityClass "
            "name",
        )
    named = (
        {}
        if name or "metadata" not in priority_class
        else {"priorityClassName": priority_class["metadata"]["name"]}
    )
    return named | {"priority": priority, "preemptionPolicy": preempts}


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
