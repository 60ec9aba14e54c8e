"""Rules for containers (pkg/apis/core/validation/validation.go, validateContainerCommon and down).

Paths are dotted strings, and everything expects what decoding and defaulting leave: the right JSON
types, no nulls.
"""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
    Errors,
    choice,
    each,
    invalid,
    once,
    optional_choice,
    optional_text,
    required,
    required_text,
)
from flashsale.embedded.validation.pod.env import validate_env, validate_env_from
from flashsale.embedded.validation.pod.probes import validate_lifecycle, validate_probes
from flashsale.embedded.validation.pod.requests_and_limits import validate_resources
from flashsale.embedded.validation.pod.security_context import validate_container_security
from flashsale.embedded.validation.pod.volume_mounts import validate_devices, validate_mounts
from flashsale.embedded.validation.pod.volumes import PULL_POLICIES
from flashsale.objects.models import Object

PROTOCOLS = ("SCTP", "TCP", "UDP")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
RESTART_POLICIES = ("Always", "Never", "OnFailure")
RESTART_ACTIONS = ("Restart", "RestartAllContainers")
RESIZABLE, RESIZE_POLICIES = ("cpu", "memory"), ("NotRequired", "RestartContainer")
ONLY_LONG_RUNNING = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def validate_containers(spec: Object, field: str, grace: int, volumes: set[str]) -> Errors:
    """Check the regular containers of a pod; there must be one."""
    if not spec.get("containers"):
        yield FieldError.required(f"{field}.containers")
    names: set[str] = set()
    for at, container in each(spec, "containers", field):
        yield from _common(container, at, volumes)
        yield from once(container.get("name") or "", f"{at}.name", names)
        yield from validate_lifecycle(container.get("lifecycle"), f"{at}.lifecycle", grace)
        yield from validate_probes(container, at, grace)
        yield from _restarting(container, at, initial=False)
    yield from _host_ports(spec, field)


def validate_init_containers(spec: Object, field: str, grace: int, volumes: set[str]) -> Errors:
    """Check the initial containers. With restartPolicy Always they are sidecars, with probes."""
    names = {container.get("name", "") for container in spec.get("containers") or []}
    for at, container in each(spec, "initContainers", field):
        yield from _common(container, at, volumes)
        yield from _restarting(container, at, initial=True)
        name = container.get("name") or ""
        if name or "" in names:
            yield from once(name, f"{at}.name", names)
        if container.get("restartPolicy") == "Always":
            yield from validate_lifecycle(container.get("lifecycle"), f"{at}.lifecycle", grace)
            yield from validate_probes(container, at, grace)
            continue
        why = "may not be set for init containers without restartPolicy=Always"
        for key in ONLY_LONG_RUNNING:
            if container.get(key) is not None:
                yield FieldError.forbidden(f"{at}.{key}", why)


def validate_ephemeral_containers(spec: Object, field: str) -> Errors:
    """Check what a debugging container must have; more is not asked, since none can be run."""
    for at, container in each(spec, "ephemeralContainers", field):
        yield from required(container, "name", at)
        yield from required(container, "image", at)


def validate_image(image: str, field: str) -> Errors:
    """Check what pods must keep and templates need not: no blanks around an image's name."""
    if image != image.strip():
        yield FieldError.invalid(field, image, "must not have leading or trailing whitespace")


def _common(container: Object, at: str, volumes: set[str]) -> Errors:
    yield from required_text(container.get("name"), f"{at}.name", texts.dns_label)
    yield from required(container, "image", at)
    policy = container.get("terminationMessagePolicy")
    yield from choice(policy, f"{at}.terminationMessagePolicy", MESSAGE_POLICIES)
    yield from _ports(container, at)
    yield from validate_env(container, at)
    yield from validate_env_from(container, at)
    yield from validate_mounts(container, at, volumes)
    yield from validate_devices(container, at, volumes)
    yield from choice(container.get("imagePullPolicy"), f"{at}.imagePullPolicy", PULL_POLICIES)
    yield from validate_resources(container.get("resources") or {}, f"{at}.resources")
    yield from _resizing(container.get("resizePolicy") or [], f"{at}.resizePolicy")
    yield from validate_container_security(
        container.get("securityContext") or {}, f"{at}.securityContext"
    )


def _ports(container: Object, at: str) -> Errors:
    names: set[str] = set()
    for place, port in each(container, "ports", at):
        name, field = port.get("name") or "", f"{place}.name"
        wrong = list(optional_text(name, field, texts.port_name))
        yield from wrong
        if name and not wrong:
            yield from once(name, field, names)
        if number := port.get("containerPort"):
            yield from invalid(f"{place}.containerPort", number, texts.port_number(number))
        else:
            yield FieldError.required(f"{place}.containerPort")
        if number := port.get("hostPort"):
            yield from invalid(f"{place}.hostPort", number, texts.port_number(number))
        yield from choice(port.get("protocol"), f"{place}.protocol", PROTOCOLS)


def _host_ports(spec: Object, field: str) -> Errors:
    taken: set[str] = set()
    for at, container in each(spec, "containers", field):
        for place, port in each(container, "ports", at):
            if port.get("hostPort"):
                key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
                yield from once(key, f"{place}.hostPort", taken)


def _restarting(container: Object, at: str, *, initial: bool) -> Errors:
    """Check when a container is to be restarted, where that differs from its pod."""
    policy = container.get("restartPolicy")
    if policy is None and container.get("restartPolicyRules"):
        why = "must specify restartPolicy when restart rules are used"
        yield FieldError.required(f"{at}.restartPolicy", why)
        if initial:
            return
    yield from optional_choice(policy, f"{at}.restartPolicy", RESTART_POLICIES)
    for place, rule in each(container, "restartPolicyRules", at):
        yield from optional_choice(rule.get("action") or "", f"{place}.action", RESTART_ACTIONS)
        codes, field = rule.get("exitCodes"), f"{place}.exitCodes"
        if codes is None:
            yield FieldError.required(field, "must be specified")
        else:
            operator = codes.get("operator") or ""
            yield from optional_choice(operator, f"{field}.operator", ("In", "NotIn"))


def _resizing(policies: list[Object], field: str) -> Errors:
    names: set[str] = set()
    for index, policy in enumerate(policies):
        name = policy.get("resourceName") or ""
        yield from once(name, f"{field}[{index}]", names)
        yield from choice(name, field, RESIZABLE)
        yield from choice(policy.get("restartPolicy"), field, RESIZE_POLICIES)
