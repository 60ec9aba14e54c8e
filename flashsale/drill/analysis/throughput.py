"""What scaling brought, in one or two sentences: throughput, or shorter waiting, or nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flashsale.base.text import counted, percent
from flashsale.drill.analysis.phases import PhaseFigures
from flashsale.load.results import Generator

KEPT_UP = 0.97  # share of the planned rate from which the pods count as keeping up
BUSY = 0.90  # share of the cores in use from which they count as the limit
BETTER = 1.05  # more throughput than this is a gain, less is noise


def scaling_gain(
    phases: Sequence[PhaseFigures], rate: float, generator: Generator, cores: int
) -> Iterator[str]:
    """Compare the load alone before and after scaling up, if there were both.

    Args:
        rate: planned purchases a second.
        cores: of the machine that sends, and that carries the pods, too, if the cluster is local.
    """
    by_name = {part.name: part for part in phases}
    before, after = by_name.get("before"), by_name.get("scaled")
    if before is None or after is None:
        return
    change = f"from {before.pods} to {after.pods}"
    if before.confirmed_rate is None or after.confirmed_rate is None:
        yield f"The time around the scaling was too short to compare {change}."
        return
    few, many = before.confirmed_rate, after.confirmed_rate
    if few >= KEPT_UP * rate and many >= KEPT_UP * rate:
        yield _headroom(before, after, rate)
    elif many >= BETTER * few:
        yield (
            f"Scaling {change} raised throughput from {few:,.0f} to"
            f" {many:,.0f} a second: {many / few:.2f} times as much with"
            f" {after.pods / before.pods:.2f} times as many pods."
        )
        if many < KEPT_UP * rate:
            yield from _limit(after, generator, cores)
    else:
        yield (
            f"Scaling {change} brought no throughput: {few:,.0f} a second before,"
            f" {many:,.0f} after, of {rate:,.0f} asked for."
        )
        yield from _limit(after, generator, cores)


def _headroom(before: PhaseFigures, after: PhaseFigures, rate: float) -> str:
    waiting = ""
    if None not in (before.p99_ms, after.p99_ms):
        waiting = f"; p99 went from {before.p99_ms:.1f} to {after.p99_ms:.1f} ms"
    return (
        f"{counted(before.pods, 'pod')} kept up with {rate:g} purchases a second, and so did"
        f" {after.pods}{waiting}. A higher --rate shows what more pods can carry."
    )


def _limit(phase: PhaseFigures, generator: Generator, cores: int) -> Iterator[str]:
    """Say what stood in the way, if it is known."""
    if generator.busy >= BUSY:
        yield (
            f"The limit was the sending process, {percent(generator.busy)} of a core busy: these"
            " figures are not the sale's."
        )
    elif phase.cpu is not None and phase.cpu >= BUSY:
        yield (
            f"The limit was this machine: its {cores} cores were {percent(phase.cpu)} busy, with"
            " buyers, cluster and pods all on them. More pods share them, and add none."
        )
