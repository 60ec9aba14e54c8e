"""`flashsale up`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.cli import values

if TYPE_CHECKING:
    from flashsale.cli.shared import Shared
    from flashsale.clusters.base import Progress
    from flashsale.exercise.opening import Opened, Order


def up(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="Folder with your own app.py, Dockerfile and flashsale-replicaset.yaml, or some.",
        ),
    ] = None,
    replicas: Annotated[
        str | None, typer.Option("--replicas", metavar="N", help="How many pods to keep.")
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="FILE", help="Another manifest than DIR's or ours."),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option("--image", metavar="NAME:TAG", help="Call the image so, and run that one."),
    ] = None,
    push: Annotated[
        str,
        typer.Option("--push", metavar="REPOSITORY", help="Push the image there and run it."),
    ] = "",
    build_arg: Annotated[
        list[str] | None,
        typer.Option("--build-arg", metavar="K=V", help="Build argument; may be repeated."),
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build the image even if nothing changed.")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait until the pods are ready.")
    ] = False,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long to wait for ready pods.")
    ] = "120s",
) -> None:
    """Open the sale: cluster, image, ReplicaSet, Service, ready pods, URL."""
    from flashsale.cli import output
    from flashsale.cli.running import run
    from flashsale.cli.shared import shared
    from flashsale.clusters.base import BuildOptions
    from flashsale.exercise import project
    from flashsale.exercise.opening import Order
    from flashsale.ui.summary import opened_view

    typed = shared(ctx)
    found = project.from_folder(folder, manifest) if folder else project.packaged(manifest)
    arguments = dict(map(values.build_arg, build_arg or []))
    order = Order(
        project=found,
        namespace=typed.namespace,
        image=None if image is None else values.image_name(image),
        replicas=None if replicas is None else values.replica_count(replicas),
        build=BuildOptions(arguments, rebuild, push),
        wait=not no_wait,
        timeout=values.duration(timeout),
    )
    with output.progress() as progress:
        opened = run(_opened(typed, order, progress))
    if typed.json:
        output.out_json(opened.as_json(time.time()))
    else:
        output.out(opened_view(opened, time.time()))


async def _opened(typed: Shared, order: Order, progress: Progress) -> Opened:
    from flashsale.cli.output import looking
    from flashsale.clusters.choose import for_opening, told
    from flashsale.clusters.home import state_home
    from flashsale.exercise.opening import open_sale

    choice = await for_opening(typed.wanted)
    where = told(choice.record)
    progress.note(f"On {where}: {choice.why}.")
    view = looking(progress)
    tell = view.sight if view else None
    return await open_sale(choice, order, progress, state_home(), tell=tell)
