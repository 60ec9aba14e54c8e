"""Fields that the embedded cluster stores and does not obey: one table, for warnings and docs.

``docs/embedded-cluster.md`` has the same list; a test keeps the two the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flashsale.embedded.types.resources import PODS, REPLICA_SETS, SERVICES, Resource
from flashsale.objects.models import Object

NOT_MOUNTED = (
    "awsElasticBlockStore", "azureDisk", "azureFile", "cephfs", "cinder", "csi", "ephemeral", "fc",
    "flexVolume", "flocker", "gcePersistentDisk", "gitRepo", "glusterfs", "image", "iscsi", "nfs",
    "photonPersistentDisk", "portworxVolume", "quobyte", "rbd", "scaleIO", "storageos",
    "vsphereVolume",
)  # fmt: skip
OF_PODS = {  # a path in a pod's spec; `[]` is each element of a list -> what happens instead
    "dnsConfig": "names are looked up as on this machine",
    "hostAliases": "names are looked up as on this machine",
    "hostname": "a pod has this machine's name",
    "subdomain": "a pod has this machine's name",
    "hostIPC": "pods are processes of this machine",
    "hostNetwork": "pods are processes of this machine",
    "hostPID": "pods are processes of this machine",
    "hostUsers": "pods are processes of this machine",
    "shareProcessNamespace": "pods are processes of this machine",
    "imagePullSecrets": "images are built here, never pulled",
    "runtimeClassName": "pods are processes of this machine",
    "securityContext": "pods run as the user who started the cluster",
    **{f"volumes[].{kind}": "it is not mounted" for kind in NOT_MOUNTED},
    "volumes[].persistentVolumeClaim": "the pod waits for it",
    "volumes[].secret": "there are no Secrets, so the pod waits for it",
    "containers[].restartPolicyRules": "the pod's restartPolicy counts",
    "containers[].securityContext": "pods run as the user who started the cluster",
    "containers[].volumeDevices": "there are no block devices",
    "initContainers[].securityContext": "pods run as the user who started the cluster",
}
OF_SERVICES = {
    "externalIPs": "only node ports are open on this machine",
    "healthCheckNodePort": "nobody answers there",
    "loadBalancerClass": "there is no load balancer",
    "loadBalancerIP": "there is no load balancer",
    "loadBalancerSourceRanges": "there is no load balancer",
    "trafficDistribution": "every node sends to all pods",
}


def unobeyed_warnings(resource: Resource, obj: Object, before: Object | None) -> list[str]:
    """Say which of the fields that were set or changed have no effect here."""
    above, table = _place(resource)
    now, then = _spec(resource, obj), _spec(resource, before or {})
    warnings = []
    for path, instead in table.items():
        old = {place: value for place, value in _values(then, path.split("."), "")}
        for place, value in _values(now, path.split("."), ""):
            if value not in (None, {}, [], False, "") and old.get(place) != value:
                warnings.append(f"{above}{place}: the embedded cluster does not obey it: {instead}")
    return warnings


def _place(resource: Resource) -> tuple[str, dict[str, str]]:
    if resource is SERVICES:
        return "spec.", OF_SERVICES
    if resource is REPLICA_SETS:
        return "spec.template.spec.", OF_PODS
    return "spec.", OF_PODS if resource is PODS else {}


def _spec(resource: Resource, obj: Object) -> Object:
    spec: Object = obj.get("spec") or {}
    if resource is REPLICA_SETS:
        spec = (spec.get("template") or {}).get("spec") or {}
    return spec


def _values(thing: Any, steps: list[str], above: str) -> Iterator[tuple[str, Any]]:
    """Yield what stands at a path, and where: a path with `[]` may lead to several places."""
    if not isinstance(thing, dict):
        return
    name, *rest = steps
    key = name.removesuffix("[]")
    value, place = thing.get(key), f"{above}.{key}" if above else key
    if name.endswith("[]"):
        for index, item in enumerate(value or []):
            yield from _values(item, rest, f"{place}[{index}]")
    elif rest:
        yield from _values(value, rest, place)
    else:
        yield place, value
