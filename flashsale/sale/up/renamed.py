"""What earlier manifests called the sale's objects, where a newer one has other names.

Applied beside the old ones, they would share the buyers with them: a ReplicaSet of another name is
another one, and the labels of its pods are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from flashsale.base.errors import NoSaleError
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.kube import NotFoundError, paths
from flashsale.kube.apply import last_applied
from flashsale.sale.session import Sale

KINDS = {"replicaset.apps": paths.replicasets, "service": paths.services}


def left_over_names(before: SaleRecord | None, record: SaleRecord) -> tuple[str, ...]:
    """Name what the new names leave over, as kubectl prints it: `service/old-svc`.

    Args:
        before: of the sale as it was; where nothing was applied yet, nothing is ours.
        record: of the sale as it is to be.
    """
    if before is None or not before.applied or before.place != record.place:
        return ()
    there = _names(record)
    gone = [*before.former_names, *_names(before)]
    return tuple(dict.fromkeys(name for name in gone if name not in there))


async def delete_former(sale: Sale, former_names: Sequence[str]) -> list[str]:
    """Delete such objects, and name those that were there. Their pods still get their grace."""
    removed = []
    for word in former_names:
        kind, _, name = word.partition("/")
        with suppress(NotFoundError):
            options = {"propagationPolicy": "Background"}
            await sale.api.delete(KINDS[kind](sale.namespace, name), options)
            removed.append(word)
    return removed


async def replicas_set_by_hand(sale: Sale, former_names: Sequence[str]) -> int | None:
    """Give the number of pods that somebody set on such a ReplicaSet; None if nobody did."""
    for earlier in earlier_sales(sale, former_names):
        with suppress(NoSaleError):
            replicaset = await earlier.replicaset()
            applied = (last_applied(replicaset).get("spec") or {}).get("replicas", 1)
            if replicaset["spec"].get("replicas") != applied:
                return int(replicaset["spec"]["replicas"])
    return None


def earlier_sales(sale: Sale, former_names: Sequence[str]) -> list[Sale]:
    """Give the ReplicaSets among them as sales of their own, to be closed."""
    words = [word.partition("/") for word in former_names]
    return [replace(sale, name=name) for kind, _, name in words if kind == "replicaset.apps"]


def _names(record: SaleRecord) -> list[str]:
    return [f"replicaset.apps/{record.replicaset}", f"service/{record.service}"]
