"""Which object a URL names."""

from __future__ import annotations

from dataclasses import dataclass

from flashsale.embedded.types.resources import (
    ALL,
    NAMESPACES,
    NODES,
    PODS,
    SERVICES,
    Resource,
    find_resource,
)


@dataclass(frozen=True, slots=True)
class RequestTarget:
    """A place in the API: a collection if ``name`` is empty."""

    resource: Resource
    namespace: str = ""  # empty for all namespaces, or where there are none
    name: str = ""
    subresource: str = ""
    watch: bool = False  # by the old path, `/api/v1/watch/...`

    @property
    def key(self) -> tuple[Resource, str, str]:
        """Where the store has the object."""
        return self.resource, self.namespace, self.name


PROXIED = (PODS, SERVICES, NODES)
UNLISTED = {PODS: ("ephemeralcontainers", "resize")}  # to read: nothing of it can be changed here
GROUPS = frozenset(resource.group for resource in ALL if resource.group)


def known_group(path: str) -> bool:
    """Whether a path lies in a served group; elsewhere a 404 is plain text, not a Status."""
    parts = path.split("/")
    return parts[1] == "api" or (parts[1] == "apis" and len(parts) > 2 and parts[2] in GROUPS)


def proxied(path: str) -> RequestTarget | None:
    """Return the object that a path asks to be a proxy for, which is not done here."""
    parts = path.split("/")
    for place, part in enumerate(parts):
        above = parse_path("/".join(parts[:place])) if part == "proxy" else None
        if above and above.name and not above.subresource and above.resource in PROXIED:
            return above
    return None


def parse_path(path: str) -> RequestTarget | None:
    """Read `/api/v1/namespaces/default/pods/x/log` and its like; None where nothing is served."""
    parts = path.strip("/").split("/")
    if parts[0] == "api":
        group, rest = "", parts[1:]
    elif parts[0] == "apis" and len(parts) > 1:
        group, rest = parts[1], parts[2:]
    else:
        return None
    if len(rest) < 2:
        return None
    version, rest = rest[0], rest[1:]
    watch = rest[0] == "watch" and len(rest) > 1
    rest = rest[1:] if watch else rest
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    resource = find_resource(group, version, rest[0])
    if resource is None or len(rest) > 3 or "" in rest:
        return None
    if bool(namespace) and not resource.namespaced and resource is not NAMESPACES:
        return None
    name = rest[1] if len(rest) > 1 else ""
    subresource = rest[2] if len(rest) > 2 else ""
    known = [sub.name for sub in resource.subresources]
    if subresource and subresource not in (*known, *UNLISTED.get(resource, ())):
        return None
    if name and resource.namespaced and not namespace:
        return None
    return RequestTarget(resource, namespace, name, subresource, watch)
