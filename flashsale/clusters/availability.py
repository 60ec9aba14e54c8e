"""Whether a recorded cluster is still there, and the cluster that a record means."""

from __future__ import annotations

import shutil
from pathlib import Path

from flashsale.clusters.base import Cluster, NewProfileOptions
from flashsale.clusters.embedded import EmbeddedCluster
from flashsale.clusters.state.directory import named_home
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.kube import kubeconfig

MINIKUBE = "minikube"  # binary, kind and default profile share the name
NOTHING_ASKED = NewProfileOptions()


def cluster_of(
    record: SaleRecord, home: Path | None = None, making: NewProfileOptions = NOTHING_ASKED
) -> Cluster:
    """Make the cluster that a record means, and import its kind alone, for that takes time."""
    if record.kind == "embedded":
        return EmbeddedCluster((home or named_home()) / "embedded")
    if record.kind == "context":
        from flashsale.clusters.context import ContextCluster

        return ContextCluster(record.context)
    from flashsale.clusters.minikube import MinikubeCluster

    return MinikubeCluster(record.profile, making, home)


async def exists(record: SaleRecord) -> bool:
    """Whether a recorded cluster is still there, running or not.

    `minikube stop` takes the context out of the kubeconfig, so its absence proves nothing; nor does
    its presence, once the profile was deleted. One that was deleted and is half-made again is not
    the one that was recorded.

    Raises:
        ClusterUnreachableError: minikube does not answer.
    """
    if record.kind == "embedded":
        return True  # it is a folder, made again where it is missing
    if record.kind != MINIKUBE:
        return record.context in kubeconfig.read()
    if shutil.which(MINIKUBE) is None:
        return False
    from flashsale.clusters import minikube

    return (await minikube.read_profile_state(record.profile)).can_hold_sale
