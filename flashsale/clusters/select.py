"""Which cluster a command works on: what was typed, else what `up` recorded, else what is here."""

from __future__ import annotations

import logging
import os
import shutil
import sys
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

from flashsale.base.errors import BadInputError, ClusterUnreachableError, NoSaleError, RefusedError
from flashsale.base.files import writable_home_hint
from flashsale.base.text import quoted
from flashsale.clusters.availability import MINIKUBE, NOTHING_ASKED, cluster_of, exists
from flashsale.clusters.base import Cluster, NewProfileOptions
from flashsale.clusters.embedded import EmbeddedCluster
from flashsale.clusters.state.directory import state_home, unwritable
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.kube import kubeconfig
from flashsale.kube.credentials import check_context, check_readable

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClusterOptions:
    """What the command line says about the cluster; None where it says nothing."""

    context: str | None = None
    cluster: str | None = None  # auto, minikube or embedded
    profile: str | None = None
    allow_remote: bool = False
    making: NewProfileOptions = field(
        default_factory=NewProfileOptions
    )  # of a minikube profile: `up` alone takes it

    @property
    def anything(self) -> bool:
        """Whether the command line says where to go at all."""
        return bool(self.context or self.profile or self.cluster not in (None, "auto"))


@dataclass(frozen=True, slots=True)
class SelectedCluster:
    """A cluster, why it is this one, and the record of a sale on it, as far as there is one."""

    cluster: Cluster
    why: str
    record: SaleRecord
    store: SaleStore  # where that is kept


async def select_for_up(wanted: ClusterOptions, *, home: Path | None = None) -> SelectedCluster:
    """Choose where `up` opens the sale; nothing is started.

    Raises:
        RefusedError: a context that is not local, without ``allow_remote``.
        BadInputError: a context that the kubeconfig does not have, or a state folder that cannot
            be written.
        ClusterUnreachableError: minikube was asked for by name, and is not there.
    """
    store = SaleStore(home or state_home())
    if wrong := unwritable(store.home):
        raise BadInputError(f"{wrong}.", hint=writable_home_hint())
    if wanted.anything:
        return _typed(wanted, store, await _still_there(store.read_if_usable()))
    recorded = store.read()
    if wanted.making.options and (recorded is None or recorded.kind != MINIKUBE):
        return _typed(replace(wanted, cluster=MINIKUBE), store, recorded)
    if recorded and await exists(recorded):
        refuse_if_not_local(recorded)
        return _selected(recorded, "the sale is there already", store, wanted.making)
    why = f"{cluster_of(recorded).describe()}, where the sale was, is gone; " if recorded else ""
    return await _best(recorded.profile if recorded else MINIKUBE, store, why, wanted.making)


async def select_existing(wanted: ClusterOptions, *, home: Path | None = None) -> SelectedCluster:
    """Choose where an open sale is, without a look whether it runs.

    Raises:
        NoSaleError: nothing was typed, nothing is recorded, and the embedded cluster does not run;
            or minikube's profile is gone.
        ClusterUnreachableError: minikube is stopped, or the context is not there any more.
        RefusedError, BadInputError: as :func:`select_for_up` does.
    """
    choice = await select_for_down(wanted, home=home)
    if choice.record.kind == MINIKUBE and choice.record.context not in kubeconfig.read():
        check_readable()
        if error := await choice.cluster.diagnosis():
            raise error
    return choice


async def select_for_down(wanted: ClusterOptions, *, home: Path | None = None) -> SelectedCluster:
    """Do as :func:`select_existing`, but take a minikube that is stopped, or gone, as well."""
    store = SaleStore(home or state_home())
    if wanted.anything:
        return _typed(wanted, store, store.read_if_usable())
    recorded = store.read()
    if recorded is None:
        return await _unrecorded(store)
    if recorded.kind == "context" and recorded.context not in kubeconfig.read():
        check_readable()
        where = cluster_of(recorded).describe()
        raise ClusterUnreachableError(
            f"The sale is on {where}, which the kubeconfig does not have any more.",
            hint="kubectl config get-contexts",
        )
    refuse_if_not_local(recorded)
    return _selected(recorded, "the sale is there already", store)


async def _unrecorded(store: SaleStore) -> SelectedCluster:
    """Take the embedded cluster if it runs: only its record is lost then. Else NoSaleError."""
    ours = EmbeddedCluster(store.home / "embedded")
    try:
        running = sys.platform != "win32" and await ours.running()
    except ClusterUnreachableError:
        running = False  # another version's
    if not running:
        raise NoSaleError("No sale is open here.", hint="flashsale up")
    record = SaleRecord("embedded", EmbeddedCluster.context)
    return SelectedCluster(ours, "it runs, and nothing is recorded", record, store)


async def _still_there(recorded: SaleRecord | None) -> SaleRecord | None:
    """Drop the record of a minikube profile that was deleted: it counts for nothing.

    What minikube cannot tell now, `up` will see.
    """
    if recorded is None or recorded.kind != MINIKUBE:
        return recorded
    try:
        return recorded if await exists(recorded) else None
    except ClusterUnreachableError:
        return recorded


def _typed(
    wanted: ClusterOptions, store: SaleStore, recorded: SaleRecord | None
) -> SelectedCluster:
    fresh, why = _meant(wanted, recorded)
    fresh = _adopted(fresh, recorded)
    refuse_if_not_local(fresh)
    return _selected(fresh, why, store, wanted.making)


def _meant(wanted: ClusterOptions, recorded: SaleRecord | None) -> tuple[SaleRecord, str]:
    """Turn the options into a record; contexts of clusters that we know better are those."""
    if wanted.context == EmbeddedCluster.context or wanted.cluster == "embedded":
        return SaleRecord("embedded", EmbeddedCluster.context), "you asked for it"
    if wanted.context and not _is_minikube(wanted.context, recorded):
        remote = wanted.allow_remote
        return SaleRecord("context", wanted.context, allow_remote=remote), "you asked for it"
    profile = wanted.context or wanted.profile or MINIKUBE
    return SaleRecord("minikube", profile, profile=profile), "you asked for it"


def _is_minikube(context: str, recorded: SaleRecord | None) -> bool:
    """Whether minikube wrote a context: then it can build the image and open a way in.

    It takes it away when it stops; then the name has to do.
    """
    if shutil.which(MINIKUBE) is None:
        return False
    kube_context = kubeconfig.read().get(context)
    if kube_context is not None:
        return kube_context.minikube
    ours = recorded is not None and (recorded.kind, recorded.context) == (MINIKUBE, context)
    return ours or context == MINIKUBE


def _adopted(fresh: SaleRecord, recorded: SaleRecord | None) -> SaleRecord:
    """Take over names and consent from the record if it is about the same cluster."""
    if recorded is None or (recorded.kind, recorded.context) != (fresh.kind, fresh.context):
        return fresh
    return replace(recorded, allow_remote=recorded.allow_remote or fresh.allow_remote)


def refuse_if_not_local(record: SaleRecord) -> None:
    """Raise BadInputError for a missing context, RefusedError for a remote one nobody allowed."""
    if record.kind != "context":
        return
    known = kubeconfig.read()
    kube_context = known.get(record.context)
    if kube_context is None:
        check_readable()
        files = kubeconfig.kubeconfig_files()
        if not any(file.exists() for file in files):
            raise BadInputError(
                f"There is no kubeconfig at {', '.join(map(str, files))}.",
                hint="flashsale doctor",
            )
        close = get_close_matches(record.context, known, n=1)
        raise BadInputError(
            f"The kubeconfig has no context '{record.context}'."
            + (f" Did you mean '{close[0]}'?" if close else ""),
            hint="kubectl config get-contexts",
        )
    if not kube_context.server:
        check_context(None, record.context)
    if not kube_context.local and not record.allow_remote:
        raise RefusedError(
            f"The context '{record.context}' ({kube_context.server}) is not a local cluster;"
            " flashsale kills pods, so it goes there only if you insist.",
            hint=f"flashsale up --context {quoted(record.context)} --allow-remote",
        )


async def _best(
    profile: str, store: SaleStore, why: str, making: NewProfileOptions
) -> SelectedCluster:
    """Choose without any word from the user: minikube where it can run, else embedded."""
    usable, reason = await minikube_usable(profile)
    if usable:
        record = SaleRecord("minikube", profile, profile=profile)
    else:
        record = SaleRecord("embedded", EmbeddedCluster.context)
    return _selected(record, why + reason, store, making)


async def minikube_usable(profile: str) -> tuple[bool, str]:
    """Whether minikube can carry the sale, and why, or why not."""
    if shutil.which(MINIKUBE) is None:
        return False, "minikube is not installed"
    from flashsale.clusters import minikube

    return await minikube.is_usable(profile)


def _selected(
    record: SaleRecord, why: str, store: SaleStore, making: NewProfileOptions = NOTHING_ASKED
) -> SelectedCluster:
    cluster = _cluster(record, store.home, making)
    LOG.info("using %s: %s (state in %s)", cluster.describe(), why, store.home)
    return SelectedCluster(cluster, why, record, store)


def _cluster(record: SaleRecord, home: Path, making: NewProfileOptions) -> Cluster:
    """Make the cluster of a record, and end what a killed command left open; or BadInputError."""
    if making.options and record.kind != MINIKUBE:
        raise BadInputError(
            f"{making.options} is for minikube, but you also ask for"
            f" {cluster_of(record).describe()}.",
            hint=f"flashsale up --cluster minikube {making.options}",
        )
    if record.kind == MINIKUBE:
        from flashsale.clusters.minikube.home import check_profile_name

        check_profile_name(record.profile)
    if os.path.isdir(home / "tunnels"):
        from flashsale.clusters.subprocesses import tunnels

        tunnels.end_left(home)  # whatever a killed command has left
    return cluster_of(record, home, making)


def profile_of_interest(wanted: ClusterOptions, home: Path) -> str:
    """Name the minikube profile to look at: typed, or recorded, or the usual one."""
    recorded = SaleStore(home).read_if_usable()
    named = recorded.profile if recorded and recorded.kind == MINIKUBE else None
    return wanted.profile or named or MINIKUBE
