"""A sale as the course sees it, made by hand: what there is, and what has happened."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flashsale.drill.past_drills import PastDrill
from flashsale.learn.evidence import Evidence, Purchase, StepBaseline
from flashsale.learn.facts import Facts
from flashsale.objects.models import Object, Pod
from flashsale.sale.observe.healing import Healing
from tests.sale.api_objects import pod_object, replicaset_object

THREE = ("flashsale-rs-aaaaa", "flashsale-rs-bbbbb", "flashsale-rs-ccccc")
NEW = "flashsale-rs-ddddd"
SLOW = {"initialDelaySeconds": 3, "periodSeconds": 5}
QUICK = {"initialDelaySeconds": 0, "periodSeconds": 1}


def sale(
    *names: str,
    desired: int | None = None,
    probe: dict[str, int] = SLOW,
    labels: dict[str, str] | None = None,
    evidence: Evidence | None = None,
    **changes: Any,
) -> Facts:
    """A sale with these ready pods, all behind the Service."""
    names = names or THREE
    replicaset: Object = replicaset_object(len(names) if desired is None else desired, len(names))
    replicaset["metadata"]["labels"] = labels or {}
    containers = [{"name": "flashsale-container", "readinessProbe": probe}]
    replicaset["spec"]["template"] = {"spec": {"containers": containers}}
    return Facts(
        state="open",
        place="embedded/default",
        replicaset=replicaset,
        service={"metadata": {"name": "flashsale-svc"}, "spec": {"ports": [{"port": 80}]}},
        pods=tuple(Pod.from_object(pod_object(name, ready=True)) for name in names),
        routed=frozenset(names),
        evidence=evidence or Evidence(created=dict.fromkeys(names, 100.0)),
        extras=frozenset({"purchases", "answer"}),
        **changes,
    )


def begun(facts: Facts) -> StepBaseline:
    """The moment at which a step begins on such a sale."""
    drill = facts.drills[-1].started if facts.drills else ""
    return StepBaseline.of(
        facts.evidence, facts.own, desired=facts.desired, drill=drill, moment=0.0
    )


def healing(victim: str, replacement: str, *, seconds: float = 5.0, cause: Any = "deleted") -> Any:
    """A pod that was replaced."""
    return Healing(
        victim, victim, cause, 100.0, replacement, replacement, created=100.1, ready=100.0 + seconds
    )


def killed(*victims: str, seconds: float = 5.0, probe: dict[str, int] = SLOW) -> Facts:
    """The sale after these pods were killed and replaced."""
    new = {victim: f"{victim[:-1]}z" for victim in victims}
    left = [name for name in THREE if name not in victims]
    evidence = Evidence(
        created=dict.fromkeys([*THREE, *new.values()], 100.0),
        healings={v: healing(v, n, seconds=seconds) for v, n in new.items()},
    )
    return sale(*left, *new.values(), probe=probe, evidence=evidence)


def drill(*, pre_stop: bool, lost: int = 0) -> PastDrill:
    """A drill with one kill."""
    started = f"2026-11-27T10:0{int(pre_stop)}:00+00:00"
    return PastDrill(started, "embedded", "default", pre_stop, 100, lost, 1, "pass")


def after_the_deed() -> dict[str, Facts]:
    """For each step, what there is when it was done on the sale of three pods."""
    bought = frozenset(Purchase(f"t{n}", THREE[n % 2], "Shoes") for n in range(6))
    four = dict.fromkeys([*THREE, NEW], 100.0)
    scaled = Evidence(created=four, surplus=frozenset({NEW}))
    freed = Evidence(
        created=four,
        surplus=frozenset({NEW}),
        released=frozenset({THREE[0]}),
        healings={THREE[0]: healing(THREE[0], NEW, cause="released")},
    )
    crashed = Evidence(created=dict.fromkeys(THREE, 100.0), restarts={THREE[0]: 1})
    probe_later = killed(NEW, seconds=1.2, probe=QUICK)
    drills = (drill(pre_stop=False, lost=3), drill(pre_stop=True))
    mended = sale(labels={"course": "mend"}, answered_by=THREE[1])
    all_dead = killed(*THREE).evidence
    return {
        "open": sale(),
        "numbers": sale(*THREE, NEW),
        "buy": sale(evidence=Evidence(created=dict.fromkeys(THREE, 1.0), purchases=bought)),
        "kill": killed(THREE[0]),
        "probe": probe_later,
        "scale": sale(evidence=scaled),
        "labels": sale(evidence=freed),
        "crash": sale(evidence=crashed),
        "lose": sale(drills=drills),
        "mend": mended,
        "close": Facts("closed", "No sale is open here.", evidence=all_dead),
    }


def silent(facts: Facts) -> Facts:
    """The same, while the cluster does not answer."""
    return replace(facts, state="silent", why="The cluster stopped answering.")
