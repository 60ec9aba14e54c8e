"""What a pod says about nodes: taints it tolerates, labels and names it wants, host ports.

After component-helpers/scheduling/corev1 (nodeaffinity, helpers) and HostPortInfo.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from flashsale.embedded.selectors.label_selectors import EXPRESSIONS
from flashsale.embedded.selectors.requirements import Requirement
from flashsale.objects.models import Object, labels_of

REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
EVERYWHERE = ("", "0.0.0.0")  # addresses that stand for all of a node's
OPERATORS = EXPRESSIONS | {"Gt": "gt", "Lt": "lt"}
HostPort = tuple[str, str, int]  # address, protocol, number


def tolerates(toleration: Object, taint: Object) -> bool:
    """Whether one toleration accepts one taint."""
    effect, key = toleration.get("effect"), toleration.get("key")
    if (effect and effect != taint.get("effect")) or (key and key != taint.get("key")):
        return False
    operator = toleration.get("operator") or "Equal"
    if operator == "Exists":
        return True
    return operator == "Equal" and toleration.get("value", "") == taint.get("value", "")


def untolerated(pod: Object, node: Object, effects: Iterable[str]) -> list[Object]:
    """Return a node's taints of these effects that a pod does not tolerate."""
    tolerations = pod["spec"].get("tolerations") or []
    return [
        taint
        for taint in (node.get("spec") or {}).get("taints") or []
        if taint.get("effect") in effects
        and not any(tolerates(toleration, taint) for toleration in tolerations)
    ]


def node_affinity_of(pod: Object) -> Object:
    affinity: Object = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    return affinity


def is_wanted(pod: Object, node: Object) -> bool:
    """Whether a node fulfils the pod's node selector and required node affinity."""
    wanted = (pod["spec"].get("nodeSelector") or {}).items() <= labels_of(node).items()
    terms = (node_affinity_of(pod).get(REQUIRED) or {}).get("nodeSelectorTerms")
    return wanted and (terms is None or any(term_matches(term, node) for term in terms))


def term_matches(term: Object, node: Object) -> bool:
    """Whether a node fulfils all of a term; an empty term is fulfilled by none."""
    expressions, fields = term.get("matchExpressions") or [], term.get("matchFields") or []
    named = {"metadata.name": node["metadata"]["name"]}
    return bool(expressions or fields) and (
        all(_fulfilled(wanted, labels_of(node)) for wanted in expressions)
        and all(_fulfilled(wanted, named) for wanted in fields)
    )


def named_nodes(pod: Object) -> set[str] | None:
    """Return the only nodes that required affinity names; None if some term names none."""
    terms = (node_affinity_of(pod).get(REQUIRED) or {}).get("nodeSelectorTerms") or []
    node_names: set[str] = set()
    for term in terms:
        names = [
            set(wanted.get("values") or [])
            for wanted in term.get("matchFields") or []
            if wanted.get("key") == "metadata.name" and wanted.get("operator") == "In"
        ]
        if not names:
            return None
        node_names |= set.intersection(*names)
    return node_names if terms else None


def host_ports(pod: Object) -> Iterable[HostPort]:
    """Return the ports of the node that a pod takes."""
    spec = pod["spec"]
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    for container in [*(spec.get("containers") or []), *sidecars]:
        for port in container.get("ports") or []:
            if port.get("hostPort"):
                yield port.get("hostIP") or "", port.get("protocol") or "TCP", port["hostPort"]


def ports_collide(first: HostPort, other: HostPort) -> bool:
    """Whether two pods cannot have these ports on the same node."""
    shared = first[0] == other[0] or {first[0], other[0]} & set(EVERYWHERE)
    return bool(shared) and first[1:] == other[1:]


def _fulfilled(wanted: Object, labels: Mapping[str, str]) -> bool:
    operator, values = OPERATORS[wanted["operator"]], tuple(wanted.get("values") or ())
    return Requirement(wanted.get("key", ""), operator, values).matches(labels)
