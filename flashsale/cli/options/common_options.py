"""Options that several commands share, each worded once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.base.errors import BadInputError
from flashsale.base.ranges import check_range

if TYPE_CHECKING:
    from flashsale.sale.kill.kill_method import KillMethod

LONGEST_GRACE = 86_400  # seconds: a day

Rate = Annotated[
    float,
    typer.Option(
        "--rate", metavar="N", help="Purchases a second.  [default: 100]", show_default=False
    ),
]
Grace = Annotated[
    int | None,
    typer.Option(
        "--grace", metavar="SECONDS", help="Grace period in seconds.  [default: the pod's own]"
    ),
]
Hard = Annotated[
    bool, typer.Option("--hard", help="No grace period, as --grace 0: preStop gets about 1 s.")
]
Process = Annotated[
    bool, typer.Option("--process", help="Kill the process instead: the same pod starts it again.")
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed", metavar="N", help="Choose the same pods every time.  [default: at random]"
    ),
]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Do not wait until the pods are ready.")]
Patience = Annotated[
    str, typer.Option("--timeout", metavar="TIME", help="How long to wait for ready pods.")
]
InCluster = Annotated[
    bool, typer.Option("--in-cluster", help="Send from pods in the sale's cluster, by a Job.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        "--workers",
        metavar="N",
        help="Pods that send, with --in-cluster.  [default: one for 3,000 a second]",
    ),
]
WorkerImage = Annotated[
    str | None,
    typer.Option(
        "--worker-image",
        metavar="NAME",
        help="Image with Python 3.11 or newer to send from.  [default: the shop's own]",
    ),
]
NodeSelector = Annotated[
    list[str] | None,
    typer.Option(
        "--node-selector", metavar="K=V", help="Send from such nodes only; may be repeated."
    ),
]


def read_kill_method(command: str, *, grace: int | None, hard: bool, process: bool) -> KillMethod:
    """Read how to kill; BadInputError for options that contradict each other, or mean nothing."""
    from flashsale.sale.kill.kill_method import KillMethod

    hint = f"flashsale {command} --help"
    if (grace is not None) + hard + process > 1:
        raise BadInputError("Give only one of --grace, --hard, --process.", hint=hint)
    check_range("--grace", grace, 0, LONGEST_GRACE, hint=hint)
    return KillMethod(0 if hard else grace, process)
