"""The nodes of a profile: their number, which never changes, and one that is switched off or on."""

from __future__ import annotations

from typing import Literal

from flashsale.base.errors import BadInputError, ClusterUnreachableError, Hint
from flashsale.base.text import counted
from flashsale.clusters.minikube import current_context
from flashsale.clusters.minikube.cli import MinikubeCli
from flashsale.clusters.minikube.profile.profile import Profile


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


async def switch_node(minikube: MinikubeCli, verb: Literal["start", "stop"], node: str) -> None:
    """Start or stop one node's machine.

    Raises:
        ClusterUnreachableError: minikube could not.
    """
    with current_context.keep_current_context(minikube.profile):
        answer = await minikube.ask("node", verb, node, timeout=minikube.patience.node)
    if answer.code:
        lines = (answer.stderr or answer.stdout).strip().splitlines()  # the rest is a box
        raise ClusterUnreachableError(
            f"minikube could not {verb} the node '{node}' (code {answer.code}).",
            hint=f"minikube node list -p {minikube.profile}",
            details=lines[0].removeprefix("X ") if lines else "",
        )
