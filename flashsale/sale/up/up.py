"""Opening the sale: cluster, image, ReplicaSet, Service, ready pods, address.

Running it again on an open sale changes nothing: the image is there, the objects are as the
manifest says, and a number of pods that somebody set with `scale` stays. Where the app or the
manifest did change, the pods that still run the old version are replaced, one at a time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flashsale.base.errors import BadInputError, Hint
from flashsale.base.text import counted
from flashsale.clusters.base import BuildOptions, Image, Progress
from flashsale.clusters.select import SelectedCluster
from flashsale.kube import Api
from flashsale.kube.apply import ApplyOutcome, apply
from flashsale.kube.response_errors import InvalidError
from flashsale.sale.files import manifest as manifests
from flashsale.sale.files.app_folder import Project, dockerfile_notes
from flashsale.sale.files.manifest import Manifest
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import Observer
from flashsale.sale.ready.conditions import Deadline
from flashsale.sale.ready.endpoint_check import wait_until_sale_answers
from flashsale.sale.ready.explanation import NewPods, created_line
from flashsale.sale.ready.readiness import wait_until_ready
from flashsale.sale.sale_nodes import note_lost_nodes
from flashsale.sale.session import Sale, connect_to_cluster
from flashsale.sale.status import SaleStatus, status
from flashsale.sale.up import bookkeeping, renamed
from flashsale.sale.up.rollback import ensure_namespace, stop_cluster_on_failure
from flashsale.sale.up.rollout import (
    PodsBefore,
    Rolled,
    outdated,
    pods_before,
    replace_outdated,
    still_old_line,
    with_node_image_ids,
)

UNKNOWN_FIELD = re.compile(r'unknown field \\?"([^"\\]+)')
WRONG_TYPE = re.compile(r"cannot unmarshal \w+ into Go struct field \S*?([\w]+) of type (\S+)")
TYPES = {  # Go's, as a manifest says them
    "string": "text: write it in quotes",
    "int32": "a whole number, without quotes",
    "int64": "a whole number, without quotes",
    "bool": "true or false, without quotes",
    "[]string": "a list of words",
}
PORT_HELD = Hint(
    "flashsale down && flashsale up",
    "where the sale's own Service has it under its old name; else write another nodePort",
)


@dataclass(frozen=True, slots=True)
class Order:
    """How to open a sale, as the command line says it."""

    namespace: str | None = None
    image: str | None = None
    replicas: int | None = None
    build: BuildOptions = field(default_factory=BuildOptions)
    wait: bool = True
    roll: bool = True  # replace pods that run an old version
    timeout: float = 120.0  # seconds for all waiting, once the objects are applied
    nodes: int = 0  # how many to have; 0 leaves them as they are
    fast_nodes: bool | None = None  # whether a lost node is given up fast; None leaves it


@dataclass(frozen=True, slots=True)
class Opened:
    status: SaleStatus
    image: Image
    outcomes: dict[str, ApplyOutcome]  # by `replicaset.apps/NAME`, as kubectl prints it
    rolled: Rolled
    seconds: float
    why: str = ""  # what the ReplicaSet did, and where the seconds went

    def as_json(self, now: float) -> dict[str, Any]:
        """Write it as `up -o json` does; ``now`` is unix seconds."""
        return self.status.as_json(now) | {
            "seconds": round(self.seconds, 3),
            "image": {"name": self.image.name, "built": self.image.built},
            "rolled": {"replaced": self.rolled.replaced, "left": self.rolled.left},
        }


async def open_sale(
    choice: SelectedCluster,
    project: Project,
    order: Order,
    progress: Progress,
    *,
    observers: Sequence[Observer] = (),
) -> Opened:
    """Open a sale on a chosen cluster, or bring an open one up to date.

    Args:
        observers: called with every update while pods are waited for, for a live view.

    Raises:
        ClusterUnreachableError: the cluster cannot be started, or stopped answering.
        BadInputError: the manifest is refused; nothing was changed.
        NotReadyError: not all pods were ready in time, or the address does not lead to them; the
            sale stays as it is.
    """
    began = time.monotonic()
    async with stop_cluster_on_failure(choice, progress):
        opened = await _open(choice, project, order, progress, observers)
    return replace(opened, seconds=time.monotonic() - began)


async def _open(
    choice: SelectedCluster,
    project: Project,
    order: Order,
    progress: Progress,
    observers: Sequence[Observer],
) -> Opened:
    so_far = choice.store.read_if_usable()
    record = bookkeeping.new_record(choice.record, project, order.namespace, so_far)
    await choice.cluster.check_nodes(order.nodes, fast=order.fast_nodes)
    await choice.cluster.start(progress)
    bookkeeping.note_started_cluster(choice.store, record)
    for line in dockerfile_notes(project):
        progress.note(line)
    name = order.image or project.manifest.image
    image = await choice.cluster.provide(project.app, name, order.build, progress)
    image = choice.record.recognised(image)
    manifest = manifests.with_image(project.manifest, image.name)
    async with connect_to_cluster(choice, record, None) as sale:
        manifest = manifests.for_server(manifest, await _minor(sale.api))
        await check_on_server(sale, manifest, order.replicas, progress)
        recorded = choice.store.read_if_usable()
        bookkeeping.write_record(choice.store, record, progress)
        if order.nodes or order.fast_nodes is not None:
            fast = order.fast_nodes
            await sale.cluster.fit_nodes(sale.api, order.nodes, fast=fast, progress=progress)
        await note_lost_nodes(sale, progress)
        before = await pods_before(sale)
        progress.step("Applying the ReplicaSet and the Service")
        count = order.replicas
        if count is None:
            count = await renamed.replicas_set_by_hand(sale, record.former_names)
        with bookkeeping.record_taken_back(choice.store, recorded):
            outcomes = await apply_both(sale, manifest, count)
        asked_at, why = time.monotonic(), ""
        deadline = Deadline.after(order.timeout)
        if order.wait:
            pods = NewPods(before.images.keys())
            async with SaleMonitor.of(sale, pods.see, *observers) as monitor:
                await monitor.until_synced()  # a view knows the pods before one of them dies
                if order.roll:
                    rolled = await replace_outdated(monitor, image, before, progress, deadline)
                else:
                    rolled = await leave_outdated(sale, image, before, "--no-roll", progress)
                await _wait_for_all(monitor, deadline, progress)
            why = created_line(pods.ready, asked_at) if not rolled.replaced else ""
            image = await with_node_image_ids(sale, image, before)
            record = record.with_image(image)
            record = await bookkeeping.remove_renamed(sale, record, progress)
            bookkeeping.write_record(choice.store, record, progress)
        else:
            option = "--no-wait" if order.roll else "--no-roll"
            rolled = await leave_outdated(sale, image, before, option, progress)
            if record.former_names:
                progress.note(bookkeeping.renamed_stay_line(record))
        shown = await status(sale)
        if order.wait and shown.url and shown.replicaset.desired:
            await wait_until_sale_answers(sale, shown.url, shown.pods, deadline, progress)
        return Opened(shown, image, outcomes, rolled, 0.0, why)


async def check_on_server(
    sale: Sale, manifest: Manifest, replicas: int | None, progress: Progress
) -> None:
    """Let the server check both objects first; BadInputError names the file and the field."""
    try:
        async with ensure_namespace(sale, progress):
            for thing in (manifest.replicaset, manifest.service):
                await apply(sale.api, thing, sale.namespace, replicas=replicas, dry_run=True)
    except InvalidError as error:
        raise refused_by_server(error, manifest) from error


def refused_by_server(error: InvalidError, manifest: Manifest) -> BadInputError:
    """Say in which file, and where known in which field, the server found the mistake."""
    unknown = UNKNOWN_FIELD.findall(error.words)
    if unknown:
        return manifests.wrong(
            manifest.source,
            f"has the field {', '.join(dict.fromkeys(unknown))}, which Kubernetes does not know",
        )
    if "field is immutable" in error.words:
        field = error.words.partition(" is invalid: ")[2].partition(":")[0] or "a field"
        return manifests.wrong(
            manifest.source,
            f"changes {field}, which Kubernetes does not allow while the ReplicaSet is there",
            "flashsale down && flashsale up",
        )
    hint = PORT_HELD if "port is already allocated" in error.words else error.hint
    wrong_type = WRONG_TYPE.search(error.words)
    if wrong_type and (wanted := TYPES.get(wrong_type[2])):
        hint = Hint("flashsale manifest", f"shows the form; {wrong_type[1]} takes {wanted}")
    return BadInputError(f"The cluster refuses {manifest.source}: {error.words}", hint=hint)


async def apply_both(
    sale: Sale, manifest: Manifest, replicas: int | None
) -> dict[str, ApplyOutcome]:
    """Apply both objects; the ReplicaSet stands first in what is told, as in the exercise's file.

    The Service goes first: a dry run takes a node port that is allocated already, so it can still
    be refused, and then no pod was started for it.

    Raises:
        BadInputError: the server refuses one; the error names file and field.
    """
    try:
        service = await apply(sale.api, manifest.service, sale.namespace, replicas=None)
        pods = await apply(sale.api, manifest.replicaset, sale.namespace, replicas=replicas)
    except InvalidError as error:
        raise refused_by_server(error, manifest) from error
    return {f"replicaset.apps/{manifest.name}": pods, f"service/{manifest.service_name}": service}


async def leave_outdated(
    sale: Sale, image: Image, before: PodsBefore, option: str, progress: Progress
) -> Rolled:
    """Only say which pods run an old version, because of an option."""
    old = await outdated(sale, image, before)
    if old:
        progress.note(still_old_line(len(old), option))
    return Rolled(left=len(old))


async def _wait_for_all(monitor: SaleMonitor, deadline: Deadline, progress: Progress) -> None:
    count = monitor.state.desired or 0
    progress.step(f"Waiting for {counted(count, 'ready pod')}")
    monitor.add_observer(lambda update: progress.detail(f"{update.state.ready} of {count} ready"))
    await wait_until_ready(monitor, count, deadline)


async def _minor(api: Api) -> int:
    """Ask for the server's minor version; providers write it as `29+`."""
    digits = re.match(r"\d+", str((await api.version()).get("minor", "")))
    return int(digits[0]) if digits else 30
