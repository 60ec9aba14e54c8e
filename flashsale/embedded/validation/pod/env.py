"""Rules for what containers get from their pod, ConfigMaps and Secrets: env, envFrom, fields."""

from __future__ import annotations

from flashsale.embedded.types import quantities, texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import invalid, required, required_text
from flashsale.objects.models import Object

VALUE_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
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
VOLUME_FIELDS = (
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
)
FIELD_LABELS = (
    *ENV_FIELDS,
    *VOLUME_FIELDS,
    "spec.restartPolicy",
    "spec.schedulerName",
    "status.phase",
)
RESOURCES = (
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
)
HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
BYTE_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
SUBSCRIPTED = ("metadata.labels", "metadata.annotations")
ONE_AT_A_TIME = "may not have more than one field specified at a time"


def validate_env(variables: list[Object], field: str) -> list[FieldError]:
    """Check variables that are set one by one."""
    errors: list[FieldError] = []
    for index, variable in enumerate(variables):
        at = f"{field}[{index}]"
        errors += required_text(variable.get("name"), f"{at}.name", texts.env_name)
        if variable.get("valueFrom") is not None:
            errors += _value_from(variable, f"{at}.valueFrom")
    return errors


def validate_env_from(sources: list[Object], field: str) -> list[FieldError]:
    """Check variables that are taken from whole ConfigMaps and Secrets."""
    errors: list[FieldError] = []
    for index, source in enumerate(sources):
        at, prefix = f"{field}[{index}]", source.get("prefix") or ""
        errors += invalid(f"{at}.prefix", prefix, texts.env_name(prefix))
        given = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for key in given:
            name = source[key].get("name")
            errors += required_text(name, f"{at}.{key}.name", texts.dns_subdomain)
        if not given:
            why = "must specify one of: `configMapRef` or `secretRef`"
            errors += invalid(field, "", [why])
        elif len(given) > 1:
            errors += invalid(field, "", [ONE_AT_A_TIME])
    return errors


def validate_file_source(item: Object, at: str, fields: tuple[str, ...]) -> list[FieldError]:
    """Check what a file of the downward API holds: a field of the pod or a container's resource."""
    reference, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if reference is not None:
        errors = _field_ref(reference, f"{at}.fieldRef", fields)
        if resource is not None:
            why = "fieldRef and resourceFieldRef can not be specified simultaneously"
            errors += invalid(at, "resource", [why])
        return errors
    if resource is None:
        return [FieldError.required(at, "one of fieldRef and resourceFieldRef is required")]
    return _resource_ref(resource, f"{at}.resourceFieldRef", of_volume=True)


def _value_from(variable: Object, at: str) -> list[FieldError]:
    source = variable["valueFrom"]
    given = [key for key in VALUE_SOURCES if source.get(key) is not None]
    errors: list[FieldError] = []
    for key in given:
        errors += _value_source(key, source[key], f"{at}.{key}")
    if not given:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        return [*errors, FieldError.invalid(at, "", f"must specify one of: {listed}")]
    if variable.get("value"):
        why = "may not be specified when `value` is not empty"
        return [*errors, FieldError.invalid(at, "", why)]
    return errors + invalid(at, "", [ONE_AT_A_TIME] if len(given) > 1 else [])


def _value_source(kind: str, source: Object, at: str) -> list[FieldError]:
    if kind == "fieldRef":
        return _field_ref(source, at, ENV_FIELDS)
    if kind == "resourceFieldRef":
        return _resource_ref(source, at, of_volume=False)
    if kind == "fileKeyRef":
        return _file_key(source, at)
    name = source.get("name") or ""
    errors = invalid(f"{at}.name", name, texts.dns_subdomain(name))
    return errors + required_text(source.get("key"), f"{at}.key", texts.config_key)


def _file_key(source: Object, at: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for name, rule in (
        ("key", texts.env_name),
        ("volumeName", texts.dns_label),
        ("path", backsteps),
    ):
        errors += required_text(source.get(name), f"{at}.{name}", rule)
    return errors


def backsteps(path: str) -> list[str]:
    """Say that a path must not lead upwards, if it does."""
    return ["must not contain '..'"] if ".." in path.split("/") else []


def _field_ref(reference: Object, at: str, fields: tuple[str, ...]) -> list[FieldError]:
    path = reference.get("fieldPath") or ""
    for key in ("apiVersion", "fieldPath"):
        if missing := required(reference, key, at):
            return missing
    name, bracket, subscript = path.partition("['")
    subscripted = bool(bracket) and subscript.endswith("']")
    if why := _unconvertible(reference["apiVersion"], path, name if subscripted else ""):
        return invalid(f"{at}.fieldPath", path, [f"error converting fieldPath: {why}"])
    if subscripted:
        key = subscript[:-2]
        shown = key.lower() if name == "metadata.annotations" else key
        return invalid(at, key, texts.qualified_name(shown))
    if path in fields:
        return []
    return [FieldError.unsupported(f"{at}.fieldPath", path, fields)]


def _unconvertible(version: str, path: str, subscripted: str) -> str:
    """Say why a path is no field of a pod (ConvertDownwardAPIFieldLabel), empty if it is one."""
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscripted:
        sound = subscripted in SUBSCRIPTED
        return "" if sound else f"field label does not support subscript: {path}"
    return "" if path in FIELD_LABELS else f"field label not supported: {path}"


def _resource_ref(reference: Object, at: str, *, of_volume: bool) -> list[FieldError]:
    resource, errors = reference.get("resource") or "", []
    if of_volume and not reference.get("containerName"):
        errors += required(reference, "containerName", at)
    elif not resource:
        errors += required(reference, "resource", at)
    elif resource not in RESOURCES and not resource.startswith(HUGE_PAGES):
        errors.append(FieldError.unsupported(f"{at}.resource", resource, RESOURCES))
    return errors + _divisor(resource, reference.get("divisor") or "0", at)


def _divisor(resource: str, divisor: str, at: str) -> list[FieldError]:
    if quantities.parse_quantity(divisor) == 0:
        return []
    kind = resource.partition(".")[2]
    if kind == "cpu" and divisor not in ("1m", "1"):
        why = "only divisor's values 1m and 1 are supported with the cpu resource"
        return invalid(f"{at}.divisor", resource, [why])
    words = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}
    word = "hugepages" if kind.startswith("hugepages-") else words.get(kind)
    if word and divisor not in BYTE_DIVISORS:
        listed = ", ".join(BYTE_DIVISORS)
        why = f"only divisor's values {listed} are supported with the {word} resource"
        return invalid(f"{at}.divisor", resource, [why])
    return []
