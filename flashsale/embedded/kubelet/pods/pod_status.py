"""A pod's status, computed from its state (pkg/kubelet/kubelet_pods.go, status/generate.go)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flashsale.embedded.kubelet.pods.pod_state import (
    ContainerState,
    PodState,
    Running,
    Terminated,
    Waiting,
)
from flashsale.objects.columns import TERMINAL
from flashsale.objects.models import Object, rfc3339

_OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
_Verdict = tuple[str, bool, str, str]  # type, status, reason, message


def compute(pod: Object, state: PodState, host_ip: str, now: float) -> Object:
    """Return the whole status of a pod; what others wrote into it is carried over.

    Args:
        now: unix seconds, for conditions that have just changed.
    """
    spec, old = pod["spec"], pod.get("status") or {}
    generation = pod["metadata"].get("generation", 1)
    known = old.get("phase")  # a pod that is over stays over, and keeps the reason
    status: Object = {
        "observedGeneration": generation,
        "phase": known if known in TERMINAL else phase(spec, state),
    }
    if status["phase"] == known:
        status |= {key: old[key] for key in ("reason", "message") if key in old}
    status["conditions"] = _conditions(spec, state, old, status["phase"], generation, now)
    status |= {"hostIP": host_ip, "hostIPs": [{"ip": host_ip}]}
    if state.ip:
        status |= {"podIP": state.ip, "podIPs": [{"ip": state.ip}]}
    status["startTime"] = rfc3339(state.start_time)
    if state.init:
        status["initContainerStatuses"] = _containers(spec["initContainers"], state.init, init=True)
    status["containerStatuses"] = _containers(spec["containers"], state.containers)
    status["qosClass"] = old.get("qosClass") or "BestEffort"
    return status | _pod_resources(spec)


def phase(spec: Mapping[str, Any], state: PodState) -> str:
    """Say Pending, Running, Succeeded or Failed (getPhase)."""
    policy = spec.get("restartPolicy", "Always")
    if _init_failed(state, policy):
        return "Failed"
    if not state.over and not initialized(state):
        return "Pending"
    if any(not _runs(container) and _end(container) is None for container in state.containers):
        return "Pending"
    if any(_runs(container) for container in state.containers):
        return "Running"
    if policy == "Always" and not state.over:
        return "Running"
    if all(end.exit_code == 0 for end in map(_end, state.containers) if end):
        return "Succeeded"
    return "Failed" if state.over or policy == "Never" else "Running"


def _runs(container: ContainerState) -> bool:
    return isinstance(container.state, Running)


def _end(container: ContainerState) -> Terminated | None:
    """How a container that is not running ended; None if it runs or never ran."""
    return container.last if isinstance(container.state, Waiting) else container.ended


def _init_failed(state: PodState, policy: str) -> bool:
    plain = [container.ended for container in state.init if not container.sidecar]
    return policy == "Never" and any(end and end.exit_code for end in plain)


def initialized(state: PodState) -> bool:
    """Whether all init containers are done, which is also so when there are none.

    A sidecar has only to have started; once the others have run, it may start anew.
    """
    begun = any(container.container_id or container.last for container in state.containers)
    return all(_is_done(container) or (container.sidecar and begun) for container in state.init)


def _is_done(container: ContainerState) -> bool:
    return container.started if container.sidecar else _has_succeeded(container)


def _has_succeeded(container: ContainerState) -> bool:
    return bool(container.ended and container.ended.exit_code == 0)


def _conditions(
    spec: Object, state: PodState, old: Object, phase: str, generation: int, now: float
) -> list[Object]:
    before = {condition.get("type", ""): condition for condition in old.get("conditions") or []}
    verdicts = _verdicts(spec, state, old, phase)
    conditions = [_condition(verdict, before, generation, now) for verdict in verdicts]
    if scheduled := before.get("PodScheduled"):
        conditions.append(_observed(scheduled, generation))
    else:
        conditions.append(_condition(("PodScheduled", True, "", ""), {}, generation, now))
    return conditions + [condition for kind, condition in before.items() if kind not in _OWNED]


def _verdicts(spec: Object, state: PodState, old: Object, phase: str) -> list[_Verdict]:
    finished = phase in TERMINAL and not state.never_ran
    over = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}[phase] if finished else ""
    completed = "PodCompleted" if over == "PodCompleted" else ""
    verdicts: list[_Verdict] = [("PodReadyToStartContainers", state.sandbox, "", "")]
    if initialized(state):
        verdicts.append(("Initialized", True, completed, ""))
    else:
        left = [container.name for container in state.init if not _is_done(container)]
        message = f"containers with incomplete status: [{' '.join(left)}]"
        verdicts.append(("Initialized", False, "ContainersNotInitialized", message))
    serving = [*(container for container in state.init if container.sidecar), *state.containers]
    unready = [container.name for container in serving if not container.ready]
    if over:
        ready, reason, message = False, over, ""
    elif unready:
        message = f"containers with unready status: [{' '.join(unready)}]"
        ready, reason = False, "ContainersNotReady"
    else:
        ready, reason, message = True, "", ""
    containers_ready = ("ContainersReady", ready, reason, message)
    if ready and (closed := _closed_gates(spec, old)):
        ready, reason, message = False, "ReadinessGatesNotReady", closed
    return [*verdicts, ("Ready", ready, reason, message), containers_ready]


def _closed_gates(spec: Object, old: Object) -> str:
    """Say which of the pod's readiness gates are not open; empty if all are."""
    statuses = {
        condition.get("type"): condition.get("status") for condition in old.get("conditions") or []
    }
    texts = []
    for gate in spec.get("readinessGates") or []:
        kind = gate.get("conditionType", "")
        if kind not in statuses:
            texts.append(f'corresponding condition of pod readiness gate "{kind}" does not exist.')
        elif statuses[kind] != "True":
            shown = f'"{kind}" is not "True", but {statuses[kind]}'
            texts.append(f"the status of pod readiness gate {shown}")
    return ", ".join(texts)


def _condition(
    verdict: _Verdict, before: Mapping[str, Object], generation: int, now: float
) -> Object:
    kind, true, reason, message = verdict
    status = "True" if true else "False"
    known = before.get(kind) or {}
    since = known.get("lastTransitionTime") if known.get("status") == status else None
    condition = {"type": kind, "observedGeneration": generation, "status": status}
    condition |= {"lastProbeTime": None, "lastTransitionTime": since or rfc3339(now)}
    if reason:
        condition["reason"] = reason
    return condition | ({"message": message} if message else {})


def _observed(condition: Object, generation: int) -> Object:
    rest = {k: v for k, v in condition.items() if k not in ("type", "observedGeneration")}
    return {"type": condition["type"], "observedGeneration": generation} | rest


def _containers(
    specs: list[Object], states: tuple[ContainerState, ...], *, init: bool = False
) -> list[Object]:
    return [_container(*pair, init=init) for pair in zip(specs, states, strict=True)]


def _container(spec: Object, now: ContainerState, *, init: bool) -> Object:
    status: Object = {
        "name": now.name,
        "state": _state(now.state),
        "lastState": _state(now.last) if now.last else {},
        "ready": _has_succeeded(now) if init and not now.sidecar else now.ready,
        "restartCount": now.restarts,
        "image": spec.get("image", ""),
        "imageID": now.image_id,
    }
    if now.container_id:
        status["containerID"] = now.container_id
    status["started"] = now.started
    if now.container_id:
        status |= _resources(spec)
    if mounts := spec.get("volumeMounts"):
        status["volumeMounts"] = [_mount(mount) for mount in mounts]
    return status


def _mount(mount: Object) -> Object:
    shown = {key: mount[key] for key in ("name", "mountPath", "readOnly") if key in mount}
    return shown | ({"recursiveReadOnly": "Disabled"} if mount.get("readOnly") else {})


def _state(state: Waiting | Running | Terminated) -> Object:
    if isinstance(state, Waiting):
        message = {"message": state.message} if state.message else {}
        return {"waiting": {"reason": state.reason} | message}
    if isinstance(state, Running):
        return {"running": {"startedAt": rfc3339(state.started_at)}}
    end: Object = {"exitCode": state.exit_code, "reason": state.reason}
    if state.message:
        end["message"] = state.message
    end["startedAt"] = None if state.started_at is None else rfc3339(state.started_at)
    end["finishedAt"] = None if state.finished_at is None else rfc3339(state.finished_at)
    if state.container_id:
        end["containerID"] = state.container_id
    return {"terminated": end}


def _resources(spec: Mapping[str, Any]) -> Object:
    """What the container asked for; nothing is enforced, so it is also what it has."""
    resources = {key: value for key, value in (spec.get("resources") or {}).items() if value}
    requests = {"allocatedResources": resources["requests"]} if "requests" in resources else {}
    return requests | {"resources": resources}


def _pod_resources(spec: Mapping[str, Any]) -> Object:
    """The same for the pod; left out where it would be a sum (it is optional for clients)."""
    only_one = len(spec["containers"]) == 1 and not spec.get("initContainers")
    return _resources(spec["containers"][0]) if only_one else {}
