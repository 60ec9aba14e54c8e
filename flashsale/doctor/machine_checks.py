"""What this machine has, and what `up` would choose; each finding with what mends it."""

from __future__ import annotations

import asyncio
import platform
import shlex
import shutil
import sys
from pathlib import Path

from flashsale.base.errors import FlashsaleError, NoSaleError
from flashsale.clusters import select
from flashsale.clusters.base import Cluster
from flashsale.clusters.minikube.profile import asked_once
from flashsale.clusters.select import ClusterOptions, SelectedCluster
from flashsale.clusters.state.directory import ELSEWHERE, nearest, unwritable
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.doctor import cluster_checks
from flashsale.doctor.cluster_checks import Finding
from flashsale.kube import kubeconfig as contexts
from flashsale.sale.session import connect
from flashsale.sale.status import status

LEAST_PYTHON = (3, 11)
PATIENCE = 10.0  # seconds for the recorded cluster to say that it runs
SLOW = 12.0  # seconds for `minikube status`, which a wrong entry in the kubeconfig makes slow
LEAST_FREE = 1 << 30  # bytes; a flashsale image and minikube's node need more, the embedded less


async def examine(wanted: ClusterOptions, home: Path) -> list[Finding]:
    """Look at everything; nothing is started or changed."""
    async with asked_once(SLOW):
        elsewhere, (recorded, asleep) = await asyncio.gather(
            cluster_checks.all_of_them(select.profile_of_interest(wanted, home)), sale(home)
        )
        chosen = await choice(wanted, home, asleep=asleep)
    return [
        python(sys.version_info[:3]),
        state(home),
        disk(home),
        embedded(),
        *elsewhere,
        *kubeconfig(),
        recorded,
        chosen,
    ]


def python(version: tuple[int, ...]) -> Finding:
    """Judge the interpreter."""
    text = f"Python {'.'.join(map(str, version))} on {platform.system()} {platform.machine()}"
    if version[:2] < LEAST_PYTHON:
        return Finding("python", "problem", f"{text} is too old", "install Python 3.11 or newer")
    return Finding("python", "ok", text)


def state(home: Path) -> Finding:
    """Judge the folder that everything is kept in: can it be written?"""
    if wrong := unwritable(home):
        return Finding("state", "problem", wrong, ELSEWHERE)
    return Finding("state", "ok", f"kept in {home}")


def disk(home: Path) -> Finding:
    """Judge the room on the disk of the state folder."""
    place = nearest(home)
    free = shutil.disk_usage(place).free
    text = f"{free / (1 << 30):.1f} GiB free in {place}"
    if free > LEAST_FREE:
        return Finding("disk", "ok", text)
    return Finding("disk", "problem", f"{text}: too little", f"df -h {shlex.quote(str(place))}")


def kubeconfig() -> list[Finding]:
    """List the contexts that `--context` could name, and the files that cannot be read."""
    broken = [
        Finding("contexts", "problem", wrong, f"ls -l {contexts.quoted(file)}")
        for file, wrong in contexts.problems()
    ]
    found = sorted(contexts.read().values(), key=lambda one: one.name)
    if found or not broken:
        broken.append(_contexts(found))
    return broken


def _contexts(found: list[contexts.KubeContext]) -> Finding:
    if not found:
        return Finding("contexts", "absent", "no kubeconfig with a context")
    near = [one.name for one in found if one.local or one.minikube]
    far = [one.name for one in found if one.name not in near]
    text = ", ".join(near) or "none of this machine"
    if far:
        text += f"; not of this machine, so only with --allow-remote: {', '.join(far)}"
    return Finding("contexts", "ok", text)


def embedded() -> Finding:
    """Judge whether the embedded cluster can run here."""
    if sys.platform == "win32":
        return Finding("embedded", "problem", "needs Linux or macOS", "flashsale up --context NAME")
    ports = "" if sys.platform == "linux" else "; pods share one address here, each with its port"
    return Finding("embedded", "ok", f"needs nothing but this Python{ports}")


async def sale(home: Path) -> tuple[Finding, bool]:
    """Tell what is recorded and how it fares, and whether its cluster has to be started."""
    try:
        recorded = SaleStore(home).read()
        choice = await select.select_existing(ClusterOptions(), home=home)
    except FlashsaleError as error:
        if isinstance(error, NoSaleError):
            known = SaleStore(home).read_if_usable()
            text = str(error).rstrip(".") if known else "none is open"
            return Finding("sale", "absent", text, "flashsale up"), False
        return Finding("sale", "problem", str(error).rstrip("."), error.hint), True
    if recorded is None:
        text = "none is recorded, but the embedded cluster runs"
        return Finding("sale", "ok", text, "flashsale status, or flashsale down"), False
    where = choice.cluster.describe()
    if await runs(choice.cluster):
        wrong, hint = await trouble(choice)
        if wrong:
            return Finding("sale", "problem", wrong.rstrip("."), hint), False
        return Finding("sale", "ok", f"recorded on {where}, which runs"), False
    if not choice.cluster.can_be_started:
        look = f"kubectl --context {choice.cluster.context} get nodes"
        return Finding("sale", "problem", f"recorded on {where}, which does not answer", look), True
    asleep = f"recorded on {where}, which is not running"
    return Finding("sale", "problem", asleep, "flashsale up"), True


async def trouble(choice: SelectedCluster) -> tuple[str, str]:
    """Say what is wrong with the open sale itself, and what to type; nothing if all is well."""
    try:
        async with asyncio.timeout(PATIENCE), connect(choice, choice.record, None) as found:
            return (await status(found)).trouble, "flashsale up"
    except TimeoutError:
        return "the recorded cluster is slow to answer", "flashsale status"
    except FlashsaleError as error:
        return str(error), error.hint


async def runs(cluster: Cluster) -> bool:
    """Whether a cluster runs; one that does not say so soon does not."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await cluster.running()
    except (TimeoutError, FlashsaleError):
        return False


async def choice(wanted: ClusterOptions, home: Path, *, asleep: bool) -> Finding:
    """Say what `up` would choose, and why.

    Args:
        asleep: the cluster of the recorded sale does not run.
    """
    try:
        chosen = await select.select_for_up(wanted, home=home)
    except FlashsaleError as error:
        return Finding("up", "problem", str(error).rstrip("."), error.hint)
    start = asleep and chosen.record == SaleStore(home).read_if_usable()
    use = "start" if start and chosen.cluster.can_be_started else "use"
    return Finding("up", "ok", f"would {use} {chosen.cluster.describe()}: {chosen.why}")
