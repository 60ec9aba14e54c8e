"""The pod that somebody means: by its whole name, or by the end that tells it from the others."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from flashsale.base.errors import BadInputError
from flashsale.base.text import joined


def find_pod_name(typed: str, names: Sequence[str], *, command: str) -> str:
    """Return the name that ``typed`` is, or is the last part of: `5pgp7` of `flashsale-rs-5pgp7`.

    `pod/NAME` is what `kubectl get pods -o name` prints.

    Args:
        command: what is typed before the name, for the hint.

    Raises:
        BadInputError: no pod is called so, or several are.
    """
    typed = typed.removeprefix("pod/").removeprefix("pods/")
    if typed in names:
        return typed
    meant = [name for name in names if name.endswith(f"-{typed}")]
    if len(meant) == 1:
        return meant[0]
    if meant:
        raise BadInputError(f"'{typed}' may be {joined(meant)}.", hint=f"{command} {meant[0]}")
    close = get_close_matches(typed, names, n=1, cutoff=0.5)
    close = close or [name for name in names if name.endswith(typed)]
    question = f" Did you mean '{close[0]}'?" if close else ""
    raise BadInputError(
        f"There is no pod '{typed}' in the sale.{question}",
        hint=f"{command} {(close or names)[0]}" if names else "flashsale status",
    )
