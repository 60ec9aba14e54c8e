"""`flashsale watch`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

    from flashsale.cli.shared import Shared
    from flashsale.exercise.observing import Observation
    from flashsale.exercise.sale import Sale
    from flashsale.exercise.story import Happening
    from flashsale.ui.board import Board
    from flashsale.ui.watching import Action, Answer


def watch(
    ctx: typer.Context,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="TIME", help="End after this time, as 30s.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print what is there now, and end.")] = False,
) -> None:
    """Watch the pods live: who dies, who replaces it, and how long that takes.

    On a terminal: q ends it, k kills a random ready pod, + and - scale. Elsewhere, and with
    -o json, each change is a line.
    """
    from flashsale.cli.running import run
    from flashsale.cli.shared import shared
    from flashsale.cli.values import duration as seconds

    typed = shared(ctx)
    run(_watched(typed, seconds(duration) if duration else None, once))


async def _watched(typed: Shared, duration: float | None, once: bool) -> None:
    from contextlib import aclosing

    from flashsale.exercise.following import follow
    from flashsale.exercise.sale import find
    from flashsale.exercise.showing import way_in
    from flashsale.ui.board import Board, Place

    async with find(typed.wanted, typed.namespace) as sale:
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

    from flashsale.clusters.home import state_home
    from flashsale.ui import watching
    from flashsale.ui.buyers import Buyers
    from flashsale.ui.live import Screen
    from flashsale.ui.terminals import moving
    from flashsale.ui.watchlines import last_lines

    if typed.json:
        last = await watching.told(observations, board, _json, duration=duration, once=once)
        _print_json(last_lines(last, time.time()))
    elif once:
        watching.snapshot(await watching.told(observations, board, _quiet, once=True))
    elif moving(sys.stdout):
        screen, buyers = Screen(sys.stdout), Buyers(state_home())
        show = watching.Show(observations, board, screen, _actions(sale), buyers=buyers)
        await show.run(duration)
    else:
        await watching.told(observations, board, _plain, duration=duration)


def _print_json(lines: Iterable[dict[str, Any]]) -> None:
    from flashsale.cli.output import out_json

    for line in lines:
        out_json(line, line=True)


def _json(
    before: Board, after: Board, seen: Observation, said: Sequence[Happening], wall: float
) -> None:
    from flashsale.ui.watchlines import json_lines

    _print_json(json_lines(before, after, seen, said, wall))


def _plain(
    before: Board, after: Board, seen: Observation, said: Sequence[Happening], wall: float
) -> None:
    import sys

    from flashsale.ui.watchlines import plain_lines

    for line in plain_lines(before, after, seen, said, wall):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _quiet(
    before: Board, after: Board, seen: Observation, said: Sequence[Happening], wall: float
) -> None:
    """Say nothing yet."""


def _actions(sale: Sale) -> Mapping[str, Action]:
    """What the keys do."""

    async def kill(board: Board) -> Answer:
        import random
        import time

        from flashsale.exercise.killing import Blow, strike
        from flashsale.exercise.victims import victims

        pods = [one.pod for one in board.state.pods.values()]
        owner = board.state.replicaset.uid if board.state.replicaset else ""
        chosen = victims(pods, owner, rng=random.Random())
        return f"{chosen[0].name} killed", await strike(sale, chosen, Blow(), time.monotonic)

    def scaling(by: int) -> Action:
        async def scale(board: Board) -> Answer:
            from flashsale.cli.values import replica_count

            wanted = replica_count(str((board.state.desired or 0) + by))
            await sale.api.scale(sale.replicaset_path, wanted)
            return f"scaled to {wanted}", ()

        return scale

    return {"k": kill, "+": scaling(1), "=": scaling(1), "-": scaling(-1)}
