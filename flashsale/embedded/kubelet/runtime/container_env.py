"""The variables of a container, and `$(NAME)` in its command (pkg/kubelet/envvars, expansion)."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from flashsale.embedded.kubelet.runtime.pod_network import PodAddress
from flashsale.embedded.types.quantities import parse_quantity
from flashsale.objects.models import Object

_REFERENCE = re.compile(r"\$(\$|\(([^()]*)\))?")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['(?P<key>.+)'\]")


class ConfigError(Exception):
    """A container's configuration asks for something that is not there."""


def expand_references(text: str, known: Mapping[str, str]) -> str:
    """Replace $(NAME) by its value; `$$` stands for a dollar, an unknown name stays as it is."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "$":
            return "$"
        return known.get(match[2], match[0]) if match[1] else match[0]

    return _REFERENCE.sub(value, text)


def container_variables(
    container: Object,
    pod: Object,
    services: Mapping[str, str],
    *,
    pod_ip: str,
    host_ip: str,
    config_maps: Callable[[str], Object | None] = lambda name: None,
) -> dict[str, str]:
    """Return the variables that the pod defines: service links first, its own `env` over them.

    Args:
        config_maps: finds one of the pod's namespace by its name.

    Raises:
        ConfigError: a value comes from somewhere that does not exist here.
    """
    known = dict(services)
    for source in container.get("envFrom") or []:
        field = "configMapRef" if "configMapRef" in source else "secretRef"
        data = _data(field, source.get(field) or {}, config_maps)
        known |= {f"{source.get('prefix') or ''}{key}": text for key, text in data.items()}
    for entry in container.get("env") or []:
        if source := entry.get("valueFrom"):
            value = _from_source(source, container, pod, (pod_ip, host_ip), config_maps)
            if value is not None:
                known[entry["name"]] = value
        else:
            known[entry["name"]] = expand_references(entry.get("value") or "", known)
    return known


def _data(
    field: str, wanted: Mapping[str, Any], config_maps: Callable[[str], Object | None]
) -> dict[str, str]:
    """Return what a ConfigMap holds; Secrets are not offered, so none is there."""
    kind = "configmap" if field.startswith("configMap") else "secret"
    data = config_maps(wanted.get("name", "")) if kind == "configmap" else None
    if data is None and not wanted.get("optional"):
        here = "" if kind == "configmap" else ": the embedded cluster has no Secrets"
        raise ConfigError(f'{kind} "{wanted.get("name", "")}" not found{here}')
    return dict((data or {}).get("data") or {})


def _from_source(
    source: Mapping[str, Any],
    container: Object,
    pod: Object,
    addresses: tuple[str, str],
    config_maps: Callable[[str], Object | None],
) -> str | None:
    """Return a value; None where it is optional and not there."""
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if wanted := source.get(field):
            data = _data(field, wanted, config_maps)
            if wanted["key"] not in data and not wanted.get("optional"):
                where = f"{pod['metadata']['namespace']}/{wanted['name']}"
                raise ConfigError(f"couldn't find key {wanted['key']} in {kind} {where}")
            return data.get(wanted["key"])
    if wanted := source.get("resourceFieldRef"):
        return _resource(wanted, container, pod)
    if "fieldRef" not in source:
        kind = next(iter(source), "an empty valueFrom")
        raise ConfigError(f"{kind} is not supported on the embedded cluster")
    return pod_field(source["fieldRef"].get("fieldPath", ""), pod, *addresses)


def _resource(wanted: Mapping[str, Any], container: Object, pod: Object) -> str:
    """Return a limit or a request, in units of its divisor (pkg/api/v1/resource/helpers.go).

    Without a limit it is what the node has, without a request nothing.
    """
    kind, _, name = str(wanted.get("resource", "")).partition(".")
    containers = [*((pod.get("spec") or {}).get("containers") or []), container]
    named = wanted.get("containerName") or container.get("name")
    owner = next(
        (candidate for candidate in containers if candidate.get("name") == named), container
    )
    given = ((owner.get("resources") or {}).get(kind) or {}).get(name)
    node = {
        "cpu": os.cpu_count() or 1,
        "memory": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }
    amount = given if given is not None else node.get(name, 0) if kind == "limits" else 0
    divisor = parse_quantity(str(wanted.get("divisor") or "1")) or 1
    return str(math.ceil(parse_quantity(str(amount)) / divisor))


def pod_field(path: str, pod: Object, pod_ip: str = "", host_ip: str = "") -> str:
    """Return a field of the pod for the downward API.

    Raises:
        ConfigError: it is not one of those that can be asked for.
    """
    meta, spec = pod["metadata"], pod.get("spec") or {}
    if path in ("metadata.labels", "metadata.annotations"):
        pairs = meta.get(path.partition(".")[2]) or {}
        return "\n".join(f'{key}="{value}"' for key, value in sorted(pairs.items()))
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


def without_namespaces(command: Sequence[str], first: int, root: str) -> list[str]:
    """Let the commonest commands mean the container where it has no namespaces of its own.

    `kill 1` is its first process, but what a shell kills is out of reach; the names that `kubectl
    cp` finds in a tar begin at its root.

    Args:
        root: its files; empty where it has a root of its own.
    """
    words = list(command)
    if words and words[0].rpartition("/")[2] == "kill":
        before = ["", *words]  # of `kill -s 1 1` the first is no process
        return [
            str(first) if word == "1" and before[i] not in ("-s", "-n") else word
            for i, word in enumerate(words)
        ]
    if (
        root
        and words[:3] == ["tar", "cf", "-"]
        and all(argument[:1] == "/" for argument in words[3:])
    ):
        return [*words[:3], "-C", root, *(argument.strip("/") or "." for argument in words[3:])]
    return words


def guest(pod_name: str, address: PodAddress) -> str:
    """Write what guest/sitecustomize.py reads; it ends in 1 for the container's first process."""

    def pairs(ports: Mapping[int, int]) -> str:
        return ",".join(f"{wanted}={real}" for wanted, real in ports.items())

    ports = f"{pairs(address.ports)};{pairs(address.private)}"
    return f"{pod_name};{address.ip};{address.loopback};{ports};1"
