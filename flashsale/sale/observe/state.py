"""What is known of a sale at one moment: its ReplicaSet, its pods, and the healings under way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flashsale.objects.models import Pod, ReplicaSet, Service
from flashsale.objects.nodes import Node
from flashsale.sale.observe.healing import Happening, Healing
from flashsale.sale.observe.observations import Mark, NodeSeen, Observation, PodSeen

KEPT_HEALINGS = 50  # finished ones to remember
KEPT_NAMES = 500  # of pods that the controller said it deleted
DOUBT = 2.0  # seconds for which a dismissed victim may be called back


@dataclass(frozen=True, slots=True)
class SaleState:
    """What is known so far. Mappings are never changed, only replaced."""

    replicaset: ReplicaSet | None = None
    looked: bool = False  # for the ReplicaSet, so that it is known whether there is one
    synced: bool = False  # everything that was there has been listed
    desired: int | None = None  # None: there is no ReplicaSet, or none was seen yet
    desired_version: int = 0
    service: Service | None = None
    pods: Mapping[str, PodSeen] = field(default_factory=dict)  # by uid, every pod in sight
    slices: Mapping[str, frozenset[str]] = field(default_factory=dict)  # ready pods, by slice
    nodes: Mapping[str, Node] = field(default_factory=dict)  # by name; empty where nobody looks
    open: tuple[Healing, ...] = ()  # oldest death first
    done: tuple[Healing, ...] = ()  # the last that were closed
    dismissed: tuple[tuple[float, Healing], ...] = ()  # when; their places seemed not wanted
    surplus: tuple[str, ...] = ()  # names of pods that the controller deleted
    marks: Mapping[str, Mark] = field(default_factory=dict)  # by the pod's name

    @property
    def known(self) -> bool:
        """Whether it is known what there is: all of the sale, or that there is none."""
        return self.synced or (self.looked and self.replicaset is None)

    def owns(self, pod: Pod) -> bool:
        return self.replicaset is not None and pod.owner_uid == self.replicaset.uid

    def active(self, seen: PodSeen) -> bool:
        """Whether the ReplicaSet counts this pod, as `FilterActivePods` does."""
        return self.owns(seen.pod) and not seen.ended and not seen.pod.terminating

    @property
    def own(self) -> list[Pod]:
        """The pods of the ReplicaSet, those on their way out included."""
        return [seen.pod for seen in self.pods.values() if self.owns(seen.pod)]

    @property
    def alive(self) -> list[Pod]:
        """Those of them that are not on their way out."""
        return [pod for pod in self.own if not pod.terminating]

    @property
    def count(self) -> int:
        """How many pods the ReplicaSet has, leaving ones not counted."""
        return sum(map(self.active, self.pods.values()))

    @property
    def ready(self) -> int:
        return sum(seen.ready and self.active(seen) for seen in self.pods.values())

    @property
    def routed(self) -> frozenset[str]:
        """Names of the pods to which the Service sends buyers."""
        return frozenset().union(*self.slices.values())

    @property
    def waiting(self) -> list[Healing]:
        """Healings whose replacement is not known yet."""
        return [healing for healing in self.open if healing.waiting]

    def dismissed_since(self, moment: float) -> list[Healing]:
        """Healings dismissed since then whose victims the controller did not call surplus."""
        recent = (healing for at, healing in self.dismissed if at >= moment)
        return [healing for healing in recent if healing.victim not in self.surplus]

    def with_pod(self, seen: PodSeen) -> SaleState:
        """Remember a pod, or forget one that is gone."""
        pods = {**self.pods, seen.pod.uid: seen}
        if seen.change == "gone":
            del pods[seen.pod.uid]
        return replace(self, pods=pods)

    def with_node(self, seen: NodeSeen) -> SaleState:
        """Remember a node, or forget one that is gone."""
        nodes = {**self.nodes, seen.node.name: seen.node}
        if seen.change == "gone":
            del nodes[seen.node.name]
        return replace(self, nodes=nodes)

    def without(self, healing: Healing) -> SaleState:
        return replace(self, open=tuple(other for other in self.open if other is not healing))

    def with_dismissed(self, healing: Healing, at: float) -> SaleState:
        """Take an open healing away whose place nobody wants filled; it may be called back."""
        dismissed = (*self.dismissed, (at, healing))[-KEPT_HEALINGS:]
        return replace(self.without(healing), dismissed=dismissed)

    def with_recalled(self, healing: Healing) -> SaleState:
        """Forget that a healing was dismissed."""
        rest = tuple(entry for entry in self.dismissed if entry[1] is not healing)
        return replace(self, dismissed=rest)

    def with_done(self, healing: Healing) -> SaleState:
        """Move an open healing to those that are over."""
        return replace(self.without(healing), done=(*self.done, healing)[-KEPT_HEALINGS:])

    def with_moments(self, which: Callable[[Healing], bool], **moments: float) -> SaleState:
        """Set moments, once each, on the healings that they belong to."""

        def noted(healing: Healing) -> Healing:
            fresh: dict[str, Any] = {
                name: at for name, at in moments.items() if getattr(healing, name) is None
            }
            return replace(healing, **fresh) if fresh and which(healing) else healing

        return replace(self, open=tuple(map(noted, self.open)), done=tuple(map(noted, self.done)))


@dataclass(frozen=True, slots=True)
class Update:
    """One observation, what is known after it, and what it meant."""

    observation: Observation
    state: SaleState
    happenings: Sequence[Happening] = ()


Observer = Callable[[Update], None]
Condition = Callable[[SaleState], bool]
