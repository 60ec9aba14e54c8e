"""Whether the sale's address leads to the sale: tried by `up` before it says that it is open."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, IncompleteRead, RemoteDisconnected
from itertools import chain
from urllib.parse import urlsplit

from flashsale.base.aio import in_thread
from flashsale.base.errors import FlashsaleError, NotReadyError, RefusedError
from flashsale.clusters.base import Progress
from flashsale.kube import paths
from flashsale.kube.apply import last_applied
from flashsale.objects.fields import sections, text
from flashsale.objects.models import Object, Pod, Service
from flashsale.sale.ready import endpoint_diagnosis
from flashsale.sale.ready.conditions import Deadline
from flashsale.sale.ready.endpoint_diagnosis import EndpointProblem
from flashsale.sale.session import Sale

ANSWER = 3.0  # seconds for an answer: kube-proxy is a little late
FREED = 6.0  # the same where a port was taken: the embedded cluster tries it every 5 s
UNPROBED = 15.0  # the same where pods are ready without having answered any HTTP request
SHORTEST = 1.0  # the same where `--timeout` left less
PAUSE = 0.1  # seconds between two tries
ENOUGH = 65536  # bytes of an answer that are read


@dataclass(frozen=True, slots=True)
class EndpointAnswer:
    """What came back for one GET request."""

    pod: str = ""  # whom it names, as the shop's answers do
    trouble: str = ""  # what happened instead: connection refused

    @property
    def came(self) -> bool:
        """Whether it is a complete HTTP answer, of any status."""
        return not self.trouble


async def lasting_warning(sale: Sale, service: Service) -> Object | None:
    """Find a Warning about the Service that still holds; none where events may not be read."""
    selector = f"involvedObject.kind=Service,involvedObject.name={sale.service_name},type=Warning"
    try:
        events = await sale.api.list(paths.events(sale.namespace), {"fieldSelector": selector})
    except FlashsaleError:
        return None
    uid = service.raw["metadata"].get("uid")
    about = [event for event in events if text(event, "involvedObject", "uid") == uid]
    return endpoint_diagnosis.newest_lasting(about, time.time())


async def endpoint_trouble(sale: Sale, service: Service, url: str, pods: Sequence[Pod]) -> str:
    """Say in one line why no buyer gets in; nothing if that is over, or was never so."""
    event = await lasting_warning(sale, service)
    if event is None:
        return ""
    answer = await send_get(url, ANSWER) if url else EndpointAnswer()
    if answer.pod in [pod.name for pod in pods]:
        return ""
    return endpoint_diagnosis.endpoint_warning(event, service, url)


async def refuse_if_port_taken(sale: Sale, service: Service, url: str) -> None:
    """Raise RefusedError if another program owns the Service's node port, and answers there."""
    event = await lasting_warning(sale, service)
    if event is None or event.get("reason") != endpoint_diagnosis.TAKEN:
        return
    pods = await sale.pods(await sale.replicaset())
    if await _foreign(sale, await send_get(url, ANSWER), pods, event):
        hint = endpoint_diagnosis.port_taken_problem(service, _asked(service)).hint
        raise RefusedError(endpoint_diagnosis.endpoint_warning(event, service, url), hint=hint)


async def wait_until_sale_answers(
    sale: Sale, url: str, pods: Sequence[Pod], deadline: Deadline, progress: Progress
) -> None:
    """Return once a request to the address is answered by the sale.

    Args:
        pods: the sale's, as they were a moment ago.
        deadline: of all waiting; the tries get a second even when it is over.

    Raises:
        NotReadyError: none is; it says why as precisely as that is known. The sale stays as it is.
    """
    service = await sale.service()
    event = await lasting_warning(sale, service)
    patience = FREED if event else ANSWER if _have_answered(pods) else UNPROBED
    tries = Deadline.after(max(SHORTEST, min(patience, deadline.left())))
    reported = False
    while True:
        answer = await send_get(url, max(SHORTEST, tries.left()))
        foreign = answer.came and await _foreign(sale, answer, pods, event)
        if answer.came and not foreign:
            return
        if foreign or not tries.left():
            break
        if not reported:
            progress.step(f"Waiting for an answer at {url}")
            reported = True
        await asyncio.sleep(PAUSE)
    problem = await _why(sale, url, answer, service)
    raise NotReadyError(problem.sentence, hint=problem.hint)


def _have_answered(pods: Sequence[Pod]) -> bool:
    """Whether pods that are ready have answered HTTP, for a readiness probe asks them."""
    containers = chain.from_iterable(sections(pod.raw, "spec", "containers") for pod in pods)
    return any("httpGet" in (container.get("readinessProbe") or {}) for container in containers)


async def _foreign(
    sale: Sale, answer: EndpointAnswer, pods: Sequence[Pod], event: Object | None
) -> bool:
    """Whether it is not the sale that answered."""
    if not answer.pod:
        return event is not None and event.get("reason") == endpoint_diagnosis.TAKEN
    if not endpoint_diagnosis.is_stranger(answer.pod, pods):
        return False
    pods = await sale.pods(await sale.replicaset())
    return endpoint_diagnosis.is_stranger(answer.pod, pods)


async def _why(sale: Sale, url: str, answer: EndpointAnswer, service: Service) -> EndpointProblem:
    event = await lasting_warning(sale, service)
    if event and event.get("reason") == endpoint_diagnosis.TAKEN:
        return endpoint_diagnosis.port_taken_problem(service, _asked(service))
    if answer.came:
        return endpoint_diagnosis.other_sale_problem(url, answer.pod)
    pods = await sale.own_pods()
    log = await sale.last_log_lines(pods[0]) if pods else ""
    return endpoint_diagnosis.no_answer_problem(url, answer.trouble, service, pods, log)


def _asked(service: Service) -> bool:
    """Whether the manifest that was applied names the node port."""
    ports = sections(last_applied(dict(service.raw)), "spec", "ports")
    return any(port.get("nodePort") for port in ports)


async def send_get(url: str, timeout: float) -> EndpointAnswer:
    """Send one GET request in ``timeout`` seconds, on a connection of its own, past any proxy."""
    place = urlsplit(url)

    def get() -> bytes:
        connection = HTTPConnection(place.hostname or "", place.port or 80, timeout=timeout)
        try:
            connection.request("GET", place.path or "/", headers={"Connection": "close"})
            response = connection.getresponse()
            body = response.read(ENOUGH)
            if len(body) < ENOUGH and response.length:
                raise IncompleteRead(body, response.length)
            return body
        finally:
            connection.close()

    try:
        async with asyncio.timeout(timeout):
            return EndpointAnswer(named_pod(await in_thread(get)))
    except (OSError, HTTPException) as error:
        return EndpointAnswer(trouble=_words(error, timeout))


def named_pod(body: bytes) -> str:
    """Read which pod an answer names; empty where it names none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    pod = document.get("pod") if isinstance(document, dict) else None
    return pod if isinstance(pod, str) else ""


def _words(error: Exception, timeout: float) -> str:
    match error:
        case ConnectionRefusedError():
            return "connection refused"
        case RemoteDisconnected():
            return "connection closed without an answer"
        case ConnectionResetError() | BrokenPipeError():
            return "connection reset"
        case TimeoutError():
            return f"nothing came within {timeout:.2g} s"
        case OSError():
            return (error.strerror or str(error)).lower()
    return "the answer breaks off" if isinstance(error, IncompleteRead) else "what came is not HTTP"
