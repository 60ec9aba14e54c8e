"""Small things done to a profile that is there: its nodes, and its entry in the kubeconfig."""

from __future__ import annotations

import logging

from flashsale.base.errors import ClusterUnreachableError
from flashsale.clusters.minikube import current_context
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.profile.profile import Profile
from flashsale.clusters.subprocesses import run

log = logging.getLogger(__name__)


async def unfreeze(profile: Profile, *, timeout: float) -> None:
    """Undo `docker pause` on a profile's nodes; for those that go on it is an error, and no matter.

    Raises:
        ClusterUnreachableError: the driver's program is not there, or does not answer.
    """
    for machine in profile.machines:
        command = (profile.driver, "unpause", machine)
        try:
            answer = await run.run_program(*command, timeout=timeout, patience=1)
        except OSError as error:
            raise ClusterUnreachableError(
                f"{profile.driver} cannot unpause the node of '{profile.name}'.",
                hint=" ".join(command),
            ) from error
        log.debug("%s: %d %s", " ".join(command), answer.code, answer.stderr)


async def refresh_kubeconfig(minikube: MinikubeCli) -> None:
    """Point the profile's kubeconfig entry at where its API is now."""
    with current_context.keep_current_context(minikube.profile):
        await minikube.ask("update-context")
