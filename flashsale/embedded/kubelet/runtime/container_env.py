"""The variables of a container, and `$(NAME)` in its command (pkg/kubelet/envvars, expansion)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from flashsale.objects.models import Object

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))?")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['(?P<key>.+)'\]")


class ConfigError(Exception):
    """A container's configuration asks for something that is not there."""


def expand(text: str, known: Mapping[str, str]) -> str:
    """Replace $(NAME) by its value; `$$` stands for a dollar, an unknown name stays as it is."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return known.get(match[2], match[0]) if match[1] else match[0]

    return _REFERENCE.sub(value, text)


def container_variables(
    container: Object, pod: Object, services: Mapping[str, str], *, pod_ip: str, host_ip: str
) -> dict[str, str]:
    """Return the variables that the pod defines: service links first, its own `env` over them.

    Raises:
        ConfigError: a value comes from somewhere that does not exist here.
    """
    known = dict(services)
    if container.get("envFrom"):
        raise ConfigError("envFrom is not supported on the embedded cluster")
    for entry in container.get("env") or []:
        if source := entry.get("valueFrom"):
            known[entry["name"]] = _from_source(source, pod, pod_ip, host_ip)
        else:
            known[entry["name"]] = expand(entry.get("value") or "", known)
    return known


def _from_source(source: Mapping[str, Any], pod: Object, pod_ip: str, host_ip: str) -> str:
    if "fieldRef" not in source:
        kind = next(iter(source), "an empty valueFrom")
        raise ConfigError(f"{kind} is not supported on the embedded cluster")
    path = source["fieldRef"].get("fieldPath", "")
    meta, spec = pod["metadata"], pod.get("spec") or {}
    if keyed := _KEYED.fullmatch(path):
        return str((meta.get(keyed[1]) or {}).get(keyed["key"], ""))
    values = {
        "metadata.name": meta["name"],
        "metadata.namespace": meta.get("namespace", ""),
        "metadata.uid": meta.get("uid", ""),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.hostIP": host_ip,
        "status.hostIPs": host_ip,
        "status.podIP": pod_ip,
        "status.podIPs": pod_ip,
    }
    if path not in values:
        raise ConfigError(f"unsupported fieldPath: {path}")
    return str(values[path])


def service_links(
    own: Iterable[Object], default: Iterable[Object], *, enabled: bool
) -> dict[str, str]:
    """Return KUBERNETES_* and, where the pod wants them, the links of its namespace's services.

    Args:
        own: services of the pod's namespace.
        default: services of the namespace `default`, where `kubernetes` lives.
        enabled: the pod's enableServiceLinks.
    """
    master = [thing for thing in default if thing["metadata"]["name"] == "kubernetes"]
    links: dict[str, str] = {}
    for service in [*master, *(own if enabled else ())]:
        spec = service.get("spec") or {}
        if spec.get("clusterIP") not in (None, "", "None"):
            links |= _link(service["metadata"]["name"], spec["clusterIP"], spec.get("ports") or [])
    return links


def _link(service: str, ip: str, ports: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    prefix = _variable(service)
    link = {f"{prefix}_SERVICE_HOST": ip}
    for index, port in enumerate(ports):
        number, protocol = str(port["port"]), port.get("protocol", "TCP")
        url = f"{protocol.lower()}://{ip}:{number}"
        if index == 0:
            link |= {f"{prefix}_SERVICE_PORT": number, f"{prefix}_PORT": url}
        if port.get("name"):
            link[f"{prefix}_SERVICE_PORT_{_variable(port['name'])}"] = number
        each = f"{prefix}_PORT_{number}_{protocol.upper()}"
        link |= {each: url, f"{each}_PROTO": protocol.lower()}
        link |= {f"{each}_PORT": number, f"{each}_ADDR": ip}
    return link


def _variable(name: str) -> str:
    return name.upper().replace("-", "_")
