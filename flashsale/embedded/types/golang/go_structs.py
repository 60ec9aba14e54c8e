"""Objects as Kubernetes' internal Go structs, which a few validation errors print as JSON.

Internal structs have no JSON names: every field appears under its Go name, also when it is empty.
"""

from __future__ import annotations

import json
from typing import Any

from flashsale.embedded.types.apitypes import internal_fields, is_internal
from flashsale.objects.models import Object

HOST_FLAGS = ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "hostUsers")
NAMED_INTEGERS = ("int32", "int64", "uint8")
MAPS = ("ResourceList",)
TOKEN, SECRETS = "kube-api-access-xxxxx", "/var/run/secrets/kubernetes.io"
LINES_AROUND = 3  # of a difference


def internal(name: str, value: Object) -> Object:
    """Return an API object as the internal struct of that name: `PodSpec`, `SecurityContext`."""
    shown: Object = {}
    if name == "PodSpec":  # internally these belong to the security context
        flags = {key: value[key] for key in HOST_FLAGS if key in value}
        value = value | {"securityContext": (value.get("securityContext") or {}) | flags}
    for go, kind, key in internal_fields(name):
        if not key:  # embedded: its fields stand here
            shown |= internal(kind, value) if is_internal(kind) else value.get("metadata") or {}
        else:
            shown[go] = _converted(kind, value.get(key))
    return shown


def diff_structs(name: str, before: Object, after: Object) -> str:
    """Compare two objects as internal structs: unified, as apimachinery's diff.Diff prints it."""
    import difflib  # rarely needed, and slow to load

    old, new = (_lines(internal(name, _with_token(thing))) for thing in (before, after))
    lines = list(difflib.unified_diff(old, new, n=LINES_AROUND, lineterm=""))
    return "".join(f"{line}\n" for line in lines[2:])


def _with_token(spec: Object) -> Object:
    """Add the token that a real pod has and ours has not, so that lines have the same numbers."""
    mounted = {"name": TOKEN, "readOnly": True, "mountPath": f"{SECRETS}/serviceaccount"}
    field = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": field}]}},
    ]
    volume = {"name": TOKEN, "projected": {"sources": sources, "defaultMode": 420}}
    filled = spec | {"volumes": [*(spec.get("volumes") or []), volume]}
    for kind in ("initContainers", "containers"):
        if spec.get(kind):
            filled[kind] = [
                container | {"volumeMounts": [*(container.get("volumeMounts") or []), mounted]}
                for container in spec[kind]
            ]
    return filled


def _lines(value: Any) -> list[str]:
    return json.dumps(value, indent=1, ensure_ascii=False).split("\n")


def _converted(kind: str, value: Any) -> Any:
    if kind.startswith("*"):
        return None if value is None else _converted(kind[1:], value)
    if kind.startswith("[]"):
        return None if value is None else [_converted(kind[2:], item) for item in value]
    if kind.startswith("map[") or kind in MAPS:
        return dict(sorted(value.items())) if value else None
    if is_internal(kind):
        return internal(kind, value or {})
    if value is not None:
        return value
    if kind == "bool":
        return False
    if kind in NAMED_INTEGERS or kind == "intstr.IntOrString":
        return 0
    return "0" if kind == "resource.Quantity" else ""
