"""Replacing the pods that run an old version: a ReplicaSet never touches pods that exist.

One at a time, each after the one before it is ready, so that buyers always find somebody; and if
the new version does not get ready, the rest of the old one goes on selling. Old pods that are not
ready serve nobody: they go first, together, as a Deployment's rolling update has it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from flashsale.base.errors import Hint, NoSaleError, NotReadyError
from flashsale.base.text import counted, joined
from flashsale.clusters.base import Image, Progress
from flashsale.kube import NotFoundError, paths
from flashsale.objects.models import Object, Pod
from flashsale.sale.observe.monitor import SaleMonitor
from flashsale.sale.observe.state import SaleState
from flashsale.sale.ready.conditions import Deadline, newer, renewed, stuck
from flashsale.sale.ready.readiness import not_ready_error
from flashsale.sale.session import Sale
from flashsale.sale.up.outdated import find_outdated


@dataclass(frozen=True, slots=True)
class PodsBefore:
    """What was there before the newest version was applied."""

    images: Mapping[str, str]  # pods by their uid, and the imageID that each of them reported
    template: Object | None = None  # None without a ReplicaSet


@dataclass(frozen=True, slots=True)
class Rolled:
    """What became of the pods of the old version."""

    replaced: int = 0
    left: int = 0  # still running it


async def pods_before(sale: Sale) -> PodsBefore:
    """Note the ReplicaSet's template and pods; none without a ReplicaSet."""
    try:
        replicaset = await sale.replicaset()
    except NoSaleError:
        return PodsBefore({})
    pods = await sale.own_pods(replicaset)
    return PodsBefore({pod.uid: pod.image_id for pod in pods}, replicaset["spec"]["template"])


async def replace_outdated(
    monitor: SaleMonitor, image: Image, before: PodsBefore, progress: Progress, deadline: Deadline
) -> Rolled:
    """Replace what runs an old version.

    Args:
        before: what was there before the newest version was applied.
        deadline: when all of it has to be done.

    Raises:
        NotReadyError: the new version does not get ready; the other old pods are left alone.
    """
    sale = monitor.sale
    old = await outdated(sale, image, before)
    first, done = len(old), 0
    if old:
        progress.note(replacing_line(old))
    while old:
        going, *later = batches(old)
        if done and not deadline.left():
            raise interrupted(done, first, deadline)
        if going[0].ready:
            await _wait_until_renewed(monitor, [pod.uid for pod in old], deadline)
        names = joined(pod.name for pod in going)
        progress.step(f"Replacing {names} ({done + len(going)} of {first})")
        done += len(going)
        rest = [pod.uid for batch in later for pod in batch]
        await _delete(sale, going)
        await _wait_until_renewed(monitor, rest, deadline, without=going)
        image = await with_node_image_ids(sale, image, before)
        old = await outdated(sale, image, before, rest)
    return Rolled(done)


async def with_node_image_ids(sale: Sale, image: Image, before: PodsBefore) -> Image:
    """Learn from the pods that were made since how the cluster's nodes call the image.

    They run it for sure, and some runtimes number images in a way of their own. Only what was built
    just now cannot be what pods ran before.
    """
    pods = await sale.own_pods()
    ids = {pod.image_id for pod in pods if pod.ready and pod.uid not in before.images}
    ids.discard("")
    if image.built:
        ids -= set(before.images.values())
    new = sorted(image_id for image_id in ids if not image.runs_in(image_id))
    return replace(image, others=(*image.others, *new)) if image.id else image


async def outdated(
    sale: Sale, image: Image, before: PodsBefore, among: Collection[str] | None = None
) -> list[Pod]:
    """Find the pods that were there before, or those of them with these uids, if they are old."""
    replicaset = await sale.replicaset()
    looked_at = before.images if among is None else among
    pods = [pod for pod in await sale.own_pods(replicaset) if pod.uid in looked_at]
    return find_outdated(pods, replicaset, image, before.template)


def replacing_line(old: Sequence[Pod]) -> str:
    """Say what is done, and who does not do it."""
    first, *later = batches(old)
    together = 0 if first[0].ready else len(first)
    pods, idle = counted(len(old), "pod"), f"that {'is' if together == 1 else 'are'} not ready"
    how = ", one at a time" if len(old) > 1 else ""
    if together and not later:
        how = f" {idle}, together" if together > 1 else f" {idle}"
    elif together:
        those = f"the {together} {idle} together" if together > 1 else f"the one {idle}"
        how = f": {those}, then the others one at a time"
    return (
        f"The app or the manifest changed: flashsale replaces {pods}{how};"
        " a ReplicaSet does not do it by itself."
    )


def interrupted(done: int, count: int, deadline: Deadline) -> NotReadyError:
    """Say how far the replacing came in its time."""
    left = count - done
    return NotReadyError(
        f"{done} of {count} old pods {'was' if done == 1 else 'were'} replaced after"
        f" {deadline.seconds:g} s. {_going_on(left)}",
        hint=Hint("flashsale up", "goes on with it; --timeout gives it longer"),
    )


def still_old_line(count: int, option: str) -> str:
    """Say what is left undone because of an option, and how to have it done."""
    still = "runs" if count == 1 else "run"
    return (
        f"{counted(count, 'pod')} still {still} the old version ({option})."
        " A ReplicaSet does not change that by itself; flashsale up does."
    )


def batches(old: Sequence[Pod]) -> list[list[Pod]]:
    """Say in which order old pods go: those that serve nobody together, then one by one."""
    idle = [pod for pod in old if not pod.ready]
    ready = [[pod] for pod in old if pod.ready]
    return [idle, *ready] if idle else ready


async def _delete(sale: Sale, pods: Sequence[Pod]) -> None:
    for pod in pods:
        with suppress(NotFoundError):  # the ReplicaSet was quicker, if it has too many
            options = {"preconditions": {"uid": pod.uid}}
            await sale.api.delete(paths.pods(sale.namespace, pod.name), options)


async def _wait_until_renewed(
    monitor: SaleMonitor, old: Collection[str], deadline: Deadline, *, without: Sequence[Pod] = ()
) -> None:
    """Return once as many pods as desired are there, all ready but for the old ones.

    Args:
        old: uids of pods that may be as they are.
        without: pods that were just deleted, which the monitor may not know yet.
    """
    done, leaving = renewed(old), {pod.uid for pod in without}

    def fresh(state: SaleState) -> list[Pod]:
        return newer(state.alive, old)

    def ended(state: SaleState) -> bool:
        if any(pod.uid in leaving for pod in state.alive):
            return False
        return done(state) or stuck(fresh(state))

    when = "and waiting longer will not help"
    try:
        if done(await monitor.until(ended, deadline.left())):
            return
    except TimeoutError:
        when = f"after {deadline.seconds:g} s"
    error = await not_ready_error(monitor.sale, monitor.state.desired or 0, when)
    if old:
        error.args = (f"{error} {_going_on(len(old))}",)
    raise error


def _going_on(count: int) -> str:
    return f"{counted(count, 'pod')} {'goes' if count == 1 else 'go'} on with the old version."
