"""Options that several commands share, each worded once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import click

from flashsale.base.errors import BadInputError
from flashsale.base.ranges import check_range

if TYPE_CHECKING:
    from flashsale.sale.kill.kill_method import KillMethod

flag = partial(click.option, is_flag=True)
LONGEST_GRACE = 86_400  # seconds: a day

rate = click.option(
    "--rate",
    type=float,
    default=100.0,
    show_default=False,
    metavar="N",
    help="Purchases a second.  [default: 100]",
)
grace = click.option(
    "--grace",
    type=int,
    metavar="SECONDS",
    help="Grace period in seconds.  [default: the pod's own]",
)
hard = flag("--hard", help="No grace period, as --grace 0: preStop gets about 1 s.")
process = flag("--process", help="Kill the process instead: the same pod starts it again.")
seed = click.option(
    "--seed", type=int, metavar="N", help="Choose the same pods every time.  [default: at random]"
)
no_wait = flag("--no-wait", help="Do not wait until the pods are ready.")
patience = click.option(
    "--timeout", default="120s", metavar="TIME", help="How long to wait for ready pods."
)
in_cluster = flag("--in-cluster", help="Send from pods in the sale's cluster, by a Job.")
workers = click.option(
    "--workers",
    type=int,
    metavar="N",
    help="Pods that send, with --in-cluster.  [default: one for 3,000 a second]",
)
worker_image = click.option(
    "--worker-image",
    metavar="NAME",
    help="Image with Python 3.11 or newer to send from.  [default: the shop's own]",
)
node_selector = click.option(
    "--node-selector",
    multiple=True,
    metavar="K=V",
    help="Send from such nodes only; may be repeated.",
)


def read_kill_method(command: str, *, grace: int | None, hard: bool, process: bool) -> KillMethod:
    """Read how to kill.

    Raises:
        BadInputError: options that contradict each other, or a number that means nothing.
    """
    from flashsale.sale.kill.kill_method import KillMethod

    hint = f"flashsale {command} --help"
    if (grace is not None) + hard + process > 1:
        raise BadInputError("Give only one of --grace, --hard, --process.", hint=hint)
    check_range("--grace", grace, 0, LONGEST_GRACE, hint=hint)
    return KillMethod(0 if hard else grace, process)
