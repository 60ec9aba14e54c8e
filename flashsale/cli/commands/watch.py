"""`flashsale watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from flashsale.cli.global_options import Shared
    from flashsale.sale.observe.observations import Observation
    from flashsale.sale.observe.state import Happening
    from flashsale.sale.session import Sale
    from flashsale.ui.watch.key_queue import Answer, KeyAction
    from flashsale.ui.watch.view_model import Board


def watch(
    ctx: typer.Context,
    duration: Annotated[
        str | None,
        typer.Option(
            "--for", metavar="TIME", help="End after this time.  [default: with q or Ctrl-C]"
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the state once.")] = False,
) -> None:
    """Watch the pods live: which one dies, what replaces it, and how long that takes.

    On a terminal: q ends it, k kills a random ready pod, + and - scale. Elsewhere, and with
    -o json, each change is a line.
    """
    from flashsale.cli.event_loop import run
    from flashsale.cli.global_options import shared
    from flashsale.cli.parsers import duration as seconds

    typed = shared(ctx)
    run(_watched(typed, seconds(duration) if duration else None, once))


async def _watched(typed: Shared, duration: float | None, once: bool) -> None:
    from contextlib import aclosing

    from flashsale.sale.observe.stream import follow
    from flashsale.sale.session import connect_to_sale
    from flashsale.sale.status import way_in
    from flashsale.ui.watch.view_model import Board, Place

    async with connect_to_sale(typed.wanted, typed.namespace) as sale:
        await sale.replicaset()  # it is really there
        async with way_in(sale, hold=not (once or typed.json)) as url:
            board = Board(Place(sale.cluster.context, sale.namespace, url))
            seen = follow(sale.api, sale.namespace, sale.name, sale.service_name)
            async with aclosing(seen) as observations:
                await _shown(typed, sale, board, observations, duration, once)


async def _shown(
    typed: Shared,
    sale: Sale,
    board: Board,
    observations: AsyncIterator[Observation],
    duration: float | None,
    once: bool,
) -> None:
    """Choose the form: JSON lines, one picture, a screen, or plain lines."""
    import sys
    import time

    from flashsale.clusters.state.directory import state_home
    from flashsale.ui.console import moving
    from flashsale.ui.watch import session
    from flashsale.ui.watch.load_status import Buyers
    from flashsale.ui.watch.plain_output import last_lines
    from flashsale.ui.watch.screen import Screen

    if typed.json:
        last = await session.told(observations, board, _json, duration=duration, once=once)
        _print_json(last_lines(last, time.time()))
    elif once:
        session.snapshot(await session.told(observations, board, _quiet, once=True))
    elif moving(sys.stdout):
        screen, buyers = Screen(sys.stdout), Buyers(state_home())
        show = session.WatchSession(observations, board, screen, _actions(sale), buyers=buyers)
        try:
            await show.run(duration)
        finally:
            session.farewell(show.board)
    else:
        await session.told(observations, board, _plain, duration=duration)


def _print_json(lines: Iterable[dict[str, Any]]) -> None:
    from flashsale.cli.output import out_json

    for line in lines:
        out_json(line, line=True)


def _json(
    before: Board, after: Board, seen: Observation, said: Sequence[Happening], wall: float
) -> None:
    from flashsale.ui.watch.plain_output import json_lines

    _print_json(json_lines(before, after, seen, said, wall))


def _plain(
    before: Board, after: Board, seen: Observation, said: Sequence[Happening], wall: float
) -> None:
    import sys

    from flashsale.ui.watch.plain_output import plain_lines

    for line in plain_lines(before, after, seen, said, wall):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _quiet(
    before: Board, after: Board, seen: Observation, said: Sequence[Happening], wall: float
) -> None:
    """Say nothing yet."""


def _actions(sale: Sale) -> Mapping[str, KeyAction]:
    """What the keys do."""
    from flashsale.ui.watch.key_queue import KeyAction

    async def kill(board: Board, count: int) -> Answer:
        return await _struck(sale, board, count)

    async def scale(board: Board, by: int) -> Answer:
        return await _scaled(sale, board, by)

    more, fewer = KeyAction(scale, 1), KeyAction(scale, -1)
    return {"k": KeyAction(kill), "+": more, "=": more, "-": fewer}


async def _struck(sale: Sale, board: Board, count: int) -> Answer:
    """Kill so many random ready pods, or as many as there are; never one that is killed already."""
    import random
    import time

    from flashsale.sale.kill.kill import kill_pods
    from flashsale.sale.kill.kill_method import KillMethod
    from flashsale.sale.kill.victims import victims

    owner = board.state.replicaset.uid if board.state.replicaset else ""
    pods = [
        one.pod
        for one in board.state.pods.values()
        if board.state.active(one) and one.pod.ready and one.pod.name not in board.state.marks
    ]
    number = max(1, min(count, len(pods)))
    chosen = victims(pods, owner, count=number, rng=random.Random())
    marks = await kill_pods(sale, chosen, KillMethod(), time.monotonic)
    return f"{chosen[0].name if number == 1 else f'{number} pods'} killed", marks


async def _scaled(sale: Sale, board: Board, by: int) -> Answer:
    """Scale up or down, as far as that goes; the board knows at once, not with the next news."""
    import time
    from dataclasses import replace

    from flashsale.cli.parsers import MOST_REPLICAS, replica_count
    from flashsale.sale.observe.observations import ReplicaSetSeen, version_of

    found, desired = board.state.replicaset, board.state.desired or 0
    wanted = min(max(desired + by, 0), MOST_REPLICAS)
    if wanted == desired:
        replica_count(str(desired + by))  # raises, and says why
    answer = await sale.api.scale(sale.replicaset_path, wanted)
    known = found and ReplicaSetSeen(
        time.monotonic(), replace(found, desired=wanted), version_of(answer)
    )
    return f"scaled to {wanted}", [known] if known else []
