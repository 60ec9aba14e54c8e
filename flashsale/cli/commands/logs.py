"""`flashsale logs`."""

from __future__ import annotations

import sys
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.ranges import check_range
from flashsale.base.text import printable
from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import out_json
from flashsale.ui.console import colourful

if TYPE_CHECKING:
    from collections.abc import Callable

    from flashsale.sale.logs import Line


def logs(
    ctx: typer.Context,
    pod: Annotated[
        str | None,
        typer.Argument(metavar="POD", help="Name of a pod, or its last part.  [default: all pods]"),
    ] = None,
    container: Annotated[
        str,
        typer.Option(
            "--container", "-c", metavar="NAME", help="Of this container only.  [default: all]"
        ),
    ] = "",
    follow: Annotated[
        bool,
        typer.Option("--follow", "-f", help="Go on printing lines as they come; Ctrl-C ends it."),
    ] = False,
    tail: Annotated[
        int | None,
        typer.Option(
            "--tail", metavar="N", help="Print the last N lines of each pod.  [default: all]"
        ),
    ] = None,
) -> None:
    """Print what the pods log, each line tagged with its pod."""
    typed = shared(ctx)
    check_range("--tail", tail, 0, hint="flashsale logs --tail 10")
    run(_print_logs(typed, pod, follow, tail, container))


async def _print_logs(
    typed: Shared, pod: str | None, follow: bool, tail: int | None, container: str
) -> None:
    from flashsale.sale import logs as reading

    show = _printer(typed.json)
    async with typed.sale() as sale:
        if not follow:
            for line in await reading.read_logs(sale, pod, tail, container):
                show(line)
            return
        async with aclosing(reading.follow_logs(sale, pod, tail, container)) as lines:
            async for line in lines:
                show(line)


def _printer(json: bool) -> Callable[[Line], None]:
    from flashsale.ui.colours import POD_COLOURS, paint

    colours: dict[str, str] | None = {} if colourful(sys.stdout) else None

    def show(line: Line) -> None:
        if json:
            more = {"container": line.container} if line.container else {}
            out_json({"pod": line.pod, **more, "line": line.text}, line=True)
            return
        tag = line.source
        if colours is not None:
            colour = POD_COLOURS[len(colours) % len(POD_COLOURS)]
            tag = paint(tag, colours.setdefault(line.pod, colour))
        sys.stdout.write(f"{tag} {printable(line.text, most=None)}\n")
        sys.stdout.flush()

    return show
