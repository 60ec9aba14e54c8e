"""Rules for what containers get from their pod, ConfigMaps and Secrets: env, envFrom, fields."""

from __future__ import annotations

from flashsale.embedded.types import quantities, texts
from flashsale.embedded.types.api_errors import FieldError
from flashsale.embedded.validation.field_checks import (
    Errors,
    choice,
    each,
    invalid,
    optional_choice,
    optional_text,
    required_text,
)
from flashsale.objects.models import Object

VALUE_SOURCES = ("fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef", "fileKeyRef")
ENV_FIELDS = (
    "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName",
    "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs",
)  # fmt: skip
VOLUME_FIELDS = (
    "metadata.annotations", "metadata.labels", "metadata.name", "metadata.namespace",
    "metadata.uid",
)  # fmt: skip
FIELD_LABELS = (
    *ENV_FIELDS, *VOLUME_FIELDS, "spec.restartPolicy", "spec.schedulerName", "status.phase",
)  # fmt: skip
RESOURCES = (
    "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu",
    "requests.ephemeral-storage", "requests.memory",
)  # fmt: skip
HUGE_PAGES = ("limits.hugepages-", "requests.hugepages-")
BYTE_DIVISORS = ("1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei")
SUBSCRIPTED = ("metadata.labels", "metadata.annotations")
ONE_AT_A_TIME = "may not have more than one field specified at a time"


def validate_env(container: Object, at: str) -> Errors:
    """Check variables that are set one by one."""
    for place, variable in each(container, "env", at):
        yield from required_text(variable.get("name"), f"{place}.name", texts.env_name)
        if variable.get("valueFrom") is not None:
            yield from _value_from(variable, f"{place}.valueFrom")


def validate_env_from(container: Object, at: str) -> Errors:
    """Check variables that are taken from whole ConfigMaps and Secrets."""
    for place, source in each(container, "envFrom", at):
        yield from optional_text(source.get("prefix"), f"{place}.prefix", texts.env_name)
        given = [key for key in ("configMapRef", "secretRef") if source.get(key) is not None]
        for key in given:
            name = source[key].get("name")
            yield from required_text(name, f"{place}.{key}.name", texts.dns_subdomain)
        if not given:
            why = "must specify one of: `configMapRef` or `secretRef`"
            yield FieldError.invalid(f"{at}.envFrom", "", why)
        elif len(given) > 1:
            yield FieldError.invalid(f"{at}.envFrom", "", ONE_AT_A_TIME)


def validate_file_source(item: Object, at: str, fields: tuple[str, ...]) -> Errors:
    """Check what a file of the downward API holds: a field of the pod or a container's resource."""
    reference, resource = item.get("fieldRef"), item.get("resourceFieldRef")
    if reference is not None:
        yield from _field_ref(reference, f"{at}.fieldRef", fields)
        if resource is not None:
            why = "fieldRef and resourceFieldRef can not be specified simultaneously"
            yield FieldError.invalid(at, "resource", why)
    elif resource is None:
        yield FieldError.required(at, "one of fieldRef and resourceFieldRef is required")
    else:
        yield from _resource_ref(resource, f"{at}.resourceFieldRef", of_volume=True)


def _value_from(variable: Object, at: str) -> Errors:
    source = variable["valueFrom"]
    given = [key for key in VALUE_SOURCES if source.get(key) is not None]
    for key in given:
        yield from _value_source(key, source[key], f"{at}.{key}")
    if not given:
        listed = "`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
        yield FieldError.invalid(at, "", f"must specify one of: {listed}")
    elif variable.get("value"):
        yield FieldError.invalid(at, "", "may not be specified when `value` is not empty")
    elif len(given) > 1:
        yield FieldError.invalid(at, "", ONE_AT_A_TIME)


def _value_source(kind: str, source: Object, at: str) -> Errors:
    if kind == "fieldRef":
        yield from _field_ref(source, at, ENV_FIELDS)
    elif kind == "resourceFieldRef":
        yield from _resource_ref(source, at, of_volume=False)
    elif kind == "fileKeyRef":
        yield from required_text(source.get("key"), f"{at}.key", texts.env_name)
        yield from required_text(source.get("volumeName"), f"{at}.volumeName", texts.dns_label)
        yield from required_text(source.get("path"), f"{at}.path", backsteps)
    else:
        name = source.get("name") or ""
        yield from invalid(f"{at}.name", name, texts.dns_subdomain(name))
        yield from required_text(source.get("key"), f"{at}.key", texts.config_key)


def backsteps(path: str) -> list[str]:
    """Say that a path must not lead upwards, if it does."""
    return ["must not contain '..'"] if ".." in path.split("/") else []


def _field_ref(reference: Object, at: str, fields: tuple[str, ...]) -> Errors:
    path, field = reference.get("fieldPath") or "", f"{at}.fieldPath"
    if not (reference.get("apiVersion") and path):
        missing = "fieldPath" if reference.get("apiVersion") else "apiVersion"
        yield FieldError.required(f"{at}.{missing}")
        return
    name, bracket, subscript = path.partition("['")
    subscripted = bool(bracket) and subscript.endswith("']")
    if why := _unconvertible(reference["apiVersion"], path, name if subscripted else ""):
        yield FieldError.invalid(field, path, f"error converting fieldPath: {why}")
    elif subscripted:
        key = subscript[:-2]
        shown = key.lower() if name == "metadata.annotations" else key
        yield from invalid(at, key, texts.qualified_name(shown))
    else:
        yield from optional_choice(path, field, fields)


def _unconvertible(version: str, path: str, subscripted: str) -> str:
    """Say why a path is no field of a pod (ConvertDownwardAPIFieldLabel), empty if it is one."""
    if version != "v1":
        return f"unsupported pod version: {version}"
    if subscripted:
        sound = subscripted in SUBSCRIPTED
        return "" if sound else f"field label does not support subscript: {path}"
    return "" if path in FIELD_LABELS else f"field label not supported: {path}"


def _resource_ref(reference: Object, at: str, *, of_volume: bool) -> Errors:
    resource = reference.get("resource") or ""
    if of_volume and not reference.get("containerName"):
        yield FieldError.required(f"{at}.containerName")
    elif not resource.startswith(HUGE_PAGES):
        yield from choice(resource, f"{at}.resource", RESOURCES)
    if why := _wrong_divisor(resource, reference.get("divisor") or "0"):
        yield FieldError.invalid(f"{at}.divisor", resource, why)


def _wrong_divisor(resource: str, divisor: str) -> str:
    kind, only = resource.partition(".")[2], "only divisor's values"
    if quantities.parse_quantity(divisor) == 0:
        return ""
    if kind == "cpu" and divisor not in ("1m", "1"):
        return f"{only} 1m and 1 are supported with the cpu resource"
    words = {"memory": "memory", "ephemeral-storage": "local ephemeral storage"}
    word = "hugepages" if kind.startswith("hugepages-") else words.get(kind)
    if word and divisor not in BYTE_DIVISORS:
        return f"{only} {', '.join(BYTE_DIVISORS)} are supported with the {word} resource"
    return ""
