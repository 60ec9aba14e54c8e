"""Rules for probes and lifecycle hooks (validateProbe, validateHandler in validation.go)."""

from __future__ import annotations

from typing import Any

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
    Errors,
    invalid,
    not_negative,
    optional_choice,
    required,
)
from flashsale.objects.models import Object

SCHEMES = ("HTTP", "HTTPS")
PROBE_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
HOOK_HANDLERS = ("exec", "httpGet", "tcpSocket", "sleep")
PROBE_NUMBERS = (
    "initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold",
    "failureThreshold",
)  # fmt: skip


def validate_probes(container: Object, at: str, grace: int) -> Errors:
    """Check a container's three probes, in Kubernetes' order."""
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, field = container.get(name), f"{at}.{name}"
        if probe is None:
            continue
        yield from _probe(probe, field, grace)
        if name == "readinessProbe":
            key = "terminationGracePeriodSeconds"
            if (own := probe.get(key)) is not None:
                yield FieldError.invalid(
                    f"{field}.{key}", own, "must not be set for readinessProbes"
                )
        elif (threshold := probe.get("successThreshold", 0)) != 1:
            yield FieldError.invalid(f"{field}.successThreshold", threshold, "must be 1")


def validate_lifecycle(lifecycle: Object | None, at: str, grace: int) -> Errors:
    """Check what runs after the start and before the stop; ``grace`` is the pod's, in seconds."""
    for name in ("postStart", "preStop"):
        hook = (lifecycle or {}).get(name)
        if hook is not None:
            yield from _handler(hook, HOOK_HANDLERS, f"{at}.{name}", grace)


def port_or_name(value: Any, field: str) -> Errors:
    """Check a port that is given by number or by name."""
    if isinstance(value, str):
        return invalid(field, value, texts.port_name(value))
    return invalid(field, value or 0, texts.port_number(value or 0))


def _probe(probe: Object, field: str, grace: int) -> Errors:
    yield from _handler(probe, PROBE_HANDLERS, field, grace)
    for key in PROBE_NUMBERS:
        yield from not_negative(probe, key, field)
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        at = f"{field}.terminationGracePeriodSeconds"
        yield FieldError.invalid(at, own, "must be greater than 0")


def _handler(handler: Object, known: tuple[str, ...], field: str, grace: int) -> Errors:
    """Exactly one way to probe or to act."""
    given = [name for name in known if handler.get(name) is not None]
    if not given:
        yield FieldError.required(field, "must specify a handler type")
    for name in given[:1]:
        yield from _action(name, handler[name], f"{field}.{name}", grace)
    for name in given[1:]:
        yield FieldError.forbidden(f"{field}.{name}", "may not specify more than 1 handler type")


def _action(name: str, action: Object, field: str, grace: int) -> Errors:
    if name == "exec":
        yield from required(action, "command", field)
    elif name == "httpGet":
        yield from _http_get(action, field)
    elif name == "sleep":
        seconds = action.get("seconds") or 0
        if not 0 <= seconds <= grace:
            why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
            yield FieldError.invalid(field, seconds, why)
    else:  # tcpSocket and grpc
        yield from port_or_name(action.get("port"), f"{field}.port")


def _http_get(action: Object, field: str) -> Errors:
    yield from required(action, "path", field)
    yield from port_or_name(action.get("port"), f"{field}.port")
    yield from optional_choice(action.get("scheme", ""), f"{field}.scheme", SCHEMES)
    for header in action.get("httpHeaders") or []:
        name = header.get("name") or ""
        yield from invalid(f"{field}.httpHeaders", name, texts.http_header(name))
