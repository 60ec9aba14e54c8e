"""Why 5 s: edit the readiness probe, and heal in under 3 s."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flashsale.learn.facts import Facts
from flashsale.learn.step import Check, Prediction, Seen, Step
from flashsale.learn.wording import ready_after, replaced
from flashsale.sale.observe.healing import Healing

QUICK = 3.0  # seconds


def probe_is_quick(facts: Facts) -> Seen:
    """New pods may be ready within the time: what their probe waits for is shorter."""
    if facts.replicaset is None:
        return Seen(False, facts.why)
    probe = facts.container.get("readinessProbe")
    if not probe:
        return Seen(False, "the pods have no readiness probe")
    delay, period = _times(probe)
    return Seen(delay + period < QUICK, f"it begins after {delay} s and runs every {period} s")


def _times(probe: Mapping[str, Any]) -> tuple[float, float]:
    return probe.get("initialDelaySeconds", 0), probe.get("periodSeconds", 10)


def after_the_change(facts: Facts) -> list[Healing]:
    """Healings of pods that came up after the step had begun.

    The others may have been replaced by `up`, unless it had nothing to replace: then some pod of
    those that were there has the quick probe itself.
    """
    was_quick = any(
        pod.name in facts.before.pods and _is_quick(pod.app_container) for pod in facts.own
    )
    healings = replaced(facts, "deleted")
    return [healing for healing in healings if was_quick or healing.victim not in facts.before.pods]


def quick(facts: Facts) -> list[Healing]:
    """Those within the time."""
    return [healing for healing in after_the_change(facts) if ready_after(healing) < QUICK]


def _is_quick(container: Mapping[str, Any]) -> bool:
    probe = container.get("readinessProbe")
    return probe is not None and sum(_times(probe)) < QUICK


def healed_quickly(facts: Facts) -> Seen:
    if not probe_is_quick(facts).holds:
        return Seen(False, "the probe is as slow as before")
    quick_ones = quick(facts)
    if not quick_ones and (slow := after_the_change(facts)):
        healing = slow[-1]
        took = (
            f"{healing.replacement} was ready after {ready_after(healing):.1f} s; kill another pod"
        )
        return Seen(False, took)
    if not quick_ones:
        return Seen(False, "no pod has died and been replaced in under 3 s yet")
    return Seen(
        facts.whole,
        f"{quick_ones[-1].replacement} was ready after {ready_after(quick_ones[-1]):.1f} s",
    )


def reveal(facts: Facts) -> Sequence[str]:
    healing = quick(facts)[-1]
    took = f"{ready_after(healing):.1f} s"
    return [
        f"{healing.victim} was deleted; {healing.replacement} was ready after {took}.",
        f"The readiness probe asks GET /health. Now {probe_is_quick(facts).text}.",
        "Before, it began after 3 s and ran every 5 s: a pod that was able to sell after a second"
        " still waited to be asked. The price of a quick probe is more requests.",
        "`up` replaced the old pods: a ReplicaSet never changes pods that run.",
        facts.quote("Started", healing.replacement or ""),
    ]


STEP = Step(
    name="probe",
    title="Why 5 seconds?",
    goal=(
        "The new pod existed at once, yet it was ready only after about 5 seconds. A pod\n"
        "gets buyers when its readiness probe succeeds: Kubernetes asks the shop\n"
        "GET /health, and when to ask is written in your manifest. Heal in under 3 s."
    ),
    prediction=Prediction(
        "What took most of the 5 seconds?",
        (
            "finding a node for the pod",
            "starting the program",
            "waiting until the probe asked the program",
        ),
        3,
    ),
    task=(
        "In {manifest}, under readinessProbe, write"
        " initialDelaySeconds: 0 and periodSeconds: 1. Apply it, then kill a pod:",
        "$ flashsale up {folder}",
        "$ flashsale kill-pod",
    ),
    checks=(
        Check("The readiness probe needs less than 3 s", probe_is_quick),
        Check("After that a pod was replaced in under 3 s", healed_quickly),
    ),
    hints=(
        "There are two probes in the file. The one that counts is readinessProbe.",
        "Set initialDelaySeconds to 0 and periodSeconds to 1 there, then `flashsale up`.",
    ),
    commands=(
        "[ -d {folder} ] || flashsale init {folder}",
        "sed -i.bak 's/initialDelaySeconds: 3/initialDelaySeconds: 0/;"
        " s/periodSeconds: 5/periodSeconds: 1/' {manifest}",
        "flashsale up {folder}",
        "flashsale kill-pod",
    ),
    reveal=reveal,
)
