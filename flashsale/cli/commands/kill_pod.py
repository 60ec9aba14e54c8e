"""`flashsale kill-pod`."""

from __future__ import annotations

from functools import partial
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
    from collections.abc import Callable, Sequence

    from flashsale.objects.models import Pod
    from flashsale.sale.kill.kill_method import KillMethod
    from flashsale.sale.observe.healing import Healing


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
    from random import Random

    from flashsale.sale.kill.victims import choose_victims
    from flashsale.ui.command_results import healings_view

    typed = shared(ctx)
    _refuse_contradictions(pod, count, everyone, node)
    patience = parsers.parse_duration(timeout, "--timeout")
    method = common_options.read_kill_method("kill-pod", grace=grace, hard=hard, process=process)
    choose = partial(
        choose_victims, name=pod, count=count or 1, everyone=everyone, node=node, rng=Random(seed)
    )
    healings = run(
        _kill(typed, choose, method, dry_run=dry_run, wait=not no_wait, timeout=patience)
    )
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


async def _kill(
    typed: Shared,
    choose: Callable[[Sequence[Pod], str], Sequence[Pod]],
    method: KillMethod,
    *,
    dry_run: bool,
    wait: bool,
    timeout: float,
) -> list[Healing]:
    from flashsale.sale.kill.kill import kill, kill_pods, unfollowed_healings
    from flashsale.sale.observe.monitor import SaleMonitor
    from flashsale.ui.command_results import KillNotes

    async with typed.sale() as sale:
        replicaset = await sale.replicaset()
        pods = choose(await sale.pods(replicaset), replicaset["metadata"].get("uid", ""))
        if dry_run:
            return unfollowed_healings(pods, method.cause)
        if method.process and (how := await sale.cluster.crashing()):
            note(how)
        if not wait:
            await kill_pods(sale, pods, method)
            return unfollowed_healings(pods, method.cause)
        with progress() as shown:
            shown.step(f"Killing {joined(pod.name for pod in pods)}")
            notes = KillNotes(shown.note, {pod.uid for pod in pods})
            async with SaleMonitor.of(sale, notes.see, *looking(shown)) as monitor:
                return await kill(monitor, pods, method, timeout=timeout)
