"""What this machine can send, how much of it a run takes, and the words for what it could not."""

from __future__ import annotations

import os
from collections import Counter
from math import ceil

from flashsale.base.text import counted
from flashsale.load.results import Figures

NEW_A_WORKER = 3000  # purchases a second that one process surely sends on new connections
KEPT_A_WORKER = 10_000  # and on kept ones: two thirds of what a slow core was measured to do
FULL = 0.7  # of a core: a process that is busier starts purchases late, however well it does
WAITING = 0.1  # of the time without a core: others had it
WORST_LAG_MS = 10.0  # 99th percentile above which the schedule was not kept


def workers_for(rate: float, *, keepalive: bool, cores: int | None = None) -> int:
    """Say how many processes a rate needs; one core is left to everything else."""
    spare = max(1, (cores or os.cpu_count() or 1) - 1)
    return min(spare, workers_in_cluster(rate, keepalive=keepalive))


def workers_in_cluster(rate: float, *, keepalive: bool) -> int:
    """Say how many workers a rate needs where cores are no limit."""
    return ceil(rate / (KEPT_A_WORKER if keepalive else NEW_A_WORKER))


def own_limits(figures: Figures) -> list[str]:
    """Say in sentences what the senders could not do; none when they kept up."""
    in_cluster = any(worker.node for worker in figures.workers)
    unsent, reasons = figures.generator.unsent, _UNSENT | (_UNSENT_BY_PODS if in_cluster else {})
    limits = [_unsent(unsent[limit]) + why for limit, why in reasons.items() if limit in unsent]
    lag = figures.generator.lag_ms.p99
    if lag > WORST_LAG_MS:
        full = figures.generator.busy >= FULL
        who = "the workers, not the sale, set" if in_cluster else "this machine, not the sale, sets"
        mend = "more --workers or " if in_cluster and full else ""
        limits += [
            f"One start in a hundred came over {lag:.0f} ms late: {who} the pace, and its"
            f" latencies contain that wait. Take {mend}a lower --rate.",
            _top_rate(figures) if full else _others(figures),
        ]
    return limits


def _top_rate(figures: Figures) -> str:
    """Say from which rate on the figures are the senders' own."""
    kept = FULL * figures.sent / figures.seconds / figures.generator.busy
    return f"From about {kept:,.0f} purchases a second on, these figures are the machine's."


def _others(figures: Figures) -> str:
    """Say that others kept the senders' cores: more senders would not help."""
    busy, waiting = figures.generator.busy, figures.generator.waiting
    wait = f" and stood waiting for one {waiting:.0%} of the time" if waiting >= WAITING else ""
    return (
        f"Sending took {busy:.0%} of a core at most{wait}, so other processes kept the cores busy:"
        f" {_neighbours(figures)}."
    )


def _neighbours(figures: Figures) -> str:
    """Name who can have kept the cores."""
    nodes = Counter(worker.node for worker in figures.workers if worker.node)
    if not nodes:
        return "the sale's own pods, where they share this machine"
    node, most = nodes.most_common(1)[0]
    if most * figures.generator.busy < FULL:
        return "the sale's own pods, where they share a worker's node"
    return f"{most} workers share the node {node}, and the sale's own pods may be there too"


def _unsent(count: int) -> str:
    return f"{counted(count, 'purchase')} {'was' if count == 1 else 'were'} not sent: "


_UNSENT = {
    "ports": "this machine ran out of ephemeral ports. Take a lower --rate or --keepalive.",
    "files": "this process may open no more connections. "
    "Raise the limit with `ulimit -n 65536`, or take a lower --rate.",
    "memory": "the kernel had no memory for more connections. Take a lower --rate.",
    "worker": "a worker ended before its part was done, or what became of them is known to nobody.",
    "behind": "this machine was over a second behind the schedule. Take a lower --rate.",
}
_UNSENT_BY_PODS = {
    "ports": "a worker's pod ran out of ephemeral ports. Take more --workers or --keepalive.",
    "files": "a worker may open no more connections. Take more --workers or a lower --rate.",
    "behind": "workers were over a second behind the schedule. Take a lower --rate, or more nodes.",
}
