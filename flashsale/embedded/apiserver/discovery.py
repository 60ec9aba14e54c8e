"""What the API tells about itself: version, groups, resources (kubectl asks before anything else).

Both forms are served: one list a group version, and the aggregated list that kubectl prefers
(st/apiserver/pkg/endpoints/discovery). Answers never change while the program runs, except for the
address in `/api`.
"""

from __future__ import annotations

import base64
import hashlib
import platform
from functools import cache

from flashsale.embedded.types.resources import ALL, Resource, Subresource
from flashsale.objects.models import Object

KUBERNETES = (1, 36)  # whose API this is
GIT_VERSION = f"v{KUBERNETES[0]}.{KUBERNETES[1]}.0+flashsale"  # honest: a build of nobody's release
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}  # Python's names and Go's


def document(path: str, host: str) -> Object | None:
    """Return the discovery document at a path, None if there is none.

    Args:
        path: with a leading slash and without a trailing one.
        host: what the client called this server, `127.0.0.1:6443`.
    """
    return api_versions(host) if path == "/api" else _documents().get(path)


def paths() -> list[str]:
    """`/`: the other paths that are served."""
    health = [f"/{where}" for where in ("healthz", "livez", "readyz")]
    listed = ["/api", *_documents(), *health, "/openapi/v2", "/openapi/v3", "/version"]
    return sorted(set(listed))


def wants_aggregated(accept: str) -> bool:
    """Whether a client takes the aggregated form in the one version that is served."""
    for media in accept.split(","):
        parameters = {part.strip() for part in media.split(";")}
        if {"g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"} <= parameters:
            return True
    return False


def version_info() -> Object:
    """`/version`: nine strings that strict clients insist on, and what is emulated."""
    major, minor = map(str, KUBERNETES)
    machine = platform.machine().lower()
    return {
        "major": major,
        "minor": minor,
        "emulationMajor": major,
        "emulationMinor": minor,
        "minCompatibilityMajor": major,
        "minCompatibilityMinor": str(KUBERNETES[1] - 1),
        "gitVersion": GIT_VERSION,
        "gitCommit": "",
        "gitTreeState": "",
        "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "",  # none: this is Python
        "compiler": platform.python_implementation(),
        "platform": f"{platform.system().lower()}/{ARCHITECTURES.get(machine, machine)}",
    }


def api_versions(host: str) -> Object:
    """`/api`: the versions of the core group."""
    return {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": host}],
    }


def group_list() -> Object:
    """`/apis`: all other groups."""
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(g) for g in groups()]}


def resource_list(group: str) -> Object:
    """`/api/v1` and `/apis/GROUP/v1`; the core one has no apiVersion, as in Kubernetes."""
    resources = []
    for resource in _resources(group):
        resources.append(_listed(resource))
        resources += [_listed_below(resource, below) for below in resource.subresources]
    version = _resources(group)[0].api_version
    head = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group else {})
    return head | {"groupVersion": version, "resources": resources}


def aggregated(*, core: bool) -> Object:
    """`/api` or `/apis` as one APIGroupDiscoveryList with all resources in it."""
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {
                    "version": _resources(group)[0].version,
                    "resources": [_discovered(resource) for resource in _resources(group)],
                    "freshness": "Current",
                }
            ],
        }
        for group in ([""] if core else groups())
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def groups() -> list[str]:
    """The groups other than the core group, in the order of their priorities."""
    return list(dict.fromkeys(resource.group for resource in ALL if resource.group))


@cache
def _documents() -> dict[str, Object]:
    """Everything that is the same for every client."""
    documents: dict[str, Object] = {
        "/version": version_info(),
        "/apis": group_list(),
        "/api/v1": resource_list(""),
    }
    for group in groups():
        head = {"kind": "APIGroup", "apiVersion": "v1"}
        documents[f"/apis/{group}"] = head | _group(group)
        documents[f"/apis/{_resources(group)[0].api_version}"] = resource_list(group)
    return documents


def _resources(group: str) -> list[Resource]:
    of_group = [resource for resource in ALL if resource.group == group]
    return sorted(of_group, key=lambda resource: resource.plural)


def _group(group: str) -> Object:
    resource = _resources(group)[0]
    version = {"groupVersion": resource.api_version, "version": resource.version}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _listed(resource: Resource) -> Object:
    listed: Object = {
        "name": resource.plural,
        "singularName": resource.singular,
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    stored = {"storageVersionHash": _storage_hash(resource)} if "get" in resource.verbs else {}
    return listed | _names(resource) | stored


def _storage_hash(resource: Resource) -> str:
    """Tell storage versions apart, as StorageVersionHash in apiserver/pkg/endpoints/discovery."""
    named = f"{resource.group}/{resource.version}/{resource.kind}"
    return base64.b64encode(hashlib.sha256(named.encode()).digest()[:8]).decode()


def _listed_below(resource: Resource, below: Subresource) -> Object:
    listed: Object = {
        "name": f"{resource.plural}/{below.name}",
        "singularName": "",
        "namespaced": resource.namespaced,
    }
    if below.group:
        listed |= {"group": below.group, "version": below.version}
    return listed | {"kind": below.kind, "verbs": list(below.verbs)}


def _discovered(resource: Resource) -> Object:
    discovered: Object = {
        "resource": resource.plural,
        "responseKind": {"group": "", "version": "", "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular,
        "verbs": list(resource.verbs),
    }
    discovered |= _names(resource)
    if resource.subresources:
        discovered["subresources"] = [
            {
                "subresource": below.name,
                "responseKind": {
                    "group": below.group,
                    "version": below.version,
                    "kind": below.kind,
                },
                "verbs": list(below.verbs),
            }
            for below in resource.subresources
        ]
    return discovered


def _names(resource: Resource) -> Object:
    named: Object = {}
    if resource.short_names:
        named["shortNames"] = list(resource.short_names)
    if resource.categories:
        named["categories"] = list(resource.categories)
    return named
