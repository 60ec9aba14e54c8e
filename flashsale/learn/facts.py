"""What is there at one moment, and what has happened since a step began. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from flashsale.base.text import counted, quoted
from flashsale.drill.past_drills import PastDrill
from flashsale.kube.apply import last_applied
from flashsale.learn.evidence import Evidence, StepBaseline, since
from flashsale.objects.fields import number, section, sections
from flashsale.objects.models import Object, Pod, ReplicaSet
from flashsale.sale.files.manifest import FILE
from flashsale.sale.observe.observations import EventSeen

OWN = "my-sale"  # the learner's folder, where none is known


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that checks may look at; moments of ``evidence`` are on one clock."""

    state: Literal["open", "closed", "silent"] = "closed"  # silent: the cluster does not answer
    why: str = ""  # a sentence, unless it is open
    command: str = ""  # what to type where it is silent
    place: str = ""  # context/namespace
    kubectl: str = "kubectl"  # how kubectl is typed for this cluster
    folder: str = ""  # that the sale came from, absolute
    replicaset: Object | None = None
    service: Object | None = None
    pods: tuple[Pod, ...] = ()  # of the namespace
    routed: frozenset[str] = frozenset()  # names of pods that the Service sends buyers to
    events: tuple[EventSeen, ...] = ()
    drills: tuple[PastDrill, ...] = ()
    answered_by: str = ""  # pod that answered a buyer just now
    no_answer: str = ""  # what that buyer met instead
    evidence: Evidence = field(default_factory=Evidence)
    before: StepBaseline = field(default_factory=StepBaseline)
    prepared: str = ""  # folder that the step handed out
    extras: frozenset[str] = frozenset()  # what was looked at besides

    def since(self, before: StepBaseline) -> Facts:
        """Count only what happened after that moment."""
        drills = tuple(drill for drill in self.drills if drill.started > before.drill)
        evidence = since(self.evidence, before)
        return replace(self, evidence=evidence, drills=drills, before=before)

    @property
    def own(self) -> list[Pod]:
        """The pods of the ReplicaSet that are not on their way out, the oldest first."""
        uid = self.replicaset["metadata"]["uid"] if self.replicaset else ""
        mine = (pod for pod in self.pods if uid and pod.owner_uid == uid and not pod.terminating)
        return sorted(mine, key=lambda pod: (pod.created, pod.name))

    @property
    def leaving(self) -> list[Pod]:
        """The pods of the ReplicaSet that are on their way out."""
        uid = self.replicaset["metadata"]["uid"] if self.replicaset else ""
        return [pod for pod in self.pods if uid and pod.owner_uid == uid and pod.terminating]

    @property
    def ready(self) -> list[Pod]:
        return [pod for pod in self.own if pod.ready]

    @property
    def numbers(self) -> ReplicaSet | None:
        """DESIRED, CURRENT and READY, as the API server has them."""
        return ReplicaSet.from_object(self.replicaset) if self.replicaset else None

    @property
    def desired(self) -> int:
        """How many pods are wanted; 0 without a ReplicaSet."""
        return self.numbers.desired if self.numbers else 0

    @property
    def whole(self) -> bool:
        """Whether as many pods as wanted are there and ready, and more than none."""
        return 0 < self.desired == len(self.own) == len(self.ready)

    @property
    def template(self) -> Mapping[str, Any]:
        """What each new pod's spec is made from."""
        return section(self.replicaset, "spec", "template", "spec")

    @property
    def container(self) -> Mapping[str, Any]:
        return next(iter(sections(self.template, "containers")), {})

    @property
    def selector(self) -> Mapping[str, str]:
        """The labels by which the ReplicaSet finds its pods."""
        return section(self.replicaset, "spec", "selector", "matchLabels")

    @property
    def applied_replicas(self) -> int:
        """How many pods the manifest asks for that was applied; 0 where it says nothing."""
        return number(last_applied(self.replicaset or {"metadata": {}}), "spec", "replicas")

    def quote(self, reason: str, about: str) -> str:
        """Quote the newest event with this reason whose object or message names something."""
        quotable = [
            event
            for event in self.events
            if event.reason == reason and (event.name == about or about in event.message)
        ]
        if not quotable:
            return ""
        newest = max(quotable, key=lambda event: event.when)
        about = f"{newest.kind.lower()}/{newest.name}"
        return f"kubectl says so: {newest.reason}  {about}  {newest.message}"

    def words(self) -> dict[str, str]:
        """Give the words that texts may name in braces."""
        before = self.before.desired if self.before.desired is not None else self.desired
        folder = relative(self.folder) if self.folder else OWN
        pod = self._example()
        return {
            "before": str(before),
            "after": str(before + 1),
            "fewer": str(max(0, before - 1)),
            "many": str(before + 2),
            "pods": counted(before, "pod"),
            "folder": quoted(folder),
            "manifest": quoted(Path(folder) / FILE),
            "pod": pod,
            "label": next(
                (f"{key}={value}" for key, value in self.selector.items()), "app=flashsale"
            ),
            "key": next(iter(self.selector), "app"),
            "kubectl": self.kubectl,
            "prepared": quoted(relative(self.prepared)) if self.prepared else "broken-sale",
        }

    def _example(self) -> str:
        """Name a pod that was there when the step began, the same one as long as it is there."""
        there = {pod.name for pod in self.pods}
        first = [name for name in self.before.pods if name in there]
        return next(iter([*first, *(pod.name for pod in self.own)]), "POD")


def relative(folder: str) -> str:
    """Write a folder as it is typed from here, where that is shorter."""
    try:
        return str(Path(folder).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return folder
