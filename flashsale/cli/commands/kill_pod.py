"""`flashsale kill-pod`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.cli import common_options, parsers

if TYPE_CHECKING:
    from flashsale.cli.global_options import Shared
    from flashsale.objects.models import Pod
    from flashsale.sale.kill.kill_method import KillMethod
    from flashsale.sale.observe.observations import Observation
    from flashsale.sale.observe.state import Happening, Healing
    from flashsale.sale.session import Sale


@dataclass(frozen=True, slots=True)
class KillOptions:
    """Whom to kill, and how far to follow."""

    name: str | None
    count: int
    everyone: bool
    seed: int | None
    dry_run: bool
    wait: bool
    timeout: float  # seconds


def kill_pod(
    ctx: typer.Context,
    pod: Annotated[
        str | None, typer.Argument(metavar="POD", help="This one; else a random ready one.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", metavar="N", help="So many random ready ones.")
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="All of them, at once.")] = False,
    grace: common_options.Grace = None,
    hard: common_options.Hard = False,
    process: common_options.Process = False,
    seed: common_options.Seed = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say which pods would be killed.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not follow the replacement.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to follow it.")
    ] = "120s",
) -> None:
    """Delete a pod and follow its replacement until all is whole again.

    Only pods of the sale's own ReplicaSet are ever killed.
    """
    from flashsale.cli import output
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.ui.results import healings_view

    typed = shared(ctx)
    _check(pod, count, everyone)
    patience = parsers.duration(timeout)
    number = 1 if count is None else count
    wish = KillOptions(pod, number, everyone, seed, dry_run, not no_wait, patience)
    blow = common_options.blow("kill-pod", grace, hard, process)
    healings = run(_killed(typed, wish, blow))
    if typed.json:
        output.out_json([one.as_json() for one in healings])
    elif dry_run:
        output.out("\n".join(f"{one.victim} would be killed (dry run)" for one in healings))
    elif no_wait:
        output.out("\n".join(f"{one.victim} {one.cause}" for one in healings))
    else:
        output.out(healings_view(healings))


def _check(pod: str | None, count: int | None, everyone: bool) -> None:
    """Refuse options that contradict each other, and numbers that mean nothing."""
    from flashsale.base.errors import BadInputError

    hint = "flashsale kill-pod --help"
    if (pod is not None) + (count is not None) + everyone > 1:
        raise BadInputError("POD, --count and --all each say whom to kill; give one.", hint=hint)
    if count is not None and count < 1:
        raise BadInputError(f"{count} pods cannot be killed: 1 is the least.", hint=hint)


async def _killed(typed: Shared, wish: KillOptions, blow: KillMethod) -> list[Healing]:
    import time

    from flashsale.base.text import joined
    from flashsale.cli.output import looking, note, progress
    from flashsale.sale.kill.kill import kill, kill_pods, unfollowed
    from flashsale.sale.observe.observations import Mark, PodSeen
    from flashsale.sale.session import connect_to_sale
    from flashsale.ui.results import back_off_line, happening_line

    async with connect_to_sale(typed.wanted, typed.namespace) as sale:
        pods = await _chosen(sale, wish)
        if wish.dry_run:
            return unfollowed(pods, [Mark(0.0, pod.name, blow.cause) for pod in pods])
        if blow.process and (how := await sale.cluster.crashing()):
            note(how)
        if not wish.wait:
            return unfollowed(pods, await kill_pods(sale, pods, blow, time.monotonic))
        with progress() as shown:
            shown.step(f"Killing {joined(pod.name for pod in pods)}")
            view, killed = looking(shown), {pod.uid for pod in pods}

            def tell(happening: Happening) -> None:
                line = happening_line(happening)
                if line:
                    shown.note(line)

            held_up: set[str] = set()

            def see(observation: Observation) -> None:
                if view:
                    view.see(observation)
                if isinstance(observation, PodSeen) and observation.pod.uid in killed:
                    line = back_off_line(observation.pod)
                    if line and line not in held_up:
                        held_up.add(line)
                        shown.note(line)

            return await kill(sale, pods, blow, timeout=wish.timeout, tell=tell, see=see)


async def _chosen(sale: Sale, wish: KillOptions) -> tuple[Pod, ...]:
    import random

    from flashsale.objects.models import Pod
    from flashsale.sale.kill.victims import victims

    replicaset = await sale.replicaset()
    found = [Pod.from_object(pod) for pod in await sale.pods(replicaset)]
    return victims(
        found,
        replicaset["metadata"].get("uid", ""),
        name=wish.name,
        count=wish.count,
        everyone=wish.everyone,
        rng=random.Random(wish.seed),
    )
