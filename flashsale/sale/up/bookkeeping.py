"""What `up` writes down, so that every later command finds the sale, and `up` its files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from flashsale.base.errors import BadInputError
from flashsale.base.text import joined
from flashsale.clusters.availability import cluster_of
from flashsale.clusters.base import Progress
from flashsale.clusters.state.sale_record import REPLICASET, SERVICE, SaleRecord
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.sale.files import manifest as manifests
from flashsale.sale.files.app_folder import Project
from flashsale.sale.session import Sale
from flashsale.sale.up import renamed as former
from flashsale.sale.up.renamed import left_over_names


def new_record(
    record: SaleRecord, project: Project, namespace: str | None, before: SaleRecord | None
) -> SaleRecord:
    """Write down where the sale is, with the names of its manifest, and the folder it came from.

    The namespace is the one that was typed, else the manifest's, else the sale's so far.

    Args:
        before: what is recorded until now.
    """
    manifest = project.manifest
    if namespace and manifest.namespace and namespace != manifest.namespace:
        raise manifests.wrong(
            manifest.source, f"says namespace {manifest.namespace}, but you say {namespace}"
        )
    opened = replace(
        record,
        namespace=namespace or manifest.namespace or record.namespace,
        replicaset=manifest.name,
        service=manifest.service_name,
        folder=str(project.folder or ""),
        applied=True,
    )
    return replace(opened, former_names=left_over_names(before, opened))


def folder_of(record: SaleRecord, namespace: str | None) -> str:
    """Give the folder that a sale came from; another namespace's is another sale."""
    return record.folder if namespace in (None, record.namespace) else ""


def note_started_cluster(store: SaleStore, record: SaleRecord) -> None:
    """Note a cluster that was just started, so that `down` finds it whatever happens next.

    Not the manifest's names yet: until its objects are applied, those of others may have them.
    """
    if not store.path.exists():
        store.write(replace(record, replicaset=REPLICASET, service=SERVICE, applied=False))


def write_record(store: SaleStore, record: SaleRecord, progress: Progress) -> None:
    """Note the sale; one on another cluster or in another namespace is not forgotten in silence."""
    before = store.read_if_usable()
    if before and before.place != record.place:
        cluster, space = cluster_of(before), before.namespace
        progress.note(f"The sale on {cluster.describe()}, namespace {space}, stays; to close it:")
        progress.note(f"  flashsale down {cluster.cli_options()} -n {space}")
    if before != record:
        store.write(record)


@contextmanager
def record_taken_back(store: SaleStore, before: SaleRecord | None) -> Iterator[None]:
    """Record again what was recorded before, if the server refuses what the new record names."""
    try:
        yield
    except BadInputError:
        if before:
            store.write(before)
        else:
            store.forget()
        raise


async def remove_renamed(sale: Sale, record: SaleRecord, progress: Progress) -> SaleRecord:
    """Remove what earlier manifests called otherwise, say so, and note that it is done."""
    for gone in await former.delete_former(sale, record.former_names):
        progress.note(f"{gone} deleted: the manifest has another name now")
    return replace(record, former_names=())


def renamed_stay_line(record: SaleRecord) -> str:
    """Say what is left of an earlier manifest because nobody waits for the new pods."""
    names = record.former_names
    stay, it = ("stays", "it") if len(names) == 1 else ("stay", "them")
    return (
        f"{joined(names)} {stay} for now (--no-wait), though the manifest has another name;"
        f" the next flashsale up removes {it}."
    )
