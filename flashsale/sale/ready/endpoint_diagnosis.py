"""Why an address does not lead to the sale, although all pods are ready. Pure.

Clusters only rarely say so themselves: a Service may send buyers wherever it likes. What they do
say are Warning events about the Service; one is taken to hold while it is repeated, because no
event ever says that the trouble is over.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from flashsale.base.errors import Hint
from flashsale.base.text import continue_sentence
from flashsale.objects.fields import Section, number, sections, text, timestamp
from flashsale.objects.models import Object, Pod, Service
from flashsale.sale.ready.log_patterns import listening_ports

TAKEN = "NodePortInUse"  # the node port's, from the embedded cluster and old kube-proxies
PASSING = ("FailedToUpdateEndpointSlices", "FailedToUpdateEndpoint")  # conflicts; tried again
REPEATED = {TAKEN: 9.0}  # seconds within which a lasting trouble is reported again: every 5 s
USUALLY = 60.0  # the same for any other
RATIONED, SELDOM = 20, 330.0  # after 25 times client-go repeats an event only every 300 s
POD_NAME = re.compile(r"[a-z0-9.-]+-[bcdfghjklmnpqrstvwxz2456789]{5}")  # as a ReplicaSet gives it


@dataclass(frozen=True, slots=True)
class EndpointProblem:
    """One sentence, and what to do about it."""

    sentence: str
    hint: str


def newest_lasting(events: Sequence[Object], now: float) -> Object | None:
    """Find the Service's newest Warning that still holds, a taken port before any other.

    Args:
        events: about the Service alone.
        now: unix seconds.
    """
    held = [event for event in events if _holds(event, now) and event.get("reason") not in PASSING]
    held.sort(key=lambda event: (event.get("reason") == TAKEN, _seen(event)))
    return held[-1] if held else None


def _holds(event: Object, now: float) -> bool:
    passed = now - _seen(event)
    count = number(event, "series", "count") or event.get("count") or 1
    again = REPEATED.get(str(event.get("reason")), USUALLY)
    return event.get("type") == "Warning" and (
        passed < again or (count >= RATIONED and passed < SELDOM)
    )


def _seen(event: Object) -> float:
    times = (("lastTimestamp",), ("series", "lastObservedTime"), ("eventTime",))
    return timestamp(next(filter(None, (text(event, *path) for path in times)), ""))


def is_stranger(named: str, ours: Sequence[Pod]) -> bool:
    """Whether an answer comes from a pod that is none of these.

    An app may call its pod whatever it likes, or nothing: only a name as Kubernetes gives it
    counts. A host name is cut to 63 characters.
    """
    known = any(pod.name.startswith(named) for pod in ours)
    return bool(POD_NAME.fullmatch(named)) and not known


def endpoint_warning(event: Object, service: Service, url: str) -> str:
    """Write a Warning that holds in one line."""
    if event.get("reason") == TAKEN:
        return f"{_taken(service)}: {url or 'its address'} does not lead to the sale."
    words = str(event.get("message", "")).rstrip(".")
    return f"The Service {service.name} is in trouble: {words}."


def port_taken_problem(service: Service, requested: bool) -> EndpointProblem:
    """Say that another program has the node port, which was ``requested`` by number or not."""
    another = "change nodePort in the manifest"
    return EndpointProblem(
        f"All pods are ready, but {continue_sentence(_taken(service))}.",
        Hint(f"lsof -i :{service.node_port}", f"names that program; end it, or {another}")
        if requested
        else Hint("flashsale down && flashsale up", "takes another port"),
    )


def other_sale_problem(url: str, named: str) -> EndpointProblem:
    return EndpointProblem(
        f"All pods are ready, but {url} leads to the pod {named}, which is not of this sale.",
        Hint("flashsale up", "after you changed nodePort in the manifest"),
    )


def no_answer_problem(
    url: str, how: str, service: Service, pods: Sequence[Pod], log: str
) -> EndpointProblem:
    """Say why nobody answers at the Service's address.

    Args:
        how: what happened to the last request: `connection reset`.
        pods: those of the ReplicaSet.
        log: the last lines of one of them.
    """
    port = (service.raw["spec"].get("ports") or [{}])[0]
    target = port.get("targetPort", port.get("port"))
    declared = [each for pod in pods for each in _ports(pod)]
    numbers = sorted({int(each["containerPort"]) for each in declared})
    sends = f"The Service {service.name} sends buyers to targetPort {target}"
    if declared and target not in [*numbers, *(each.get("name") for each in declared)]:
        say = f"containers say containerPort {' and '.join(map(str, numbers))}"
        return EndpointProblem(
            f"{sends}, where no container listens: {say} ({how}).",
            Hint("flashsale up", f"after you wrote `targetPort: {numbers[0]}` in the manifest"),
        )
    listening = listening_ports(log) - {target}
    if listening and target not in listening_ports(log):
        return EndpointProblem(
            f"{sends}, but the app listens on port {min(listening)} ({how}).",
            Hint(
                "flashsale up",
                f"after you made the app listen on {target}, "
                f"or wrote {min(listening)} in the manifest",
            ),
        )
    return EndpointProblem(
        f"All pods are ready, but {url} gives no answer: {how}.", "flashsale logs"
    )


def _taken(service: Service) -> str:
    return f"Node port {service.node_port} is taken by another program on this machine"


def _ports(pod: Pod) -> list[Section]:
    containers = sections(pod.raw, "spec", "containers")
    return [port for container in containers for port in sections(container, "ports")]
