"""Rules for probes and lifecycle hooks (validateProbe, validateHandler in validation.go)."""

from __future__ import annotations

from typing import Any

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
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
    "initialDelaySeconds",
    "timeoutSeconds",
    "periodSeconds",
    "successThreshold",
    "failureThreshold",
)


def validate_probes(container: Object, at: str, grace: int) -> list[FieldError]:
    """Check a container's three probes, in Kubernetes' order."""
    errors = []
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        probe, field = container.get(name), f"{at}.{name}"
        if probe is None:
            continue
        errors += _probe(probe, field, grace)
        if name == "readinessProbe":
            if probe.get("terminationGracePeriodSeconds") is not None:
                key, why = "terminationGracePeriodSeconds", "must not be set for readinessProbes"
                errors += invalid(f"{field}.{key}", probe[key], [why])
        else:
            threshold = probe.get("successThreshold", 0)
            wrong = [] if threshold == 1 else ["must be 1"]
            errors += invalid(f"{field}.successThreshold", threshold, wrong)
    return errors


def validate_lifecycle(lifecycle: Object | None, at: str, grace: int) -> list[FieldError]:
    """Check what runs after the start and before the stop; ``grace`` is the pod's, in seconds."""
    errors = []
    for name in ("postStart", "preStop"):
        hook = (lifecycle or {}).get(name)
        if hook is not None:
            errors += _handler(hook, HOOK_HANDLERS, f"{at}.{name}", grace)
    return errors


def port_or_name(value: Any, field: str) -> list[FieldError]:
    """Check a port that is given by number or by name."""
    if isinstance(value, str):
        return invalid(field, value, texts.port_name(value))
    return invalid(field, value or 0, texts.port_number(value or 0))


def _probe(probe: Object, field: str, grace: int) -> list[FieldError]:
    errors = _handler(probe, PROBE_HANDLERS, field, grace)
    for key in PROBE_NUMBERS:
        errors += not_negative(probe, key, field)
    own = probe.get("terminationGracePeriodSeconds")
    if own is not None and own <= 0:
        errors += invalid(f"{field}.terminationGracePeriodSeconds", own, ["must be greater than 0"])
    return errors


def _handler(handler: Object, known: tuple[str, ...], field: str, grace: int) -> list[FieldError]:
    """Exactly one way to probe or to act."""
    given = [name for name in known if handler.get(name) is not None]
    if not given:
        return [FieldError.required(field, "must specify a handler type")]
    errors = _action(given[0], handler[given[0]], f"{field}.{given[0]}", grace)
    why = "may not specify more than 1 handler type"
    return errors + [FieldError.forbidden(f"{field}.{name}", why) for name in given[1:]]


def _action(name: str, action: Object, field: str, grace: int) -> list[FieldError]:
    if name == "exec":
        return required(action, "command", field)
    if name == "httpGet":
        return _http_get(action, field)
    if name == "sleep":
        seconds = action.get("seconds") or 0
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        return invalid(field, seconds, [] if 0 <= seconds <= grace else [why])
    return port_or_name(action.get("port"), f"{field}.port")  # tcpSocket and grpc


def _http_get(action: Object, field: str) -> list[FieldError]:
    errors = required(action, "path", field)
    errors += port_or_name(action.get("port"), f"{field}.port")
    errors += optional_choice(action.get("scheme", ""), f"{field}.scheme", SCHEMES)
    for header in action.get("httpHeaders") or []:
        name = header.get("name") or ""
        errors += invalid(f"{field}.httpHeaders", name, texts.http_header(name))
    return errors
