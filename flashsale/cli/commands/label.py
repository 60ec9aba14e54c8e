"""`flashsale label`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flashsale.cli.event_loop import run
from flashsale.cli.options.global_options import Shared, shared
from flashsale.cli.output import note, print_result

if TYPE_CHECKING:
    from flashsale.objects.models import Pod


def label(
    ctx: typer.Context,
    pod: Annotated[str, typer.Argument(metavar="POD", help="Name of the pod, or its last part.")],
    labels: Annotated[
        list[str],
        typer.Argument(
            metavar="KEY=VALUE|KEY-...", help="Labels to set; a minus sign removes one."
        ),
    ],
) -> None:
    """Change the labels of a pod, as kubectl label does.

    A ReplicaSet lets a pod go that loses a label of its selector, and takes it back with it.
    """
    from flashsale.sale.label import parse_labels

    typed = shared(ctx)
    labelled = run(_label(typed, pod, parse_labels(labels)))
    now = labelled.raw["metadata"].get("labels") or {}
    shown = ",".join(f"{key}={value}" for key, value in sorted(now.items())) or "<none>"
    text = f"pod/{labelled.name} labeled; its labels: {shown}"
    print_result(typed, {"pod": labelled.name, "labels": now}, lambda: text)
    if labelled.terminating:
        note(f"Pod {labelled.name} is being deleted: its labels change nothing any more.")


async def _label(typed: Shared, pod: str, labels: dict[str, str | None]) -> Pod:
    from flashsale.sale.label import label_pod

    async with typed.sale() as sale:
        return await label_pod(sale, pod, labels)
