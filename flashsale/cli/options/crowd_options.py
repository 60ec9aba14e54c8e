"""The options of a crowd inside the cluster, and the crowd that they describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flashsale.base.addresses import is_loopback, url_host
from flashsale.base.errors import BadInputError, Hint
from flashsale.base.ranges import check_range
from flashsale.base.text import begin_sentence

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flashsale.clusters.base import Progress
    from flashsale.load.in_cluster.crowd import ClusterCrowd
    from flashsale.load.worker.orders import LoadTarget
    from flashsale.sale.session import Sale

MOST = 500  # workers; each is a pod, and a log that is followed
SUFFIX = 5  # letters that tell one Job from another


@dataclass(frozen=True, slots=True)
class CrowdOptions:
    """What was typed of it; nothing else may be where ``in_cluster`` is off."""

    command: str  # `load` or `drill`
    in_cluster: bool
    workers: int | None
    image: str | None
    node_selector: Mapping[str, str]


def read_crowd_options(
    command: str,
    in_cluster: bool,
    workers: int | None,
    image: str | None,
    node_selector: Sequence[str] | None,
) -> CrowdOptions:
    """Read the options; BadInputError for one without --in-cluster, or one that means nothing."""
    typed = {
        "--workers": workers is not None,
        "--worker-image": image is not None,
        "--node-selector": bool(node_selector),
    }
    alone = [name for name, given in typed.items() if given and not in_cluster]
    if alone:
        raise BadInputError(
            f"{alone[0]} is for a load from inside the cluster.",
            hint=f"flashsale {command} --in-cluster",
        )
    example = f"flashsale {command} --in-cluster --workers 3"
    check_range("--workers", workers, 1, MOST, hint=example)
    pairs = [text.partition("=") for text in node_selector or ()]
    for key, sign, value in pairs:
        if not key or not sign:
            raise BadInputError(
                f"--node-selector must be KEY=VALUE, not '{key}{sign}{value}'.",
                hint=f"flashsale {command} --in-cluster --node-selector kubernetes.io/os=linux",
            )
    selector = {key: value for key, _, value in pairs}
    return CrowdOptions(command, in_cluster, workers, image, selector)


def refuse_without_jobs(command: str, sale: Sale) -> None:
    """Raise BadInputError where the sale's cluster has no Jobs."""
    if not sale.cluster.runs_jobs:
        raise BadInputError(
            f"{begin_sentence(sale.cluster.describe())} runs no Jobs: it is this machine,"
            " and a crowd inside it would be no larger.",
            hint=Hint(f"flashsale {command}", "sends from this machine"),
        )


async def crowd_of(
    sale: Sale, options: CrowdOptions, rate: float, *, keepalive: bool, progress: Progress
) -> ClusterCrowd:
    """Describe the Job: on the shop's image, unless another was typed."""
    import secrets
    import string

    from flashsale.load.in_cluster.crowd import ClusterCrowd
    from flashsale.load.in_cluster.job_manifest import JobOptions
    from flashsale.load.machine_limits import workers_in_cluster

    spec = (await sale.replicaset())["spec"]["template"]["spec"]
    shop = spec["containers"][0]
    suffix = "".join(secrets.choice(string.ascii_lowercase) for _ in range(SUFFIX))
    job = JobOptions(
        name=f"flashsale-load-{suffix}",
        namespace=sale.namespace,
        workers=options.workers or workers_in_cluster(rate, keepalive=keepalive),
        image=options.image or str(shop["image"]),
        pull_policy="IfNotPresent" if options.image else shop.get("imagePullPolicy") or "",
        pull_secrets=tuple(secret["name"] for secret in spec.get("imagePullSecrets") or ()),
        node_selector=options.node_selector,
    )
    return ClusterCrowd(sale.api, job, progress, f"flashsale {options.command}")


async def service_target(sale: Sale) -> LoadTarget:
    """Find the Service's own address, which every pod reaches; BadInputError if it has none."""
    from flashsale.load.worker.orders import LoadTarget

    service = await sale.service()
    ports = service.raw["spec"].get("ports") or []
    if service.cluster_ip in ("", "None") or not ports:
        raise BadInputError(
            f"The Service {service.name} has no address inside the cluster.",
            hint=Hint("flashsale load --in-cluster --url http://ADDRESS", "one that pods reach"),
        )
    port = int(ports[0]["port"])
    name = f"{service.name}.{sale.namespace}"
    return LoadTarget(service.cluster_ip, port, name if port == 80 else f"{name}:{port}")


def typed_target(url: str, *, allow_remote: bool) -> LoadTarget:
    """Read an address for pods: a name of the cluster's own is looked up there, not here.

    Raises:
        BadInputError: it is not http, or it is each pod's own loopback.
        LoadRefusedError: it is neither private nor the cluster's, and that was not allowed.
    """
    from flashsale.load.target import find_target

    target = find_target(url, allow_remote=allow_remote, resolve=not _of_cluster(url))
    if is_loopback(target.address):
        raise BadInputError(
            f"{target.host} is each pod's own loopback: no sale answers there.",
            hint="flashsale load --in-cluster",
        )
    return target


def _of_cluster(url: str) -> bool:
    host = url_host(url)
    named = host.replace(".", "").replace("-", "").isalnum() and not host.replace(".", "").isdigit()
    inside = "." not in host or host.endswith(".svc") or host.endswith(".svc.cluster.local")
    return named and inside and host != "localhost"
