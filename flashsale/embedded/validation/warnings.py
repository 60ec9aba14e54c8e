"""What is allowed and questionable: the texts of `Warning:` headers (pkg/api/pod/warnings.go)."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_interface

from flashsale.embedded.types import quantities, texts
from flashsale.embedded.types.resources import (
    ENDPOINT_SLICES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
)
from flashsale.embedded.validation.field_checks import each
from flashsale.embedded.validation.pod.scheduling import PREFERRED, REQUIRED
from flashsale.embedded.validation.pod.volume_warnings import volume_warnings
from flashsale.objects.models import Object

OLD_SYSCTLS = 'non-functional in v1.11+; use the "sysctls" field instead'
OLD_LABELS = {
    "beta.kubernetes.io/arch": 'deprecated since v1.14; use "kubernetes.io/arch" instead',
    "beta.kubernetes.io/os": 'deprecated since v1.14; use "kubernetes.io/os" instead',
    "failure-domain.beta.kubernetes.io/region": "deprecated since v1.17; use "
    '"topology.kubernetes.io/region" instead',
    "failure-domain.beta.kubernetes.io/zone": "deprecated since v1.17; use "
    '"topology.kubernetes.io/zone" instead',
    "beta.kubernetes.io/instance-type": "deprecated since v1.17; use "
    '"node.kubernetes.io/instance-type" instead',
    "node-role.kubernetes.io/master": 'use "node-role.kubernetes.io/control-plane" instead',
}
OLD_ANNOTATIONS = {
    "scheduler.alpha.kubernetes.io/critical-pod": "non-functional in v1.16+; use the "
    '"priorityClassName" field instead',
    "security.alpha.kubernetes.io/sysctls": OLD_SYSCTLS,
    "security.alpha.kubernetes.io/unsafe-sysctls": OLD_SYSCTLS,
}
OLD_VOLUMES = {
    "photonPersistentDisk": "deprecated in v1.11, non-functional in v1.16+",
    "gitRepo": "deprecated in v1.11, and disabled by default in v1.33+",
    "scaleIO": "deprecated in v1.16, non-functional in v1.22+",
    "flocker": "deprecated in v1.22, non-functional in v1.25+",
    "storageos": "deprecated in v1.22, non-functional in v1.25+",
    "quobyte": "deprecated in v1.22, non-functional in v1.25+",
    "glusterfs": "deprecated in v1.25, non-functional in v1.26+",
    "cephfs": "deprecated in v1.28, non-functional in v1.31+",
    "rbd": "deprecated in v1.28, non-functional in v1.31+",
}
LONGEST_NUMBER = 18  # decimal digits
IN_BYTES = ("memory", "ephemeral-storage")
NAME = "metadata.name: this is used in {}, which can result in surprising behavior; a DNS label is "
MOUNTABLE = "kubernetes.io/enforce-mountable-secrets"
NO_MOUNTABLE = (
    "deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets"
)
OLD_HINTS = "service.kubernetes.io/topology-aware-hints"
NO_SELECTOR = "a null labelSelector results in matching no pod"


def object_warnings(resource: Resource, obj: Object, before: Object | None) -> list[str]:
    """Say what is questionable about a written object; ``before`` is None if it is new."""
    spec = obj.get("spec") or {}
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    if resource is SERVICES:
        return list(_service(obj))
    if resource is SERVICE_ACCOUNTS and MOUNTABLE in annotations:
        return [f"metadata.annotations[{MOUNTABLE}]: {NO_MOUNTABLE}"]
    if resource is NODES and spec.get("externalID"):
        return ["spec.externalID: this field is deprecated, and is unused by Kubernetes"]
    if resource is ENDPOINT_SLICES and obj.get("addressType") == "FQDN":
        return ["spec.addressType: FQDN endpoints are deprecated"]
    if resource is PODS and before is None:
        return [*_name(obj, "the Pod's hostname"), *_pod(spec, annotations, "")]
    if resource is REPLICA_SETS:
        named = [] if before is not None else _name(obj, "Pod names and hostnames")
        generation = obj.get("metadata", {}).get("generation")
        if before is not None and generation == before.get("metadata", {}).get("generation"):
            return []
        template = spec.get("template") or {}
        annotations = (template.get("metadata") or {}).get("annotations") or {}
        return [*named, *_pod(template.get("spec") or {}, annotations, "spec.template.")]
    return []


def _name(obj: Object, where: str) -> list[str]:
    wrong = texts.dns_label(obj["metadata"]["name"])
    return [f"{NAME.format(where)}recommended: [{' '.join(wrong)}]"] if wrong else []


def _pod(spec: Object, annotations: Object, above: str) -> Iterator[str]:
    at = f"{above}spec"
    yield from _outdated(OLD_LABELS, spec.get("nodeSelector") or {}, f"{at}.nodeSelector")
    yield from _old_node_labels((spec.get("affinity") or {}).get("nodeAffinity") or {}, at)
    yield from _spreading(spec, at)
    yield from _outdated(OLD_ANNOTATIONS, annotations, f"{above}metadata.annotations")
    for place, volume in each(spec, "volumes", at):
        for kind, text in OLD_VOLUMES.items():
            if volume.get(kind) is not None:
                yield f"{place}.{kind}: {text}"
    yield from volume_warnings(spec.get("volumes") or [])
    yield from _repeated(spec, "hostAliases", "ip", at)
    yield from _repeated(spec, "imagePullSecrets", "name", at)
    for place, secret in each(spec, "imagePullSecrets", at):
        if not secret.get("name"):
            yield f'{place}.name: invalid empty name ""'
    placed = [*each(spec, "initContainers", at), *each(spec, "containers", at)]
    for place, container in placed:
        yield from _fractions(container, place)
        yield from _hidden_variables(container, place)
    yield from _ports([port for place, owner in placed for port in each(owner, "ports", place)])
    if (spec.get("terminationGracePeriodSeconds") or 0) < 0:
        what = "must be >= 0; negative values are invalid and will be treated as 1"
        yield f"{at}.terminationGracePeriodSeconds: {what}"
    yield from _affinity(spec.get("affinity") or {}, f"{at}.affinity")
    servers = (spec.get("dnsConfig") or {}).get("nameservers") or []
    yield from _ipv6(servers, f"{at}.dnsConfig.nameservers")
    hosts = [alias.get("ip") or "" for alias in spec.get("hostAliases") or []]
    yield from _ipv6(hosts, f"{at}.hostAliases", ".ip")


def _outdated(known: dict[str, str], given: Object, at: str) -> Iterator[str]:
    for key, text in known.items():
        if key in given:
            yield f"{at}[{key}]: {text}"


def _ipv6(values: list[str], at: str, below: str = "") -> Iterator[str]:
    """Ask for the usual form of addresses and networks (GetWarningsForIP, GetWarningsForCIDR)."""
    for index, value in enumerate(values):
        what, read = ("CIDR value", ip_interface) if "/" in value else ("address", ip_address)
        try:
            usual = str(read(value))
        except ValueError:
            continue
        if ":" in value and usual != value:
            shown = f'IPv6 {what} "{value}" should be in RFC 5952 canonical format ("{usual}")'
            yield f"{at}[{index}]{below}: {shown}"


def _old_node_labels(affinity: Object, above: str) -> Iterator[str]:
    at = f"{above}.affinity.nodeAffinity"
    required = each(affinity.get(REQUIRED) or {}, "nodeSelectorTerms", f"{at}.{REQUIRED}")
    preferred = [
        (f"{place}.preference", weighted.get("preference") or {})
        for place, weighted in each(affinity, PREFERRED, at)
    ]
    for place, term in (*required, *preferred):
        for where, wanted in each(term, "matchExpressions", place):
            key = wanted.get("key", "")
            if key in OLD_LABELS:
                yield f"{where}.key: {key} is {OLD_LABELS[key]}"
            for spot, value in each(wanted, "values", where) if PREFERRED in place else ():
                for why in texts.label_value(value):
                    yield f"{spot}: {value} is invalid, {why}"


def _spreading(spec: Object, at: str) -> Iterator[str]:
    for place, constraint in each(spec, "topologySpreadConstraints", at):
        key = constraint.get("topologyKey", "")
        if key in OLD_LABELS:
            yield f"{place}.topologyKey: {key} is {OLD_LABELS[key]}"
        if constraint.get("labelSelector") is None:
            yield f"{place}.labelSelector: {NO_SELECTOR}"


def _repeated(spec: Object, field: str, key: str, at: str) -> Iterator[str]:
    seen: set[str] = set()
    for place, item in each(spec, field, at):
        value = item.get(key) or ""
        if value in seen:
            yield f'{place}.{key}: duplicate {key} "{value}"'
        seen.add(value)


def _fractions(container: Object, place: str) -> Iterator[str]:
    resources = container.get("resources") or {}
    for name in IN_BYTES:
        for side in ("limits", "requests"):
            amount = (resources.get(side) or {}).get(name)
            if amount is not None and _is_fractional(amount):
                yield (
                    f"{place}.resources.{side}[{name}]: fractional byte value "
                    f'"{amount}" is invalid, must be an integer'
                )


def _is_fractional(amount: str) -> bool:
    """Whether an amount has a rest; Go finds one in what has more digits than fit in 64 bits."""
    number = quantities.parse_quantity(amount)
    digits = "".join(map(str, number.as_tuple().digits)).rstrip("0")
    if number == quantities.LARGEST:
        return False
    return len(digits) > LONGEST_NUMBER or number != number.to_integral_value()


def _hidden_variables(container: Object, place: str) -> Iterator[str]:
    seen: set[str] = set()
    for at, variable in each(container, "env", place):
        name, value = variable.get("name") or "", variable.get("value") or ""
        own = f"$({name})"
        extends = own in value and value != own and variable.get("valueFrom") is None
        if name in seen and not extends:
            yield (
                f'{at}: hides previous definition of "{name}", '
                "which may be dropped when using apply"
            )
        seen.add(name)


def _ports(placed: list[tuple[str, Object]]) -> Iterator[str]:
    for index, (at, port) in enumerate(placed):
        if port.get("hostIP") and not port.get("hostPort"):
            yield f"{at}: hostIP set without hostPort: {_go_port(port)}"
        for where, other in placed[:index]:
            if problem := _overlap(port, other):
                yield f"{at}: {problem} port definition with {where}"
    names: dict[str, str] = {}
    for at, port in placed:
        if name := port.get("name"):
            first = names.setdefault(name, at)
            if first != at:
                yield (
                    f'{at}: duplicate port name "{name}" with {first}, services and probes that '
                    f"select ports by name will use {first}"
                )


def _overlap(port: Object, other: Object) -> str:
    if any(port.get(key) != other.get(key) for key in ("containerPort", "protocol")):
        return ""
    mine, theirs = ((p.get("hostIP") or "", p.get("hostPort") or 0) for p in (port, other))
    if mine == theirs:
        return "duplicate"
    if not mine[1] or not theirs[1]:
        return "overlapping"
    one_is_open = bool(mine[0]) != bool(theirs[0])
    return "dangerously ambiguous" if mine[1] == theirs[1] and one_is_open else ""


def _go_port(port: Object) -> str:
    """Print a port as Go's `%+v` does."""
    texts_of = {key: port.get(key) or "" for key in ("name", "protocol", "hostIP")}
    numbers = {key: port.get(key) or 0 for key in ("hostPort", "containerPort")}
    return (
        f"{{Name:{texts_of['name']} HostPort:{numbers['hostPort']} "
        f"ContainerPort:{numbers['containerPort']} Protocol:{texts_of['protocol']} "
        f"HostIP:{texts_of['hostIP']}}}"
    )


def _affinity(affinity: Object, at: str) -> Iterator[str]:
    for kind in ("podAffinity", "podAntiAffinity"):
        wanted = affinity.get(kind) or {}
        preferred = [
            (f"{place}.podAffinityTerm", weighted.get("podAffinityTerm") or {})
            for place, weighted in each(wanted, PREFERRED, f"{at}.{kind}")
        ]
        for place, term in (*each(wanted, REQUIRED, f"{at}.{kind}"), *preferred):
            if term.get("labelSelector") is None:
                yield f"{place}.labelSelector: {NO_SELECTOR}"


def _service(service: Object) -> Iterator[str]:
    spec = service.get("spec") or {}
    if OLD_HINTS in ((service.get("metadata") or {}).get("annotations") or {}):
        newer = OLD_HINTS.replace("aware-hints", "mode")
        yield f"annotation {OLD_HINTS} is deprecated, please use {newer} instead"
    kind, external = spec.get("type"), spec.get("externalIPs") or []
    headless = kind == "ClusterIP" and spec.get("clusterIP") == "None"
    if headless:
        if spec.get("loadBalancerIP"):
            yield "spec.loadBalancerIP is ignored for headless services"
        if external:
            yield "spec.externalIPs is ignored for headless services"
        if spec.get("sessionAffinity") != "None":
            yield "spec.SessionAffinity is ignored for headless services"
    yield from _ipv6(external, "spec.externalIPs")
    if external and not headless and kind != "ExternalName":
        yield "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
    ranges = spec.get("loadBalancerSourceRanges") or []
    yield from _ipv6(ranges, "spec.loadBalancerSourceRanges")
    if kind == "ExternalName" and external:
        yield 'spec.externalIPs is ignored when spec.type is "ExternalName"'
    if kind != "ExternalName" and spec.get("externalName"):
        yield 'spec.externalName is ignored when spec.type is not "ExternalName"'
    if spec.get("trafficDistribution") == "PreferClose":
        yield 'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'
