"""Whether a recorded cluster is still there, and why it may look as if it were not."""

from __future__ import annotations

import shutil

from flashsale.base.errors import ClusterUnreachableError, FlashsaleError, NoSaleError
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.kube import kubeconfig

MINIKUBE = "minikube"  # binary, kind and default profile share the name


def describe(record: SaleRecord) -> str:
    """Name a cluster in a sentence."""
    if record.kind == "embedded":
        return "the embedded cluster"
    if record.kind == MINIKUBE:
        return f"the minikube profile '{record.profile}'"
    return f"the context '{record.context}'"


async def exists(record: SaleRecord) -> bool:
    """Whether a recorded cluster is still there, running or not.

    `minikube stop` takes the context out of the kubeconfig, so its absence proves nothing.

    Raises:
        ClusterUnreachableError: minikube does not answer.
    """
    if record.kind == "embedded":
        return True  # it is a folder, made again where it is missing
    if record.context in kubeconfig.read():
        return record.kind != MINIKUBE or shutil.which(MINIKUBE) is not None
    if record.kind != MINIKUBE:
        return False
    from flashsale.clusters import minikube

    return (await minikube.profile_state(record.profile)).exists


async def stopped_minikube_error(record: SaleRecord) -> FlashsaleError:
    """Say why minikube has taken a profile's context out of the kubeconfig: stopped, or deleted.

    Raises:
        ClusterUnreachableError: minikube is not installed, or does not answer.
    """
    from flashsale.clusters import minikube

    up = "flashsale up" + (f" --profile {record.profile}" if record.profile != MINIKUBE else "")
    if not minikube.installed():
        raise minikube.missing()
    state = await minikube.profile_state(record.profile)
    if not state.exists:
        return NoSaleError(f"There is no minikube profile '{record.profile}' here.", hint=up)
    how = f"has no context '{record.context}' in the kubeconfig" if state.host_up else "is stopped"
    return ClusterUnreachableError(f"minikube '{record.profile}' {how}.", hint=up)
