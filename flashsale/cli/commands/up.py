"""`flashsale up`."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from flashsale.base.errors import ConsentError, RefusedError
from flashsale.cli import output
from flashsale.cli.event_loop import run
from flashsale.cli.options import common_options, parsers
from flashsale.cli.options.common_options import flag
from flashsale.cli.options.global_options import Shared
from flashsale.cli.output import looking

if TYPE_CHECKING:
    from flashsale.clusters.base import NewProfileOptions, Progress
    from flashsale.sale.files.app_folder import Project
    from flashsale.sale.up.up import Opened, Order

COUNT = "flashsale up --replicas"


@click.argument(
    "folder",
    required=False,
    type=Path,
    metavar="[DIR]",
    help="Folder of your app.py, Dockerfile, flashsale-replicaset.yaml; each optional.",
)
@click.option(
    "--replicas", metavar="N", help="How many pods to keep, 0 to 100.  [default: the manifest's]"
)
@click.option(
    "--manifest", type=Path, metavar="FILE", help="Apply this manifest; - reads standard input."
)
@click.option("--image", metavar="NAME:TAG", help="Name of the image that is built and run.")
@click.option("--push", metavar="REPOSITORY", help="Push the image there, and run it from there.")
@click.option("--build-arg", multiple=True, metavar="K=V", help="Build argument; may be repeated.")
@flag("--rebuild", help="Build the image even if nothing changed.")
@flag("--no-roll", help="Keep pods that run an older version.")
@click.option("--driver", metavar="NAME", help="Driver of a new minikube profile, as docker.")
@click.option("--cpus", type=int, metavar="N", help="CPUs of a new minikube profile.")
@click.option("--memory", metavar="SIZE", help="Memory of a new minikube profile, as 4g.")
@flag(
    "--recreate",
    help="Delete a minikube profile that is damaged or lost its node, and make it anew.",
)
@click.option(
    "--nodes",
    metavar="N",
    help="How many nodes to have, 1 to 9; of minikube, when its profile is made.",
)
@click.option(
    "--fast-nodes/--no-fast-nodes",
    default=None,
    help="Give a lost node up after 5 s, its pods 5 s later (embedded cluster only).",
)
@common_options.no_wait
@common_options.patience
def up(
    typed: Shared,
    folder: Path | None,
    replicas: str | None,
    manifest: Path | None,
    image: str | None,
    push: str | None,
    build_arg: tuple[str, ...],
    rebuild: bool,
    no_roll: bool,
    driver: str | None,
    cpus: int | None,
    memory: str | None,
    recreate: bool,
    nodes: str | None,
    fast_nodes: bool | None,
    no_wait: bool,
    timeout: str,
) -> None:
    """Open the sale: cluster, image, ReplicaSet, Service, ready pods, URL."""
    from flashsale.clusters.base import BuildOptions
    from flashsale.sale.files import app_folder
    from flashsale.sale.replica_count import replica_count
    from flashsale.sale.up.up import Order
    from flashsale.ui.command_results import opened_view
    from flashsale.ui.console import width

    arguments = dict(map(parsers.build_arg, build_arg))
    order = Order(
        namespace=typed.namespace,
        image=None if image is None else parsers.image_name(image),
        replicas=None if replicas is None else replica_count(replicas, COUNT),
        build=BuildOptions(arguments, rebuild, push or ""),
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
    now = time.time()
    output.print_result(typed, opened.as_json(now), opened_view(opened, now, width(sys.stdout)))


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
    observers = looking(progress)
    return await open_sale(choice, project, order, progress, observers=observers)
