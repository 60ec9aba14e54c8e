"""Rules for containers (pkg/apis/core/validation/validation.go, validateContainerCommon and down).

Paths are dotted strings, and everything expects what decoding and defaulting leave: the right JSON
types, no nulls.
"""

from __future__ import annotations

from flashsale.embedded.types import texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
    choice,
    invalid,
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
from flashsale.objects.models import Object

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
RESTART_POLICIES = ("Always", "Never", "OnFailure")
RESTART_ACTIONS = ("Restart", "RestartAllContainers")
RESIZABLE, RESIZE_POLICIES = ("cpu", "memory"), ("NotRequired", "RestartContainer")
ONLY_LONG_RUNNING = ("lifecycle", "livenessProbe", "readinessProbe", "startupProbe")


def validate_containers(
    containers: list[Object], field: str, grace: int, volumes: set[str]
) -> list[FieldError]:
    """Check the regular containers of a pod; there must be one."""
    if not containers:
        return [FieldError.required(field)]
    errors, names = [], set()
    for index, container in enumerate(containers):
        at, name = f"{field}[{index}]", container.get("name") or ""
        errors += _common(container, at, volumes)
        if name in names:
            errors.append(FieldError.duplicate(f"{at}.name", name))
        names.add(name)
        errors += validate_lifecycle(container.get("lifecycle"), f"{at}.lifecycle", grace)
        errors += validate_probes(container, at, grace)
        errors += _restarting(container, at, initial=False)
    return errors + _host_ports(containers, field)


def validate_init_containers(
    spec: Object, field: str, grace: int, volumes: set[str]
) -> list[FieldError]:
    """Check the initial containers. With restartPolicy Always they are sidecars, with probes."""
    errors: list[FieldError] = []
    names = {container.get("name", "") for container in spec.get("containers") or []}
    for index, container in enumerate(spec.get("initContainers") or []):
        at, name = f"{field}[{index}]", container.get("name") or ""
        errors += _common(container, at, volumes)
        policy = container.get("restartPolicy")
        errors += _restarting(container, at, initial=True)
        if name in names:
            errors.append(FieldError.duplicate(f"{at}.name", name))
        names |= {name} if name else set()
        if policy == "Always":
            errors += validate_lifecycle(container.get("lifecycle"), f"{at}.lifecycle", grace)
            errors += validate_probes(container, at, grace)
            continue
        why = "may not be set for init containers without restartPolicy=Always"
        errors += [
            FieldError.forbidden(f"{at}.{key}", why)
            for key in ONLY_LONG_RUNNING
            if container.get(key) is not None
        ]
    return errors


def validate_ephemeral_containers(spec: Object, field: str) -> list[FieldError]:
    """Check what a debugging container must have; more is not asked, since none can be run."""
    errors: list[FieldError] = []
    for index, container in enumerate(spec.get("ephemeralContainers") or []):
        for key in ("name", "image"):
            errors += required(container, key, f"{field}[{index}]")
    return errors


def validate_images(containers: list[Object], field: str) -> list[FieldError]:
    """Check what pods must keep and templates need not: no blanks around an image's name."""
    why = ["must not have leading or trailing whitespace"]
    errors = []
    for index, container in enumerate(containers):
        image = container.get("image") or ""
        errors += invalid(f"{field}[{index}].image", image, why if image != image.strip() else [])
    return errors


def _common(container: Object, at: str, volumes: set[str]) -> list[FieldError]:
    errors = required_text(container.get("name"), f"{at}.name", texts.dns_label)
    errors += required(container, "image", at)
    policy = container.get("terminationMessagePolicy")
    errors += choice(policy, f"{at}.terminationMessagePolicy", MESSAGE_POLICIES)
    errors += _ports(container.get("ports") or [], f"{at}.ports")
    errors += validate_env(container.get("env") or [], f"{at}.env")
    errors += validate_env_from(container.get("envFrom") or [], f"{at}.envFrom")
    errors += validate_mounts(container, f"{at}.volumeMounts", volumes)
    errors += validate_devices(container, f"{at}.volumeDevices", volumes)
    errors += choice(container.get("imagePullPolicy"), f"{at}.imagePullPolicy", PULL_POLICIES)
    errors += validate_resources(container.get("resources") or {}, f"{at}.resources")
    errors += _resizing(container.get("resizePolicy") or [], f"{at}.resizePolicy")
    return errors + validate_container_security(
        container.get("securityContext"), f"{at}.securityContext"
    )


def _ports(ports: list[Object], field: str) -> list[FieldError]:
    errors, names = [], set()
    for index, port in enumerate(ports):
        at, name = f"{field}[{index}]", port.get("name") or ""
        wrong = optional_text(name, f"{at}.name", texts.port_name)
        errors += wrong
        if name in names and not wrong:
            errors.append(FieldError.duplicate(f"{at}.name", name))
        names |= {name} if name else set()
        number = port.get("containerPort") or 0
        if number:
            errors += invalid(f"{at}.containerPort", number, texts.port_number(number))
        else:
            errors.append(FieldError.required(f"{at}.containerPort"))
        if number := port.get("hostPort"):
            errors += invalid(f"{at}.hostPort", number, texts.port_number(number))
        errors += choice(port.get("protocol"), f"{at}.protocol", PROTOCOLS)
    return errors


def _host_ports(containers: list[Object], field: str) -> list[FieldError]:
    errors, taken = [], set()
    for place, container in enumerate(containers):
        for index, port in enumerate(container.get("ports") or []):
            if not port.get("hostPort"):
                continue
            key = f"{port.get('protocol', '')}/{port.get('hostIP', '')}/{port['hostPort']}"
            if key in taken:
                at = f"{field}[{place}].ports[{index}].hostPort"
                errors.append(FieldError.duplicate(at, key))
            taken.add(key)
    return errors


def _restarting(container: Object, at: str, *, initial: bool) -> list[FieldError]:
    """Check when a container is to be restarted, where that differs from its pod."""
    policy, rules = container.get("restartPolicy"), container.get("restartPolicyRules") or []
    errors: list[FieldError] = []
    if policy is None and rules:
        why = "must specify restartPolicy when restart rules are used"
        errors.append(FieldError.required(f"{at}.restartPolicy", why))
        if initial:
            return errors
    errors += optional_choice(policy, f"{at}.restartPolicy", RESTART_POLICIES)
    for index, rule in enumerate(rules):
        place, action = f"{at}.restartPolicyRules[{index}]", rule.get("action") or ""
        errors += optional_choice(action, f"{place}.action", RESTART_ACTIONS)
        codes = rule.get("exitCodes")
        if codes is None:
            errors.append(FieldError.required(f"{place}.exitCodes", "must be specified"))
        else:
            operator, field = codes.get("operator") or "", f"{place}.exitCodes.operator"
            errors += optional_choice(operator, field, ("In", "NotIn"))
    return errors


def _resizing(policies: list[Object], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    names = [policy.get("resourceName") or "" for policy in policies]
    for index, policy in enumerate(policies):
        if names[index] in names[:index]:
            errors.append(FieldError.duplicate(f"{field}[{index}]", names[index]))
        errors += choice(names[index], field, RESIZABLE)
        errors += choice(policy.get("restartPolicy"), field, RESIZE_POLICIES)
    return errors
