"""Field selectors: `status.phase=Running,spec.nodeName!=minikube` (apimachinery/pkg/fields).

Each kind offers its own few fields. An absent field reads as the empty string.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flashsale.embedded.types.api_errors import StatusError, bad_request
from flashsale.embedded.types.resources import EVENTS, NAMESPACES, NODES, PODS, SERVICES, Resource

NAME, NAMESPACE = "metadata.name", "metadata.namespace"
FIELDS: Mapping[Resource, tuple[str, ...]] = {  # pkg/apis/core/v1/conversion.go
    PODS: (
        NAME, NAMESPACE, "spec.nodeName", "spec.restartPolicy", "spec.schedulerName",
        "spec.serviceAccountName", "spec.hostNetwork", "status.phase", "status.podIP",
        "status.podIPs", "status.nominatedNodeName",
    ),
    NODES: (NAME, "spec.unschedulable"),
    NAMESPACES: (NAME, "status.phase"),
    SERVICES: (NAME, NAMESPACE, "spec.clusterIP", "spec.type"),
    EVENTS: (
        NAME, NAMESPACE, "involvedObject.kind", "involvedObject.namespace", "involvedObject.name",
        "involvedObject.uid", "involvedObject.apiVersion", "involvedObject.resourceVersion",
        "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
    ),
}  # fmt: skip
FALSE_BY_DEFAULT = ("spec.hostNetwork", "spec.unschedulable")
SPLIT = re.compile(r"(?:[^\\,]|\\.|\\$)+", re.DOTALL)  # at commas that no backslash precedes
OPERATOR = re.compile(r"!=|==|=")  # the first one wins; the field itself knows no escapes


@dataclass(frozen=True, slots=True)
class Term:
    """One comparison of a field with a text."""

    field: str
    equal: bool
    value: str

    def matches(self, thing: Mapping[str, Any]) -> bool:
        return (field_text(thing, self.field) == self.value) == self.equal


@dataclass(frozen=True, slots=True)
class FieldSelector:
    """All of its terms must hold."""

    terms: tuple[Term, ...] = ()

    def matches(self, thing: Mapping[str, Any]) -> bool:
        return all(term.matches(thing) for term in self.terms)


def parse_field_selector(text: str, resource: Resource) -> FieldSelector:
    """Read the `fieldSelector` of a request; an empty text selects everything.

    Raises:
        StatusError: 400 for bad syntax or for a field that this kind cannot be selected by.
    """
    terms = tuple(_term(text, part) for part in sorted(SPLIT.findall(text)))
    terms = tuple(term for term in terms if term.field or term.value)  # `=` says nothing
    for term in terms:
        _check_supported(term.field, resource)
    return FieldSelector(terms)


def field_text(thing: Mapping[str, Any], field: str) -> str:
    """Return the text that a field is compared by."""
    if field == "status.podIPs":  # offered, but never filled in (pkg/registry/core/pod)
        return ""
    if field == "source":
        return _dig(thing, "source.component") or _dig(thing, "reportingComponent")
    return _dig(thing, field) or ("false" if field in FALSE_BY_DEFAULT else "")


def _term(whole: str, part: str) -> Term:
    match = OPERATOR.search(part)
    if not match:
        raise bad_request(f"invalid selector: '{whole}'; can't understand '{part}'")
    value = _unescaped(part[match.end() :])
    return Term(part[: match.start()], match[0] != "!=", value)


def _unescaped(value: str) -> str:
    """Undo `\\,`, `\\=` and the doubled backslash; anything else special is refused."""
    text, rest = "", value
    while rest:
        char, rest = rest[0], rest[1:]
        if char == "\\":
            if rest[:1] not in ("\\", ",", "="):
                raise _bad(f"invalid escape sequence: \\{rest[:1]}")
            char, rest = rest[0], rest[1:]
        elif char in ",=":
            raise _bad(f"unescaped character in value: {ord(char)}")
        text += char
    return text


def _bad(why: str) -> StatusError:
    return bad_request(f"invalid field selector: {why}")


def _check_supported(field: str, resource: Resource) -> None:
    supported = FIELDS.get(resource)
    if supported is None:
        if field not in (NAME, NAMESPACE):
            only = f'only "{NAME}", "{NAMESPACE}"'
            raise bad_request(f'"{field}" is not a known field selector: {only}')
    elif field not in supported:
        raise bad_request(f"field label not supported: {field}")


def _dig(thing: Any, path: str) -> str:
    for name in path.split("."):
        thing = thing.get(name) if isinstance(thing, Mapping) else None
    if isinstance(thing, bool):
        return str(thing).lower()
    return thing if isinstance(thing, str) else ""
