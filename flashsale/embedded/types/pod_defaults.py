"""What the API server fills into a pod spec (SetDefaults_* in pkg/apis/core/v1/defaults.go).

All functions take a fresh copy and change it in place; ``defaults.apply_defaults`` makes the copy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from flashsale.embedded.types import quantities
from flashsale.objects.fields import part
from flashsale.objects.models import Object

POD_SPEC: Object = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "securityContext": {},
    "schedulerName": "default-scheduler",
}
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
HOOKS = ("postStart", "preStop")
FILE_MODES = ("configMap", "downwardAPI", "projected", "secret")  # volumes of files, 0644
VOLUME_FIELDS: tuple[tuple[Any, ...], ...] = (  # where, what, its value; Go writes empty ones too
    ("iscsi", "lun", 0),
    ("ephemeral", "volumeClaimTemplate", "spec", "volumeMode", "Filesystem"),
    ("hostPath", "type", ""),
    ("projected", "sources", None),
)
MODE = 0o644
TOKEN_SECONDS = 3600
QOS_RESOURCES = ("cpu", "memory")
NAME_WITH_TAG = re.compile(
    r"[a-z0-9][a-z0-9._/-]*(?::[0-9]+/[a-z0-9._/-]*)?(?::([\w.-]+))?(@.+)?", re.ASCII
)


def default_pod_spec(spec: Object) -> None:
    for key, value in POD_SPEC.items():
        _default(spec, key, dict(value) if isinstance(value, dict) else value)
    for container in containers(spec):
        _default_container(container, host_network=bool(spec.get("hostNetwork")))
    if spec.get("serviceAccountName") or spec.get("serviceAccount"):  # two names of one field
        account = spec.get("serviceAccountName") or spec["serviceAccount"]
        spec |= {"serviceAccountName": account, "serviceAccount": account}
    for volume in spec.get("volumes") or []:
        _default_volume(volume)


def default_pod(spec: Object) -> None:
    """Fill in what only pods get and templates do not: service links, requests from limits."""
    _default(spec, "enableServiceLinks", True)
    for container in containers(spec):
        resources = container["resources"]
        if resources.get("limits"):
            resources["requests"] = resources["limits"] | (resources.get("requests") or {})


def containers(spec: Object) -> Iterator[Object]:
    """All containers of a spec, the initial ones too."""
    yield from spec.get("initContainers") or []
    yield from spec.get("containers") or []


def qos_class(pod: Object) -> str:
    """Return BestEffort, Burstable or Guaranteed (pkg/apis/core/v1/helper/qos)."""
    spec = pod.get("spec") or {}
    whole = spec.get("resources") or {}  # of the pod, which counts more than its containers'
    if whole.get("requests") or whole.get("limits"):
        wants = [_amounts(spec)]
    else:
        wants = [_amounts(container) for container in containers(spec)]
    if not any(requests or limits for requests, limits in wants):
        return "BestEffort"
    for requests, limits in wants:
        if len(limits) < len(QOS_RESOURCES) or (requests or limits) != limits:
            return "Burstable"
    return "Guaranteed"


def pull_policy(image: str) -> str:
    """Always for `latest` and for no tag at all, IfNotPresent for everything else."""
    match = NAME_WITH_TAG.fullmatch(image)
    if not image or not match:  # not a reference; validation or the kubelet will say so
        return "IfNotPresent"
    tag, digest = match.groups()
    return "Always" if tag == "latest" or not (tag or digest) else "IfNotPresent"


def _amounts(container: Object) -> tuple[dict[str, Any], dict[str, Any]]:
    """Requests and limits that count for the QoS class: of CPU and memory, above zero."""
    resources = container.get("resources") or {}
    requests, limits = (
        {
            name: amount
            for name, text in (resources.get(side) or {}).items()
            if name in QOS_RESOURCES and (amount := quantities.parse_quantity(str(text))) > 0
        }
        for side in ("requests", "limits")
    )
    return requests, limits


def _default(thing: Object, key: str, value: Any) -> None:
    """Set what is missing or an empty string; Go cannot tell these apart."""
    if thing.get(key) in (None, ""):
        thing[key] = value


def _default_container(container: Object, *, host_network: bool) -> None:
    for port in container.get("ports") or []:
        _default(port, "protocol", "TCP")
        if host_network and port.get("containerPort"):
            _default(port, "hostPort", port["containerPort"])
    _default(container, "resources", {})
    for side in ("limits", "requests"):
        amounts = container["resources"].get(side) or {}
        for name, amount in amounts.items():
            amounts[name] = quantities.round_to_milli(amount)
    _default(container, "terminationMessagePath", "/dev/termination-log")
    _default(container, "terminationMessagePolicy", "File")
    _default(container, "imagePullPolicy", pull_policy(container.get("image") or ""))
    for variable in container.get("env") or []:
        _default_references(variable.get("valueFrom"))
    for name in PROBES:
        if container.get(name) is not None:
            _default_probe(container[name])
    for name in HOOKS:
        hook = (container.get("lifecycle") or {}).get(name) or {}
        _default_http(hook)
        if hook.get("sleep") is not None:
            hook["sleep"].setdefault("seconds", 0)


def _default_probe(probe: Object) -> None:
    _default_http(probe)
    if probe.get("grpc") is not None:
        probe["grpc"].setdefault("service", "")
    defaults = (
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    )
    for key, value in defaults:
        probe[key] = probe.get(key) or value  # a zero counts as missing


def _default_http(handler: Object) -> None:
    if handler.get("httpGet") is not None:
        _default(handler["httpGet"], "path", "/")
        _default(handler["httpGet"], "scheme", "HTTP")
        for header in handler["httpGet"].get("httpHeaders") or []:
            header.setdefault("value", "")  # Go writes it, also when it is empty


def _default_references(source: Object | None) -> None:
    """Fill in what names a field of the pod, or a container's resource."""
    source = source or {}
    if source.get("fieldRef") is not None:
        _default(source["fieldRef"], "apiVersion", "v1")
    if source.get("resourceFieldRef") is not None:
        _default(source["resourceFieldRef"], "divisor", "0")


def _default_volume(volume: Object) -> None:
    if not any(value is not None for key, value in volume.items() if key != "name"):
        volume["emptyDir"] = {}
    for kind in FILE_MODES:
        if volume.get(kind) is not None and volume[kind].get("defaultMode") is None:
            volume[kind]["defaultMode"] = MODE
    for *path, key, value in VOLUME_FIELDS:
        if (source := part(volume, *path)) is not None:
            source.setdefault(key, value)
    if volume.get("image") is not None:
        reference = volume["image"].get("reference") or ""
        _default(volume["image"], "pullPolicy", pull_policy(reference))
    for source in (volume.get("projected") or {}).get("sources") or []:
        if source.get("serviceAccountToken") is not None:
            source["serviceAccountToken"].setdefault("expirationSeconds", TOKEN_SECONDS)
        _default_files(source.get("downwardAPI"))
    _default_files(volume.get("downwardAPI"))


def _default_files(source: Object | None) -> None:
    for item in (source or {}).get("items") or []:
        _default_references(item)
