"""Where a drill runs, and on which versions: for the report, so that two can be compared."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from typing import Any

from flashsale import __version__
from flashsale.drill.cpu import usable_cores
from flashsale.drill.result import Environment
from flashsale.kube import paths
from flashsale.objects.models import Object
from flashsale.sale.session import Sale

WRITTEN_BY_SERVERS = (
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "selfLink",
    "annotations",
)
GIVEN_BY_CLUSTERS = ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy")  # to a Service


async def read_environment(sale: Sale, url: str) -> Environment:
    """Look up where the drill runs."""
    replicaset = await sale.replicaset()
    service = await sale.api.get(paths.services(sale.namespace, sale.service_name))
    version = await sale.api.version()
    timing = await sale.cluster.node_timing(sale.api)
    return Environment(
        kind=sale.cluster.kind,
        context=sale.cluster.context,
        namespace=sale.namespace,
        url=url,
        replicaset=sale.name,
        server=str(version.get("gitVersion", "")),
        flashsale=__version__,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.machine()}",
        cores=usable_cores(),
        manifest=objects_as_yaml([replicaset, service]),
        node_timing=timing.describe(),
    )


def objects_as_yaml(objects: list[Object]) -> str:
    """Write objects as the YAML that would create them: without what servers add by themselves."""
    import yaml

    return yaml.safe_dump_all(map(_as_applied, objects), sort_keys=False)


def _without(fields: Object, names: Sequence[str]) -> Object:
    return {name: value for name, value in fields.items() if name not in names}


def _as_applied(obj: Object) -> dict[str, Any]:
    metadata = _without(obj["metadata"], WRITTEN_BY_SERVERS)
    ordered = {"apiVersion": obj.get("apiVersion"), "kind": obj.get("kind")}
    spec = _without(obj["spec"], GIVEN_BY_CLUSTERS)
    if "ports" in spec:
        spec["ports"] = [_without(port, ("nodePort",)) for port in spec["ports"]]
    return {**ordered, "metadata": metadata, "spec": spec}
