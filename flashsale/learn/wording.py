"""What reveals say about healings and pods: real names, real seconds. Pure."""

from __future__ import annotations

from flashsale.base.text import joined
from flashsale.learn.facts import Facts
from flashsale.sale.observe.healing import Healing
from flashsale.sale.ready.explanation import probe_words


def replaced(facts: Facts, *causes: str) -> list[Healing]:
    """The pods that died and whose replacements are ready, in the order of their deaths."""
    healings = facts.evidence.healings.values()
    whole = (healing for healing in healings if healing.ready is not None and healing.replacement)
    return sorted(
        (healing for healing in whole if not causes or healing.cause in causes),
        key=lambda healing: healing.died,
    )


def ready_after(healing: Healing) -> float:
    """Count the seconds from a death until the replacement was ready."""
    return max(0.0, healing.seconds(healing.ready) or 0.0)


def healing_sentence(facts: Facts, healing: Healing) -> str:
    """Say what replaced a pod, after how long, and what most of that was."""
    pod = next((pod for pod in facts.pods if pod.name == healing.replacement), None)
    probe = f" Most of it: waiting {probe_words(pod)}." if pod and ready_after(healing) >= 2 else ""
    took = f"{healing.replacement} was ready after {ready_after(healing):.1f} s."
    return f"{healing.victim} was {healing.cause}; {took}{probe}"


def names(pods: list[str]) -> str:
    """List pods' names; none at all as a word."""
    return joined(sorted(pods)) if pods else "none"
