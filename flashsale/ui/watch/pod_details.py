"""One pod in full, and the help: the lines of the panels that `watch` opens. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from flashsale.objects.columns import human_duration
from flashsale.objects.fields import sections
from flashsale.objects.models import Pod
from flashsale.sale.observe.observations import EventSeen
from flashsale.ui.watch.view_model import Now

KEYS = (
    ("↑ ↓", "choose a pod; Page Up, Page Down, Home and End go further; Esc chooses none"),
    ("Enter", "choose the first pod; describe the chosen one"),
    ("d", "describe the chosen pod, with its events"),
    ("l", "show the last lines of its log"),
    ("k", "kill it; a random ready pod where none is chosen"),
    ("+ -", "one pod more, one pod fewer"),
    ("e", "hide the events, or show them again"),
    ("?", "this help"),
    ("q", "quit"),
)
MARKS = (
    ("●", "ready: the Service sends buyers there"),
    ("◌", "on its way: created, or starting"),
    ("↳", "on its way, in the place of a pod that died"),
    ("✕", "on its way out"),
    ("○", "gone"),
    ("?", "has the labels, but does not belong to the ReplicaSet"),
)


def help_lines() -> list[str]:
    """List the keys, and what the marks before the pods mean."""
    keys = [f"   {key:<6}  {what}" for key, what in KEYS]
    return [*keys, "", *(f"   {mark:<6}  {what}" for mark, what in MARKS)]


def describe_pod(pod: Pod, events: Sequence[EventSeen], now: Now) -> list[str]:
    """Write what is known of a pod as `kubectl describe` would, in fewer lines."""
    lines = [
        f"   status      {pod.status}, {pod.containers_ready} of {pod.containers} ready,"
        f" restarts {pod.restarts}",
        f"   age         {human_duration(now.wall - pod.created)}",
        f"   node, IP    {pod.node or 'not scheduled yet'}, {pod.ip or 'no address yet'}",
        *chain.from_iterable(map(_container_lines, sections(pod.raw, "spec", "containers"))),
    ]
    if pod.waiting:
        lines.append(f"   waits       {pod.waiting}")
    lines += [f"   condition   {line}" for line in _conditions(pod)]
    about = [event for event in events if event.uid == pod.uid or event.name == pod.name]
    return [*lines, "", "   Events", *(map(_event_line, about) if about else ["   none"])]


def _container_lines(container: Mapping[str, Any]) -> Iterator[str]:
    yield f"   container   {container.get('name', '')}: {container.get('image', '')}"
    for kind in ("startup", "readiness", "liveness"):
        if probe := container.get(f"{kind}Probe"):
            yield f"   {kind:<10}  {describe_probe(probe)}"


def describe_probe(probe: Mapping[str, Any]) -> str:
    """Write what a probe does and when: `GET /health on port 5000 after 3 s, every 5 s`."""
    http = probe.get("httpGet")
    what = f"GET {http.get('path', '/')} on port {http.get('port')}" if http else "another check"
    delay, period = probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10)
    return f"{what}{f' after {delay} s' if delay else ''}, every {period} s"


def _conditions(pod: Pod) -> Iterator[str]:
    for section in sections(pod.raw, "status", "conditions"):
        why = section.get("message") or section.get("reason") or ""
        if section.get("status") != "True":
            yield f"{section.get('type')} {section.get('status')}{f': {why}' if why else ''}"


def _event_line(event: EventSeen) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(event.when))
    times = f" (x{event.count})" if event.count > 1 else ""
    return f"   {clock}  {event.reason}: {event.message}{times}"
