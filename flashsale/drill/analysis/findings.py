"""A drill in sentences: three sentences that sum it up, and one a finding. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from flashsale.base.text import counted, joined, percent, plain_number, seconds
from flashsale.drill.analysis.attribution import LAG, is_doubtful
from flashsale.drill.analysis.fairness import Fairness
from flashsale.drill.analysis.throughput import KEPT_UP, scaling_gain
from flashsale.drill.analysis.verdict import Analysis, HealingTimes
from flashsale.drill.result import DrillResult
from flashsale.load.machine_limits import own_limits
from flashsale.load.results import Figures

CHOSEN = 0.99  # share of confirmed purchases from which pods' shares are the Service's choice
MOST_COSTS = 6  # named one by one
ALIKE = 1.1  # times the median that the slowest healing may take to share its figure


def summarize(result: DrillResult, analysis: Analysis) -> list[str]:
    """Say in three sentences what was done, what came of it, and why."""
    return [_deeds(result), _effects(result, analysis), _why(result, analysis)]


def list_findings(result: DrillResult, analysis: Analysis) -> list[str]:
    """Say everything that was found, one sentence or two each."""
    figures = result.report.figures
    skipped = [f"Kill {skip.number} was skipped: {skip.reason}." for skip in result.skipped]
    if not figures.sent:
        return skipped
    fair = analysis.fairness
    return [
        *skipped,
        *_rejections(figures),
        *_overload(result, analysis),
        *_losses(result, analysis),
        *_lesson(result, analysis),
        *_healings(result, analysis.healing),
        *scaling_gain(
            analysis.phases, result.scenario.rate, figures.generator, result.environment.cores
        ),
        fair.shares.text + _stable(fair) + _served(fair, figures),
        *own_limits(figures),
    ]


def _deeds(result: DrillResult) -> str:
    scenario, rate = result.scenario, plain_number(result.scenario.rate)
    load = f"{rate} purchases a second for {seconds(result.sending_seconds)}"
    deeds = []
    if result.scalings:
        first = result.scalings[0]
        deeds.append(f"scaled from {first.before} to {counted(first.after, 'pod')}")
    if result.kills:
        deeds.append(f"killed {counted(len(result.kills), 'pod')}")
    if result.node_deaths:
        deeds.append(f"killed {counted(len(result.node_deaths), 'node')}")
    how = f". Each kill {scenario.kill_description}" if result.kills else ""
    return f"{load}, while the drill {joined(deeds)}{how}." if deeds else f"{load}, and no kill."


def _effects(result: DrillResult, analysis: Analysis) -> str:
    figures = result.report.figures
    lost = f"{figures.lost:,} of {counted(figures.sent, 'purchase')}" if figures.lost else "No"
    was = "were" if figures.lost > 1 else "was"
    noun = "" if figures.lost else " purchase"
    rejected = f", {figures.rejected:,} rejected" if figures.rejected else ""
    healed = f"; {_healed(result, analysis.healing)}" if analysis.healing else ""
    return f"{lost}{noun} {was} lost{rejected}{healed}."


def _why(result: DrillResult, analysis: Analysis) -> str:
    figures, method = result.report.figures, result.scenario.kill_method
    if analysis.verdict == "inconclusive":
        return analysis.reason
    if not figures.lost:
        if result.kills and result.environment.has_pre_stop and method.graceful:
            return (
                "A deleted pod went on selling until no buyer was sent to it any more: its preStop"
                " hook waits for that."
            )
        return "Every purchase got its answer."
    causes = "; ".join(_loss_counts(result, analysis))
    return f"{causes}{_mechanism(result, analysis)}"


def _mechanism(result: DrillResult, analysis: Analysis) -> str:
    """Say why the kills cost what they did, if they cost anything."""
    method, deaths = result.scenario.kill_method, {death.cause for death in result.node_deaths}
    attributed = [(each.loss, each.cause) for each in analysis.attributions if each.cause]
    kills = [(loss, cause) for loss, cause in attributed if cause.kind == "kill"]
    costs = [loss for loss, cause in kills if cause.name not in deaths]
    if not costs and any(cause.name in deaths for _, cause in attributed):
        return "; until a node is not ready, buyers are sent to its pods and get no answer."
    if not costs:
        return "."
    if method.process:
        return "; buyers are sent to a dead process until the kubelet notices it."
    if method.grace == 0:
        return "; without a grace period a pod drops the purchases it has."
    if not result.environment.has_pre_stop:
        return "; without a preStop hook pods stop while buyers are still sent to them."
    wait = max(cause.ended_seconds - cause.at_seconds for cause in costs)
    if wait > LAG:  # it was sent long before its pod stopped: nobody is sent there by mistake
        return (
            f"; buyers waited up to {seconds(wait)} in a pod's queue, longer than its preStop hook"
            " does. Take a lower --rate or a longer sleep."
        )
    return "."


def _rejections(figures: Figures) -> Iterator[str]:
    if figures.rejected:
        named = ", ".join(f"{count:,} {name}" for name, count in figures.rejections.items())
        reasons = f": {named}" if named else ""
        were = "was" if figures.rejected == 1 else "were"
        yield f"{counted(figures.rejected, 'purchase')} {were} rejected{reasons}."


def _overload(result: DrillResult, analysis: Analysis) -> Iterator[str]:
    """Say so when the sale could not keep up before anything was done to it."""
    before = next((part for part in analysis.phases if part.name == "before"), None)
    rate = result.scenario.rate
    if not result.report.figures.confirmed:
        return  # that is more than overloaded
    if before and before.confirmed_rate is not None and before.confirmed_rate < KEPT_UP * rate:
        yield (
            f"The sale was overloaded before anything was done to it: it confirmed"
            f" {before.confirmed_rate:,.0f} of {rate:,.0f} purchases a second, so losses say"
            " little about kills. Take a lower --rate."
        )


def _losses(result: DrillResult, analysis: Analysis) -> Iterator[str]:
    if not result.report.figures.lost:
        yield "Every purchase got its answer."
        return
    for text in _loss_counts(result, analysis):
        yield f"{text}."
    if analysis.blames_pods:
        yield f"Pods were dying, leaving or new for {percent(analysis.covered)} of the run."
    if more := result.report.losses_unlisted:
        yield f"{more:,} more losses were counted, but not kept one by one."
    if is_doubtful(analysis.attributions, analysis.covered):
        yield (
            "Losses were almost as frequent when no pod came or went: the kills are not the only"
            " reason."
        )


def _loss_counts(result: DrillResult, analysis: Analysis) -> Iterator[str]:
    """Say how many losses have which cause, as beginnings of sentences."""
    lost = result.report.figures.lost
    if analysis.explained:
        yield f"{_part(analysis.explained, lost)} explained: {_costs(analysis.costs)}"
    if analysis.baseline:
        yield (
            f"{_part(analysis.baseline, lost)} in the baseline: the sale loses about as many when"
            " nothing is done to it"
        )
    if analysis.unexplained:
        yield f"{_part(analysis.unexplained, lost)} unexplained: no pod came or went then"


def _lesson(result: DrillResult, analysis: Analysis) -> Iterator[str]:
    """Name the cure where pods that have a grace period cost purchases all the same."""
    if result.environment.has_pre_stop or not result.scenario.kill_method.graceful:
        return
    if analysis.blames_pods:
        yield (
            "The pods have no preStop hook: they stop while some buyers are still sent to them."
            " The sleep in `flashsale manifest` waits until nobody is."
        )


def _part(count: int, lost: int) -> str:
    """Begin a sentence about some of the losses: `1 of 4 losses is`, `All 4 losses are`."""
    if count == lost:
        return "The only loss is" if lost == 1 else f"All {lost:,} losses are"
    return f"{count:,} of {lost:,} losses {'is' if count == 1 else 'are'}"


def _costs(costs: Counter[str]) -> str:
    """Write the largest costs with their causes, and how many others there are."""
    ranked = costs.most_common()
    named = [f"{name} cost {count:,}" for name, count in ranked[:MOST_COSTS]]
    rest = sum(count for _, count in ranked[MOST_COSTS:])
    return ", ".join([*named, f"{len(ranked) - MOST_COSTS} others {rest:,}"] if rest else named)


def _healings(result: DrillResult, healing: HealingTimes | None) -> Iterator[str]:
    if healing:
        yield f"{_healed(result, healing)}."
    missing = sum(healed.ready is None for healed in result.healings)
    if missing:
        yield f"{counted(missing, 'pod')} had no ready replacement when the drill ended."
    on_dead = {uid for death in result.node_deaths for _, uid in death.pods}
    others = [healed for healed in result.healings if healed.victim_uid not in on_dead]
    accidents = sum(result.kill_of(healed) is None for healed in others)
    if accidents:
        yield f"{counted(accidents, 'pod')} died without being killed by this drill."


def _healed(result: DrillResult, healing: HealingTimes | None) -> str:
    """Say how long healing took: `3 pods were replaced, each in about 5.0 s`."""
    if healing is None:
        return ""
    restarted = all(healed.in_place for healed in result.healings)
    noun, verb = ("container", "restarted") if restarted else ("pod", "replaced")
    if healing.count == 1:
        return f"1 {noun} was {verb} in {seconds(healing.worst)}"
    many = f"{counted(healing.count, noun)} were {verb}"
    if healing.worst <= ALIKE * healing.median:
        return f"{many}, each in about {seconds(healing.median)}"
    return f"{many}, half of them within {seconds(healing.median)}, all in {seconds(healing.worst)}"


def _stable(fair: Fairness) -> str:
    if fair.shares.chance is None:
        return ""
    return f" (Judged over the {counted(fair.seconds, 'second')} in which no pod came or went.)"


def _served(fair: Fairness, figures: Figures) -> str:
    """Say what shares of a sale that fails many buyers are worth."""
    if fair.shares.verdict != "uneven" or figures.confirmed > CHOSEN * figures.sent:
        return ""
    return (
        " Only confirmed purchases count: a pod that is chosen as often as the others, and fails"
        " more buyers, has a smaller share."
    )
