"""`flashsale kubeconfig`."""

from __future__ import annotations

import typer

from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import shared
from flashsale.cli.output import print_result
from flashsale.clusters.state.directory import state_home


def kubeconfig(ctx: typer.Context) -> None:
    """Print the path of a kubeconfig for the sale's cluster.

    export KUBECONFIG=$(flashsale kubeconfig) makes kubectl speak to it, the embedded one included.
    """
    from flashsale.clusters.select import select_existing
    from flashsale.clusters.state.kubeconfig_file import write_kubeconfig

    typed = shared(ctx)
    choice = run(select_existing(typed.wanted))
    cluster, namespace = choice.cluster, typed.namespace or choice.record.namespace
    path = write_kubeconfig(state_home(), cluster.context, cluster.kubeconfig, namespace)
    print_result(typed, {"kubeconfig": str(path), "context": cluster.context}, lambda: str(path))
