"""Why pods are not ready, from what the API server knows of them. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flashsale.base.errors import Hint
from flashsale.objects.fields import Section, section, sections, text
from flashsale.objects.models import Object, Pod, find_condition
from flashsale.sale.ready.log_patterns import (
    creation_failure,
    how_to_listen,
    last_lines,
    listening_elsewhere,
    listening_ports,
    probe_failure,
    runtime_reason,
)
from flashsale.sale.ready.unready_containers import (
    INIT,
    NO_IMAGE,
    logs_command,
    missing_image,
    subject,
    unready_status,
)

NO_SECRETS = "has no Secrets"  # as a cluster says it that offers none
ALWAYS = "imagePullPolicy Always"
UNSTARTED = ("RunContainerError", "CreateContainerError", "ContainerCannotRun", "StartError")
BEING_MADE = ("ContainerCreating", "PodInitializing")  # nothing has failed yet
CMD = 'CMD ["gunicorn", "-b", "0.0.0.0:5000", "app:app"]'
MEND = Hint("flashsale up", "after you mended CMD in the Dockerfile, or `command` in the manifest")
UNIX_LINES = r"`sed -i.bak 's/\r$//'`"  # for a script whose lines end as on Windows
NOT_RUN = {126: " (not executable)", 127: " (command not found)"}  # exit codes, as shells have them


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A clause that completes "1 of 3 pods is ready: ", and what to do about it."""

    cause: str
    hint: str
    details: str = ""  # lines of a log, the words of an event


def diagnose(pods: Sequence[Pod], events: Sequence[Object], logs: Mapping[str, str]) -> Diagnosis:
    """Say why not all of these pods are ready.

    Args:
        pods: those of the ReplicaSet.
        events: of the namespace, in any order.
        logs: the last lines of unready pods, by pod.
    """
    unready = [pod for pod in pods if not pod.ready]
    for look in (_no_image, _no_room, _not_started, _crashing, _initializing, _not_answering,
                 _being_made):  # fmt: skip
        for pod in unready:
            about = newest_first(events, pod.name)
            problem = look(pod, about, logs.get(pod.name, ""))
            if problem:
                return problem
    return _no_pods(events) if not pods else _unknown(unready)


def still_stopping(pods: Sequence[Pod], count: int) -> Diagnosis | None:
    """Name a pod that is not gone yet, where that is all that is missing."""
    alive = [pod for pod in pods if not pod.terminating]
    leaving = [pod for pod in pods if pod.terminating]
    if not leaving or len(alive) != count or not all(pod.ready for pod in alive):
        return None
    grace = leaving[0].raw["metadata"].get("deletionGracePeriodSeconds", 30)
    return Diagnosis(
        f"{leaving[0].name} has not ended yet, and is killed when its grace period of {grace} s"
        " is over",
        Hint("flashsale status", "shows when it is gone; an app that handles SIGTERM ends at once"),
    )


def newest_first(events: Sequence[Object], name: str) -> list[Object]:
    """Keep the events about one object, the newest first."""
    about = [event for event in events if text(event, "involvedObject", "name") == name]
    return sorted(about, key=_when, reverse=True)


def _when(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or "")


def _no_image(pod: Pod, events: list[Object], log: str) -> Diagnosis | None:
    reason = pod.status.removeprefix(INIT)
    if reason not in NO_IMAGE:
        return None
    image = missing_image(pod)
    message = _message(events, "Failed", begins="Failed to pull") or _message(events, "Failed")
    if ALWAYS in message:
        return Diagnosis(
            f"the image {image} is asked of a registry, which has none: {ALWAYS} ({reason})",
            Hint("flashsale up", "once the manifest says `imagePullPolicy: IfNotPresent`"),
            message,
        )
    if reason == "ErrImageNeverPull":
        return Diagnosis(
            f"the image {image} is not on the node, and may not be pulled ({reason})",
            "flashsale up --rebuild",
        )
    hint = Hint("flashsale up --rebuild", "builds it; --push REPOSITORY hands it to other machines")
    if image != (own := text(pod.app_container, "image")):
        hint = Hint("flashsale up", f"after you named an image that is there instead, as {own}")
    return Diagnosis(f"the image {image} cannot be pulled ({reason})", hint, message)


def _no_room(pod: Pod, events: list[Object], log: str) -> Diagnosis | None:
    condition = find_condition(pod.raw, "PodScheduled")
    message = _message(events, "FailedScheduling") or str(condition.get("message") or "")
    if pod.node or not message:
        return None
    return Diagnosis(f"no node takes the pod {pod.name}: {message}", _making_room(message))


def _making_room(message: str) -> Hint:
    """Say what helps by what the scheduler lacks: room, or a node of that kind."""
    if "Insufficient" in message or "Too many pods" in message:
        return Hint("flashsale scale 1", "fewer pods; or lower resources.requests in the manifest")
    if "persistentvolumeclaim" in message:
        return Hint(
            "flashsale up", "once the claim is there, or the manifest says emptyDir instead"
        )
    if "free ports" in message:
        return Hint("flashsale up", "after you took hostPort out of the manifest")
    if "taint" in message:
        return Hint("flashsale up", "after you wrote tolerations into the manifest")
    return Hint("flashsale up", "after you changed nodeSelector or affinity in the manifest")


def _not_started(pod: Pod, events: list[Object], log: str) -> Diagnosis | None:
    """Read the runtime's own words: there is no process, so there is no log."""
    state = unready_status(pod)
    places = (("state", "waiting"), ("state", "terminated"), ("lastState", "terminated"))
    parts = (section(state, *place) for place in places)
    messages = (text(part, "message") for part in parts if part.get("reason") in UNSTARTED)
    words = next(filter(None, messages), "")
    if "no command specified" in words:
        image = text(pod.app_container, "image")
        return Diagnosis(
            f"the image {image} names no command to run: its Dockerfile has neither CMD"
            " nor ENTRYPOINT",
            Hint("flashsale up", f"after you added {CMD} to the Dockerfile"),
        )
    if not words:
        return None
    why = f"{subject(pod, 'the container of')} cannot be started: {runtime_reason(words)}"
    if "permission denied" in words:
        return Diagnosis(
            why, Hint("flashsale up", "after `chmod +x` on that file in the app folder")
        )
    if r"\r" in words:
        return Diagnosis(why, Hint("flashsale up", f"after {UNIX_LINES} on that file"))
    return Diagnosis(why, MEND)


def _crashing(pod: Pod, events: list[Object], log: str) -> Diagnosis | None:
    state = unready_status(pod)
    ended = section(state, "state", "terminated") or section(state, "lastState", "terminated")
    if not ended:
        return None
    probe = _message(events, "Unhealthy", begins="Liveness")
    if any("failed liveness probe" in str(event.get("message")) for event in events) and probe:
        return Diagnosis(
            f"Kubernetes restarts the pod {pod.name}, because its {_probe(pod, 'liveness')}"
            f" fails: {probe_failure(probe)}",
            f"flashsale logs {pod.name}",
            last_lines(log),
        )
    if ended.get("reason") == "OOMKilled":
        return Diagnosis(
            f"the pod {pod.name} needs more memory than its limit allows (OOMKilled)",
            Hint("flashsale up", "after you raised resources.limits.memory in the manifest"),
        )
    code = ended.get("exitCode", "?")
    if code == 0 and not log.strip():
        return Diagnosis(
            f"the app in the pod {pod.name} ends at once, with exit code 0 and without a word",
            Hint(
                "flashsale up", f"after you ended the Dockerfile with a command that stays: {CMD}"
            ),
        )
    what = "fails" if pod.status.startswith(INIT) else "does not stay up"
    return Diagnosis(
        f"{subject(pod, 'the app in')} {what}: it ends with"
        f" exit code {code}{NOT_RUN.get(code, '')}",
        logs_command(pod) if log.strip() else MEND if code in NOT_RUN else "",
        last_lines(log),
    )


def _initializing(pod: Pod, events: list[Object], log: str) -> Diagnosis | None:
    """An init container that runs on keeps the app from starting."""
    if not pod.status.startswith(INIT) or not section(unready_status(pod), "state", "running"):
        return None
    hint = Hint(logs_command(pod), "or give it longer with --timeout")
    return Diagnosis(f"{subject(pod, '')} has not ended yet", hint, last_lines(log))


def _not_answering(pod: Pod, events: list[Object], log: str) -> Diagnosis | None:
    probe = _message(events, "Unhealthy", begins="Readiness") or _message(events, "Unhealthy")
    if not probe:
        return None
    where, reason = _probe(pod, "readiness"), probe_failure(probe)
    port = _probe_port(pod)
    if port is None and (name := _asked_port(pod)):
        return Diagnosis(
            f"the pod {pod.name} runs, but its {where} asks a port that no container names",
            Hint("flashsale up", f"after you wrote `name: {name}` beside containerPort"),
        )
    mended = Hint("flashsale up", f"after you made the app listen on {how_to_listen(log, port)}")
    if "refused" in probe and (place := listening_elsewhere(log, port)):
        others = listening_ports(log) - {port}
        more = f"; or wrote {min(others)} in the manifest" if others else ""
        return Diagnosis(
            f"the pod {pod.name} runs, but its app listens on {place}, and its {where} fails",
            Hint(mended.command, f"{mended.words}{more}"),
            last_lines(log),
        )
    if "refused" in probe and port and not log.strip():
        return Diagnosis(
            f"the pod {pod.name} runs, but says nothing, and its {where} fails: {reason}", mended
        )
    other_path = Hint("flashsale up", "after you gave the app that path, or the probe another")
    return Diagnosis(
        f"the pod {pod.name} runs, but its {where} fails: {reason}",
        other_path if reason.endswith("404") else f"flashsale logs {pod.name}",
        last_lines(log),
    )


def _being_made(pod: Pod, events: list[Object], log: str) -> Diagnosis | None:
    waiting = section(unready_status(pod), "state", "waiting")
    reason = waiting.get("reason")
    if reason in BEING_MADE and (message := _message(events, "FailedMount")):
        return Diagnosis(
            f"the pod {pod.name} waits for a volume: {message}",
            Hint("flashsale up", "once the manifest names volumes that are there"),
        )
    if reason in (None, *BEING_MADE):
        return None
    message = str(waiting.get("message") or "")
    words = f": {message}" if message else ""
    return Diagnosis(f"the pod {pod.name} waits ({reason}){words}", _missing_config(message))


def _missing_config(message: str) -> str:
    """Say how to make what a container's configuration asks for."""
    missing = re.match(r'(configmap|secret) "([\w.-]+)" not found', message)
    if not missing:
        return "flashsale status"
    if NO_SECRETS in message:
        return Hint("flashsale up", "once the manifest takes it from a ConfigMap or a plain value")
    kind = "configmap" if missing[1] == "configmap" else "secret generic"
    make = f"kubectl create {kind} {missing[2]} --from-literal=KEY=VALUE"
    return Hint(f"export KUBECONFIG=$(flashsale kubeconfig) && {make}", "with what the app needs")


def _no_pods(events: Sequence[Object]) -> Diagnosis:
    message = _message(sorted(events, key=_when, reverse=True), "FailedCreate")
    if message:
        why = creation_failure(message)
        return Diagnosis(f"the ReplicaSet cannot create pods: {why}", "flashsale status")
    return Diagnosis("no pod was created yet", "flashsale status")


def _unknown(unready: Sequence[Pod]) -> Diagnosis:
    for pod in unready:
        delay = _probe_of(pod, "readiness").get("initialDelaySeconds", 0)
        if pod.status == "Running":
            after = f"; its readiness probe begins only after {delay} s" if delay else ""
            return Diagnosis(
                f"the pod {pod.name} runs, but is not ready yet{after}",
                Hint("flashsale status", "or give it longer with --timeout"),
            )
    names = ", ".join(f"{pod.name} ({pod.status})" for pod in unready)
    return Diagnosis(
        f"still waiting for {names}" if names else "the ReplicaSet is not done yet",
        Hint("flashsale status", "or give it longer with --timeout"),
    )


def _message(events: Sequence[Object], *reasons: str, begins: str = "") -> str:
    for event in events:
        words = text(event, "message")
        if event.get("reason") in reasons and words.startswith(begins):
            return words
    return ""


def _probe_of(pod: Pod, kind: str) -> Section:
    return section(pod.app_container, f"{kind}Probe")


def _probe(pod: Pod, kind: str) -> str:
    """Describe a probe: `readiness probe (GET /health on port 5000)`."""
    http = _probe_of(pod, kind).get("httpGet")
    if not http:
        return f"{kind} probe"
    return f"{kind} probe (GET {http.get('path', '/')} on port {http.get('port')})"


def _asked_port(pod: Pod) -> int | str | None:
    """Return the port of the readiness probe as the manifest has it: a number or a name."""
    probe = _probe_of(pod, "readiness")
    port: int | str | None = (probe.get("httpGet") or probe.get("tcpSocket") or {}).get("port")
    return port


def _probe_port(pod: Pod) -> int | None:
    port = _asked_port(pod)
    ports = sections(pod.app_container, "ports")
    named = {known.get("name"): known.get("containerPort") for known in ports}
    return port if isinstance(port, int) else named.get(port)
