"""The nodes of a profile: their number, which never changes, and one that is switched off or on."""

from __future__ import annotations

import logging
from typing import Literal

from flashsale.base.errors import BadInputError, ClusterUnreachableError, Hint
from flashsale.base.text import counted
from flashsale.clusters.minikube import current_context
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.profile.profile import Profile
from flashsale.clusters.subprocesses import run

log = logging.getLogger(__name__)


def refuse_other_nodes(profile: Profile, wanted: int) -> None:
    """Raise BadInputError if a profile was made with another number of nodes than is wanted."""
    there, name = len(profile.nodes), profile.name
    if not wanted or wanted == there:
        return
    raise BadInputError(
        f"'{name}' was made with {counted(there, 'node')}, and keeps them.",
        hint=Hint(
            f"flashsale up --profile {name}-{wanted} --nodes {wanted}",
            f"makes another profile, with {counted(wanted, 'node')}",
        ),
    )


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


async def switch_node(minikube: MinikubeCli, verb: Literal["start", "stop"], node: str) -> None:
    """Start or stop one node's machine; ClusterUnreachableError if minikube could not."""
    with current_context.keep_current_context(minikube.profile):
        answer = await minikube.ask("node", verb, node, timeout=minikube.patience.node)
    if answer.code:
        lines = (answer.stderr or answer.stdout).strip().splitlines()  # the rest is a box
        raise ClusterUnreachableError(
            f"minikube could not {verb} the node '{node}' (code {answer.code}).",
            hint=f"minikube node list -p {minikube.profile}",
            details=lines[0].removeprefix("X ") if lines else "",
        )
