"""Stopping a profile: what is inside survives."""

from __future__ import annotations

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.clusters.base import Progress
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.profile import NO_PROFILE
from flashsale.clusters.minikube.start.events import Failure, Listener
from flashsale.clusters.minikube.start.exit_codes import TIMED_OUT, explained
from flashsale.clusters.minikube.start.following import told


async def stop(minikube: MinikubeCli, progress: Progress) -> None:
    """Stop a profile; images and objects inside survive.

    Raises:
        ClusterUnreachableError: it did not stop, also not when asked again.
    """
    name = minikube.profile
    progress.step(f"Stopping minikube '{name}'")
    failed = await _stop(minikube, progress)
    if failed and failed.code == TIMED_OUT:
        failed = await _stop(minikube, progress)
    if failed is None:
        progress.note(f"minikube '{name}' stopped (data kept).")
    elif failed.code == NO_PROFILE:
        progress.note("Nothing to stop.")
    else:
        raise stop_failed(failed, name)


async def _stop(minikube: MinikubeCli, progress: Progress) -> Failure | None:
    listener = Listener(progress, "stop", steps=False)
    return await told(minikube, listener, "stop", "-o", "json", timeout=minikube.patience.stop)


def stop_failed(failed: Failure, name: str) -> ClusterUnreachableError:
    error = explained(failed, name)
    if failed.code == TIMED_OUT:
        return ClusterUnreachableError(
            "minikube did not stop in time.",
            hint=Hint(f"minikube stop -p {name}", "after a look at Docker or the hypervisor"),
            details=error.details,
        )
    return error
