"""`flashsale up`."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import ConsentError, RefusedError
from flashsale.cli import output
from flashsale.cli.event_loop import run
from flashsale.cli.options import common_options, parsers
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import looking

if TYPE_CHECKING:
    from flashsale.clusters.base import NewProfileOptions, Progress
    from flashsale.sale.files.app_folder import Project
    from flashsale.sale.up.up import Opened, Order

COUNT = "flashsale up --replicas"


def up(
    ctx: typer.Context,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR",
            help="Folder of your app.py, Dockerfile, flashsale-replicaset.yaml; each optional.",
        ),
    ] = None,
    replicas: Annotated[
        str | None,
        typer.Option(
            "--replicas",
            metavar="N",
            help="How many pods to keep, 0 to 100.  [default: the manifest's]",
        ),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option(
            "--manifest", metavar="FILE", help="Apply this manifest; - reads standard input."
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            "--image", metavar="NAME:TAG", help="Name of the image that is built and run."
        ),
    ] = None,
    push: Annotated[
        str,
        typer.Option(
            "--push", metavar="REPOSITORY", help="Push the image there, and run it from there."
        ),
    ] = "",
    build_arg: Annotated[
        list[str] | None,
        typer.Option("--build-arg", metavar="K=V", help="Build argument; may be repeated."),
    ] = None,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Build the image even if nothing changed.")
    ] = False,
    no_roll: Annotated[
        bool, typer.Option("--no-roll", help="Keep pods that run an older version.")
    ] = False,
    driver: Annotated[
        str,
        typer.Option(
            "--driver", metavar="NAME", help="Driver of a new minikube profile, as docker."
        ),
    ] = "",
    cpus: Annotated[
        int | None, typer.Option("--cpus", metavar="N", help="CPUs of a new minikube profile.")
    ] = None,
    memory: Annotated[
        str,
        typer.Option("--memory", metavar="SIZE", help="Memory of a new minikube profile, as 4g."),
    ] = "",
    recreate: Annotated[
        bool,
        typer.Option(
            "--recreate",
            help="Delete a minikube profile that is damaged or lost its node, and make it anew.",
        ),
    ] = False,
    nodes: Annotated[
        str | None,
        typer.Option(
            "--nodes",
            metavar="N",
            help="How many nodes to have, 1 to 9; of minikube, when its profile is made.",
        ),
    ] = None,
    fast_nodes: Annotated[
        bool | None,
        typer.Option(
            "--fast-nodes/--no-fast-nodes",
            help="Give a lost node up after 5 s, its pods 5 s later (embedded cluster only).",
            show_default=False,
        ),
    ] = None,
    no_wait: common_options.NoWait = False,
    timeout: common_options.Patience = "120s",
) -> None:
    """Open the sale: cluster, image, ReplicaSet, Service, ready pods, URL."""
    from flashsale.clusters.base import BuildOptions
    from flashsale.sale.files import app_folder
    from flashsale.sale.replica_count import replica_count
    from flashsale.sale.up.up import Order
    from flashsale.ui.command_results import opened_view
    from flashsale.ui.console import width

    typed = shared(ctx)
    arguments = dict(map(parsers.build_arg, build_arg or []))
    order = Order(
        namespace=typed.namespace,
        image=None if image is None else parsers.image_name(image),
        replicas=None if replicas is None else replica_count(replicas, COUNT),
        build=BuildOptions(arguments, rebuild, push),
        wait=not no_wait,
        roll=not no_roll,
        timeout=parsers.parse_duration(timeout, "--timeout"),
        nodes=0 if nodes is None else parsers.node_count(nodes),
        fast_nodes=fast_nodes,
    )
    profile = parsers.new_profile_options(driver, cpus, memory)
    making = replace(profile, recreate=recreate, nodes=order.nodes)
    project = app_folder.from_folder(folder, manifest) if folder else None

    def attempt(making: NewProfileOptions) -> Opened:
        with output.progress() as progress:
            return run(_opened(typed, project, manifest, order, making, progress))

    try:
        opened = attempt(making)
    except ConsentError as error:
        if not output.can_ask():
            raise
        if not output.confirm(f"{error} {error.question}"):
            raise RefusedError("Nothing was changed.", hint=error.hint) from error
        opened = attempt(replace(making, recreate=True))
    now, columns = time.time(), width(sys.stdout)
    output.print_result(typed, opened.as_json(now), lambda: opened_view(opened, now, columns))


async def _opened(
    typed: Shared,
    project: Project | None,
    manifest: Path | None,
    order: Order,
    making: NewProfileOptions,
    progress: Progress,
) -> Opened:
    """Choose the cluster, then the files where no folder was typed: those of last time."""
    from flashsale.clusters.select import select_for_up
    from flashsale.sale.files import app_folder
    from flashsale.sale.up import bookkeeping
    from flashsale.sale.up.up import open_sale

    choice = await select_for_up(replace(typed.wanted, making=making))
    progress.note(f"On {choice.cluster.describe()}: {choice.why}.")
    if project is None:
        before = bookkeeping.folder_of(choice.record, typed.namespace)
        project, note = app_folder.from_last_time(before, manifest)
        if note:
            progress.note(note)
    return await open_sale(choice, project, order, progress, observers=looking(progress))
