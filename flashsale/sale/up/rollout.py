"""Replacing the pods that run an old version: a ReplicaSet never touches pods that exist.

One at a time, each after the one before it is ready, so that buyers always find somebody; and if
the new version does not get ready, the rest of the old one goes on selling. Old pods that are not
ready serve nobody: they go first, together, as a Deployment's rolling update has it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from flashsale.base.errors import Hint, NoSaleError, NotReadyError
from flashsale.base.text import counted, joined
from flashsale.clusters.base import Image, Progress
from flashsale.kube import NotFoundError, paths
from flashsale.objects.models import Object, Pod, ReplicaSet
from flashsale.sale.ready.conditions import LOOK, Condition, Deadline, Sight, stuck, until
from flashsale.sale.ready.readiness import explained
from flashsale.sale.session import Sale, owned
from flashsale.sale.up.outdated import stale


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
    pods = [Pod.from_object(pod) for pod in owned(await sale.pods(replicaset), replicaset)]
    return PodsBefore({pod.uid: pod.image_id for pod in pods}, replicaset["spec"]["template"])


async def roll(
    sale: Sale,
    image: Image,
    before: PodsBefore,
    progress: Progress,
    *,
    deadline: Deadline,
    tell: Callable[[Sight], None] | None = None,
) -> Rolled:
    """Replace what runs an old version.

    Args:
        before: what was there before the newest version was applied.
        deadline: when all of it has to be done.
        tell: called with each new sight of the pods, for a live view.

    Raises:
        NotReadyError: the new version does not get ready; the other old pods are left alone.
    """
    old = await outdated(sale, image, before)
    first, done = len(old), 0
    if old:  # so that a view knows the pods before one of them dies
        await until(sale, lambda _: True, timeout=max(LOOK, deadline.left()), tell=tell)
    while old:
        going, *later = batches(old)
        rest = [_uid(pod) for wave in later for pod in wave]
        if done and not deadline.left():
            raise interrupted(done, first, deadline)
        if not done:
            progress.note(replacing(old))
        progress.step(f"Replacing {joined(map(_name, going))} ({done + len(going)} of {first})")
        done += len(going)
        await _replace(sale, going, rest, deadline, tell)
        image = await with_node_image_ids(sale, image, before)
        old = await outdated(sale, image, before, rest)
    return Rolled(done)


async def with_node_image_ids(sale: Sale, image: Image, before: PodsBefore) -> Image:
    """Learn from the pods that were made since how the cluster's nodes call the image.

    They run it for sure, and some runtimes number images in a way of their own. Only what was built
    just now cannot be what pods ran before.
    """
    replicaset = await sale.replicaset()
    pods = [Pod.from_object(pod) for pod in owned(await sale.pods(replicaset), replicaset)]
    ids = {pod.image_id for pod in pods if pod.ready and pod.uid not in before.images}
    ids.discard("")
    if image.built:
        ids -= set(before.images.values())
    new = sorted(one for one in ids if not image.runs_in(one))
    return replace(image, others=(*image.others, *new)) if image.id else image


async def outdated(
    sale: Sale, image: Image, before: PodsBefore, among: Collection[str] | None = None
) -> list[Object]:
    """Find the pods that were there before, or those of them with these uids, if they are old."""
    replicaset = await sale.replicaset()
    looked_at = before.images if among is None else among
    pods = [pod for pod in owned(await sale.pods(replicaset), replicaset) if _uid(pod) in looked_at]
    return stale(pods, replicaset, image, before.template)


def replacing(old: Sequence[Object]) -> str:
    """Say what is done, and who does not do it."""
    first, *later = batches(old)
    together = len(first) if not Pod.from_object(first[0]).ready else 0
    pods, idle = (
        counted(len(old), "pod"),
        "that is not ready" if together == 1 else "that are not ready",
    )
    how = ", one at a time" if len(old) > 1 else ""
    if together and not later:
        how = f" {idle}, together" if together > 1 else f" {idle}"
    elif together:
        how = f": {together} {idle} at once, then the others one at a time"
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


def still_old(count: int, option: str) -> str:
    """Say what is left undone because of an option, and how to have it done."""
    still = "runs" if count == 1 else "run"
    return (
        f"{counted(count, 'pod')} still {still} the old version ({option})."
        " A ReplicaSet does not change that by itself; flashsale up does."
    )


def batches(old: Sequence[Object]) -> list[list[Object]]:
    """Say in which order old pods go: those that serve nobody together, then one by one."""
    ready = [pod for pod in old if Pod.from_object(pod).ready]
    idle = [pod for pod in old if pod not in ready]
    return [wave for wave in (idle, *([pod] for pod in ready)) if wave]


def renewed(old: Collection[str]) -> Condition:
    """Ask for as many pods as desired, all ready but for the old ones, known by their uids."""

    def verdict(sight: Sight) -> bool:
        if sight.replicaset is None:
            return False
        desired = ReplicaSet.from_object(sight.replicaset).desired
        return len(sight.alive) == desired and all(pod.ready for pod in fresh(sight, old))

    return verdict


def fresh(sight: Sight, old: Collection[str]) -> list[Pod]:
    """Give the pods that are not old ones."""
    return [pod for pod in sight.alive if pod.uid not in old]


async def _replace(
    sale: Sale,
    going: Sequence[Object],
    later: Sequence[str],
    deadline: Deadline,
    tell: Callable[[Sight], None] | None,
) -> None:
    """Delete pods, and return once those in their places are ready."""
    for pod in going:
        with suppress(NotFoundError):  # the ReplicaSet was quicker, if it has too many
            options = {"preconditions": {"uid": _uid(pod)}}
            await sale.api.delete(paths.pods(sale.namespace, _name(pod)), options)
    done = renewed(later)
    desired = (await sale.replicaset())["spec"].get("replicas", 1)

    def ended(sight: Sight) -> bool:
        return done(sight) or stuck(fresh(sight, later))

    try:
        sight = await until(sale, ended, timeout=deadline.left(), tell=tell)
    except TimeoutError:
        raise await _failed(sale, desired, later, f"after {deadline.seconds:g} s") from None
    if not done(sight):
        raise await _failed(sale, desired, later, "and waiting longer will not help")


async def _failed(sale: Sale, desired: int, later: Sequence[str], when: str) -> NotReadyError:
    error = await explained(sale, desired, when)
    if later:
        error.args = (f"{error} {_going_on(len(later))}",)
    return error


def _going_on(count: int) -> str:
    return f"{counted(count, 'pod')} {'goes' if count == 1 else 'go'} on with the old version."


def _uid(pod: Object) -> str:
    return str(pod["metadata"].get("uid", ""))


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])
