"""`flashsale doctor`."""

from __future__ import annotations

import typer


def doctor(ctx: typer.Context) -> None:
    """Check this machine, and say what `up` would choose."""
    from flashsale.cli.output import out, out_json
    from flashsale.cli.running import run
    from flashsale.cli.shared import shared
    from flashsale.clusters.home import state_home
    from flashsale.exercise.doctor import examine
    from flashsale.ui.findings import findings_view

    typed = shared(ctx)
    findings = run(examine(typed.wanted, state_home()))
    if typed.json:
        out_json([one.as_json() for one in findings])
    else:
        out(findings_view(findings))
