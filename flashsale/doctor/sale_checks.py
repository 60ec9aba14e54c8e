"""What `doctor` says about the open sale, and what `up` would choose."""

from __future__ import annotations

import asyncio
from pathlib import Path

from flashsale.base.errors import FlashsaleError, Hint, NoSaleError
from flashsale.clusters import select
from flashsale.clusters.base import Cluster
from flashsale.clusters.select import ClusterOptions, SelectedCluster
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.doctor.finding import Finding
from flashsale.kube.kubeconfig import kubectl
from flashsale.sale.session import connect_to_cluster
from flashsale.sale.status import status

PATIENCE = 10.0  # seconds for the recorded cluster to say that it runs


async def check_sale(home: Path) -> tuple[Finding, bool]:
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
        return Finding(
            "sale", "ok", text, Hint("flashsale down", "or go on with it: flashsale up")
        ), False
    where = choice.cluster.describe()
    if await is_running(choice.cluster):
        wrong, hint = await find_trouble(choice)
        if wrong:
            return Finding("sale", "problem", wrong.rstrip("."), hint), False
        return Finding("sale", "ok", f"recorded on {where}, which runs"), False
    if not choice.cluster.can_be_started:
        look = kubectl(choice.cluster.context, "get nodes")
        return Finding("sale", "problem", f"recorded on {where}, which does not answer", look), True
    asleep = f"recorded on {where}, which is not running"
    return Finding("sale", "problem", asleep, "flashsale up"), True


async def find_trouble(choice: SelectedCluster) -> tuple[str, str]:
    """Say what is wrong with the open sale itself, and what to type; nothing if all is well."""
    try:
        async with (
            asyncio.timeout(PATIENCE),
            connect_to_cluster(choice, choice.record, None) as sale,
        ):
            return (await status(sale)).trouble, "flashsale up"
    except TimeoutError:
        return "the recorded cluster is slow to answer", "flashsale status"
    except FlashsaleError as error:
        return str(error), error.hint


async def is_running(cluster: Cluster) -> bool:
    """Whether a cluster runs; one that does not say so soon does not."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await cluster.running()
    except (TimeoutError, FlashsaleError):
        return False


async def check_choice(wanted: ClusterOptions, home: Path, *, asleep: bool) -> Finding:
    """Say what `up` would choose, and why; ``asleep``: the recorded sale's cluster does not run."""
    try:
        chosen = await select.select_for_up(wanted, home=home)
    except FlashsaleError as error:
        return Finding("up", "problem", str(error).rstrip("."), error.hint)
    start = asleep and chosen.record == SaleStore(home).read_if_usable()
    use = "start" if start and chosen.cluster.can_be_started else "use"
    return Finding("up", "ok", f"would {use} {chosen.cluster.describe()}: {chosen.why}")
