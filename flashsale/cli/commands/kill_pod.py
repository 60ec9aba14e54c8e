"""`flashsale kill-pod`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import BadInputError
from flashsale.base.ranges import check_range
from flashsale.base.text import joined
from flashsale.cli import output
from flashsale.cli.event_loop import run
from flashsale.cli.options import common_options, parsers
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import looking, note, progress

if TYPE_CHECKING:
    from flashsale.objects.models import Pod
    from flashsale.sale.kill.kill_method import KillMethod
    from flashsale.sale.observe.healing import Healing
    from flashsale.sale.session import Sale


@dataclass(frozen=True, slots=True)
class KillOptions:
    """Which pods to kill, and how far to follow."""

    name: str | None
    count: int
    everyone: bool
    node: str | None
    seed: int | None
    dry_run: bool
    wait: bool
    timeout: float  # seconds


def kill_pod(
    ctx: typer.Context,
    pod: Annotated[
        str | None,
        typer.Argument(
            metavar="POD", help="Name of the pod, or its last part.  [default: a random ready pod]"
        ),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", help="Kill N random ready pods.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="Kill all pods at once.")] = False,
    node: Annotated[
        str | None, typer.Option("--node", metavar="NODE", help="Kill all pods of that node.")
    ] = None,
    grace: common_options.Grace = None,
    hard: common_options.Hard = False,
    process: common_options.Process = False,
    seed: common_options.Seed = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print which pods would be killed.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait for the replacement.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait for the replacement.")
    ] = "120s",
) -> None:
    """Delete a pod and follow its replacement until all pods are ready again.

    Only pods of the sale's own ReplicaSet are ever killed.
    """
    from flashsale.ui.command_results import healings_view

    typed = shared(ctx)
    _refuse_contradictions(pod, count, everyone, node)
    patience = parsers.parse_duration(timeout, "--timeout")
    number = 1 if count is None else count
    options = KillOptions(pod, number, everyone, node, seed, dry_run, not no_wait, patience)
    method = common_options.read_kill_method("kill-pod", grace=grace, hard=hard, process=process)
    healings = run(_kill(typed, options, method))
    if typed.json:
        output.out_json([healing.as_json() for healing in healings])
    elif dry_run:
        output.out("\n".join(f"{healing.victim} would be killed (dry run)" for healing in healings))
    elif no_wait:
        output.out("\n".join(f"{healing.victim} {healing.cause}" for healing in healings))
    else:
        output.out(healings_view(healings))


def _refuse_contradictions(
    pod: str | None, count: int | None, everyone: bool, node: str | None
) -> None:
    """Refuse options that contradict each other, and numbers that mean nothing."""
    hint = "flashsale kill-pod --help"
    if (pod is not None) + (count is not None) + everyone + (node is not None) > 1:
        raise BadInputError("Give only one of POD, --count, --all, --node.", hint=hint)
    check_range("--count", count, 1, hint=hint)


async def _kill(typed: Shared, options: KillOptions, method: KillMethod) -> list[Healing]:
    from flashsale.sale.kill.kill import kill, kill_pods, unfollowed_healings
    from flashsale.sale.observe.monitor import SaleMonitor
    from flashsale.ui.command_results import KillNotes

    async with typed.sale() as sale:
        pods = await _choose_pods(sale, options)
        if options.dry_run:
            return unfollowed_healings(pods, method.cause)
        if method.process and (how := await sale.cluster.crashing()):
            note(how)
        if not options.wait:
            await kill_pods(sale, pods, method)
            return unfollowed_healings(pods, method.cause)
        with progress() as shown:
            shown.step(f"Killing {joined(pod.name for pod in pods)}")
            notes = KillNotes(shown.note, {pod.uid for pod in pods})
            async with SaleMonitor.of(sale, notes.see, *looking(shown)) as monitor:
                return await kill(monitor, pods, method, timeout=options.timeout)


async def _choose_pods(sale: Sale, options: KillOptions) -> tuple[Pod, ...]:
    import random

    from flashsale.sale.kill.victims import choose_victims

    replicaset = await sale.replicaset()
    return choose_victims(
        await sale.pods(replicaset),
        replicaset["metadata"].get("uid", ""),
        name=options.name,
        count=options.count,
        everyone=options.everyone,
        node=options.node,
        rng=random.Random(options.seed),
    )
