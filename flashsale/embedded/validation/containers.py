"""Rules for containers (pkg/apis/core/validation/validation.go, validateContainerCommon and down).

Paths are dotted strings, and everything expects what decoding and defaulting leave: the right JSON
types, no nulls.
"""

from __future__ import annotations

from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation import texts
from flashsale.embedded.validation.compute import validate_resources
from flashsale.embedded.validation.metadata import invalid
from flashsale.embedded.validation.probes import validate_lifecycle, validate_probes
from flashsale.objects.models import Object

PROTOCOLS = ("SCTP", "TCP", "UDP")
PULL_POLICIES = ("Always", "IfNotPresent", "Never")
MESSAGE_POLICIES = ("File", "FallbackToLogsOnError")
VALUE_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef")
ENV_FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
)
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
        if container.get("restartPolicy"):
            why = "may not be set for non-init containers"
            errors.append(FieldError.forbidden(f"{at}.restartPolicy", why))
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
        if policy not in (None, "Always"):
            errors.append(FieldError.unsupported(f"{at}.restartPolicy", policy, ["Always"]))
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


def validate_images(containers: list[Object], field: str) -> list[FieldError]:
    """Check what pods must keep and templates need not: no blanks around an image's name."""
    why = ["must not have leading or trailing whitespace"]
    errors = []
    for index, container in enumerate(containers):
        image = container.get("image") or ""
        errors += invalid(f"{field}[{index}].image", image, why if image != image.strip() else [])
    return errors


def choice(value: str | None, field: str, supported: tuple[str, ...]) -> list[FieldError]:
    """Check one of a fixed set of words that must be there."""
    if not value:
        return [FieldError.required(field)]
    return [] if value in supported else [FieldError.unsupported(field, value, supported)]


def _common(container: Object, at: str, volumes: set[str]) -> list[FieldError]:
    name = container.get("name") or ""
    errors = (
        invalid(f"{at}.name", name, texts.dns_label(name))
        if name
        else [FieldError.required(f"{at}.name")]
    )
    if not container.get("image"):
        errors.append(FieldError.required(f"{at}.image"))
    policy = container.get("terminationMessagePolicy")
    errors += choice(policy, f"{at}.terminationMessagePolicy", MESSAGE_POLICIES)
    errors += _ports(container.get("ports") or [], f"{at}.ports")
    errors += _env(container.get("env") or [], f"{at}.env")
    errors += _mounts(container.get("volumeMounts") or [], f"{at}.volumeMounts", volumes)
    errors += choice(container.get("imagePullPolicy"), f"{at}.imagePullPolicy", PULL_POLICIES)
    return errors + validate_resources(container.get("resources") or {}, f"{at}.resources")


def _ports(ports: list[Object], field: str) -> list[FieldError]:
    errors, names = [], set()
    for index, port in enumerate(ports):
        at, name = f"{field}[{index}]", port.get("name") or ""
        wrong = texts.port_name(name) if name else []
        errors += invalid(f"{at}.name", name, wrong)
        if name in names and not wrong:
            errors.append(FieldError.duplicate(f"{at}.name", name))
        names |= {name} if name else set()
        number = port.get("containerPort") or 0
        if number:
            errors += invalid(f"{at}.containerPort", number, texts.port_number(number))
        else:
            errors.append(FieldError.required(f"{at}.containerPort"))
        if port.get("hostPort"):
            wrong = texts.port_number(port["hostPort"])
            errors += invalid(f"{at}.hostPort", port["hostPort"], wrong)
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


def _env(variables: list[Object], field: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        at, name = f"{field}[{index}]", variable.get("name") or ""
        if name:
            errors += invalid(f"{at}.name", name, texts.env_name(name))
        else:
            errors.append(FieldError.required(f"{at}.name"))
        if variable.get("valueFrom") is not None:
            errors += _value_from(variable, f"{at}.valueFrom")
    return errors


def _value_from(variable: Object, at: str) -> list[FieldError]:
    source = variable["valueFrom"]
    given = [key for key in VALUE_SOURCES if source.get(key) is not None]
    errors = _field_ref(source["fieldRef"], f"{at}.fieldRef") if "fieldRef" in given else []
    for key in ("configMapKeyRef", "secretKeyRef"):
        if key in given and not source[key].get("key"):
            errors.append(FieldError.required(f"{at}.{key}.key"))
    if not given:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`"
        return [*errors, FieldError.invalid(at, "", f"must specify one of: {listed}")]
    if variable.get("value"):
        why = "may not be specified when `value` is not empty"
        return [*errors, FieldError.invalid(at, "", why)]
    if len(given) > 1:
        why = "may not have more than one field specified at a time"
        errors.append(FieldError.invalid(at, "", why))
    return errors


def _field_ref(reference: Object, at: str) -> list[FieldError]:
    path = reference.get("fieldPath") or ""
    if not path:
        return [FieldError.required(f"{at}.fieldPath")]
    name, bracket, subscript = path.partition("['")
    if bracket and subscript.endswith("']") and name in ("metadata.labels", "metadata.annotations"):
        return invalid(at, subscript[:-2], texts.qualified_name(subscript[:-2].lower()))
    if path in ENV_FIELDS:
        return []
    return [FieldError.unsupported(f"{at}.fieldPath", path, ENV_FIELDS)]


def _mounts(mounts: list[Object], field: str, volumes: set[str]) -> list[FieldError]:
    errors, paths = [], set()
    for index, mount in enumerate(mounts):
        at, name, path = f"{field}[{index}]", mount.get("name") or "", mount.get("mountPath") or ""
        if not name:
            errors.append(FieldError.required(f"{at}.name"))
        if name not in volumes:
            errors.append(not_found(f"{at}.name", name))
        if not path:
            errors.append(FieldError.required(f"{at}.mountPath"))
        errors += invalid(f"{at}.mountPath", path, ["must be unique"] if path in paths else [])
        paths.add(path)
    return errors


def not_found(field: str, name: str) -> FieldError:
    """A name that refers to nothing."""
    return FieldError("FieldValueNotFound", field, f'Not found: "{name}"')
