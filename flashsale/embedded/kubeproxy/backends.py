"""Who may get a connection to a node port, kept up to date one pod at a time.

What a change of one pod costs does not depend on how many others there are: a thousand pods that
come or go together are a thousand small steps, not a thousand walks through all of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flashsale.embedded.controllers.endpointslice import Endpoint
from flashsale.embedded.kubeproxy.relay import Address
from flashsale.objects.models import Object


@dataclass(slots=True)
class Backends:
    """The pods behind one node port, by their uids, and where each listens."""

    ready: dict[str, Address] = field(default_factory=dict)
    leaving: dict[str, Address] = field(default_factory=dict)  # serve while they terminate
    lingering: dict[str, Address] = field(default_factory=dict)  # gone, and still chosen a moment

    def __bool__(self) -> bool:
        return bool(self.ready or self.leaving or self.lingering)

    def choices(self) -> list[Address]:
        """Return who gets new connections: the ready, else those that serve while terminating.

        After CategorizeEndpoints in pkg/proxy/topology.go.
        """
        chosen = self.ready or self.leaving
        return [*(self.lingering | chosen if self.lingering else chosen).values()]

    def update(
        self, uid: str, endpoint: Endpoint | None, address: Address | None, *, lingers: bool
    ) -> bool:
        """Take in how one pod stands now, None for one that is not behind the Service (any more).

        One that is no longer chosen may linger until :meth:`forget`; says whether it begins to.
        """
        before = self._chosen(uid)
        self.ready.pop(uid, None)
        self.leaving.pop(uid, None)
        if endpoint is not None and address is not None and endpoint.serving:
            (self.ready if endpoint.ready else self.leaving)[uid] = address
        if not lingers or before is None or self._chosen(uid) is not None:
            return False
        self.lingering[uid] = before
        return True

    def forget(self) -> None:
        self.lingering.clear()

    def _chosen(self, uid: str) -> Address | None:
        return (self.ready or self.leaving).get(uid) or self.lingering.get(uid)


def stops_at_once(pod: Object, *, gone: bool) -> bool:
    """Whether a pod is told to stop as soon as it is deleted: no preStop hook runs before that.

    Args:
        gone: its object is deleted already, by force.
    """
    if not gone and "deletionTimestamp" not in pod["metadata"]:
        return False
    hooks = [(c.get("lifecycle") or {}).get("preStop") for c in pod["spec"].get("containers") or []]
    return not any(hooks)
