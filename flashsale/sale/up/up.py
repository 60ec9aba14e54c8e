"""Opening the sale: cluster, image, ReplicaSet, Service, ready pods, address.

Running it again on an open sale changes nothing: the image is there, the objects are as the
manifest says, and a number of pods that somebody set with `scale` stays. Where the app or the
manifest did change, the pods that still run the old version are replaced, one at a time.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from flashsale.base.errors import BadInputError, Hint
from flashsale.clusters.base import BuildOptions, Image, Progress
from flashsale.clusters.select import SelectedCluster
from flashsale.kube import Api
from flashsale.kube.apply import Outcome, apply
from flashsale.kube.errors import InvalidError
from flashsale.sale.files import manifest as manifests
from flashsale.sale.files.app_folder import Project, commandless
from flashsale.sale.files.manifest import Manifest
from flashsale.sale.ready.conditions import Deadline, Sight
from flashsale.sale.ready.endpoint_check import wait_until_sale_answers
from flashsale.sale.ready.readiness import ready_by
from flashsale.sale.session import Sale, connect
from flashsale.sale.status import SaleStatus, status
from flashsale.sale.up import bookkeeping, namespaces, renamed
from flashsale.sale.up.rollback import nothing_half_done
from flashsale.sale.up.rollout import (
    PodsBefore,
    Rolled,
    outdated,
    pods_before,
    roll,
    still_old,
    with_node_image_ids,
)

UNKNOWN_FIELD = re.compile(r'unknown field \\?"([^"\\]+)')
PORT_HELD = Hint(
    "flashsale down && flashsale up",
    "where the sale's own Service has it under its old name; else write another nodePort",
)


@dataclass(frozen=True, slots=True)
class Order:
    """What to open, as the command line says it."""

    project: Project
    namespace: str | None = None
    image: str | None = None
    replicas: int | None = None
    build: BuildOptions = field(default_factory=BuildOptions)
    wait: bool = True
    roll: bool = True  # replace pods that run an old version
    timeout: float = 120.0  # seconds for all waiting, once the objects are applied


@dataclass(frozen=True, slots=True)
class Opened:
    """An open sale."""

    status: SaleStatus
    image: Image
    outcomes: dict[str, Outcome]  # by `replicaset.apps/NAME`, as kubectl prints it
    rolled: Rolled
    seconds: float

    def as_json(self, now: float) -> dict[str, Any]:
        """Write it as `up -o json` does; ``now`` is unix seconds."""
        return self.status.as_json(now) | {
            "seconds": round(self.seconds, 3),
            "image": {"name": self.image.name, "built": self.image.built},
            "rolled": {"replaced": self.rolled.replaced, "left": self.rolled.left},
        }


async def open_sale(
    choice: SelectedCluster,
    order: Order,
    progress: Progress,
    *,
    tell: Callable[[Sight], None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Opened:
    """Open a sale on a chosen cluster, or bring an open one up to date.

    Args:
        tell: called with each new sight of the pods that are waited for, for a live view.

    Raises:
        ClusterUnreachableError: the cluster cannot be started, or stopped answering.
        BadInputError: the manifest is refused; nothing was changed.
        NotReadyError: not all pods were ready in time, or the address does not lead to them; the
            sale stays as it is.
    """
    began = clock()
    async with nothing_half_done(choice, progress):
        opened = await _open(choice, order, progress, tell)
    return replace(opened, seconds=clock() - began)


async def _open(
    choice: SelectedCluster,
    order: Order,
    progress: Progress,
    tell: Callable[[Sight], None] | None,
) -> Opened:
    so_far = choice.store.read_if_usable()
    record = bookkeeping.recorded(choice.record, order.project, order.namespace, so_far)
    await choice.cluster.start(progress)
    bookkeeping.first(choice.store, record)
    if line := commandless(order.project):
        progress.note(line)
    name = order.image or order.project.manifest.image
    image = await choice.cluster.provide(order.project.app, name, order.build, progress)
    image = choice.record.recognised(image)
    manifest = manifests.with_image(order.project.manifest, image.name)
    async with connect(choice, record, None) as sale:
        manifest = manifests.for_server(manifest, await _minor(sale.api))
        await check(sale, manifest, order.replicas, progress)
        bookkeeping.remember(choice.store, record, progress)
        before = await pods_before(sale)
        progress.step("Applying the ReplicaSet and the Service")
        count = order.replicas
        if count is None:
            count = await renamed.scaled(sale, record.former_names)
        outcomes = await applied(sale, manifest, count)
        deadline = Deadline.after(order.timeout)
        rolled = await renew(sale, image, before, order, deadline, progress, tell)
        if order.wait:
            await _all_ready(sale, deadline, progress, tell)
            image = await with_node_image_ids(sale, image, before)
            record = record.with_image(image)
            record = await bookkeeping.renamed(sale, record, progress)
            bookkeeping.remember(choice.store, record, progress)
        elif record.former_names:
            progress.note(bookkeeping.stays(record))
        shown = await status(sale)
        if order.wait and shown.url and shown.replicaset.desired:
            await wait_until_sale_answers(sale, shown.url, shown.pods, deadline, progress)
        return Opened(shown, image, outcomes, rolled, 0.0)


async def check(sale: Sale, manifest: Manifest, replicas: int | None, progress: Progress) -> None:
    """Let the server check both objects before either is changed.

    Raises:
        BadInputError: it refuses one; the error names file and field.
    """
    try:
        async with namespaces.ensured(sale, progress):
            for thing in (manifest.replicaset, manifest.service):
                await apply(sale.api, thing, sale.namespace, replicas=replicas, dry_run=True)
    except InvalidError as error:
        raise named(error, manifest) from error


def named(error: InvalidError, manifest: Manifest) -> BadInputError:
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
    return BadInputError(f"The cluster refuses {manifest.source}: {error.words}", hint=hint)


async def applied(sale: Sale, manifest: Manifest, replicas: int | None) -> dict[str, Outcome]:
    """Apply both objects, the ReplicaSet first, as the exercise's file does."""
    rs, svc = manifest.replicaset, manifest.service
    return {
        f"replicaset.apps/{manifest.name}": await apply(
            sale.api, rs, sale.namespace, replicas=replicas
        ),
        f"service/{manifest.service_name}": await apply(
            sale.api, svc, sale.namespace, replicas=None
        ),
    }


async def renew(
    sale: Sale,
    image: Image,
    before: PodsBefore,
    order: Order,
    deadline: Deadline,
    progress: Progress,
    tell: Callable[[Sight], None] | None,
) -> Rolled:
    """Replace the pods that run an old version, unless that was not wanted."""
    if order.roll and order.wait:
        return await roll(sale, image, before, progress, deadline=deadline, tell=tell)
    old = await outdated(sale, image, before)
    if old:
        option = "--no-wait" if order.roll else "--no-roll"
        progress.note(still_old(len(old), option))
    return Rolled(left=len(old))


async def _all_ready(
    sale: Sale, deadline: Deadline, progress: Progress, tell: Callable[[Sight], None] | None
) -> None:
    count = int((await sale.replicaset())["spec"].get("replicas", 1))
    progress.step(f"Waiting for {count} ready pods")

    def counted(sight: Sight) -> None:
        done = sum(pod.ready for pod in sight.alive)
        progress.detail(f"{done} of {count} ready")

    await ready_by(sale, count, deadline, tell=tell or counted)


async def _minor(api: Api) -> int:
    """Ask for the server's minor version; providers write it as `29+`."""
    digits = re.match(r"\d+", str((await api.version()).get("minor", "")))
    return int(digits[0]) if digits else 30
