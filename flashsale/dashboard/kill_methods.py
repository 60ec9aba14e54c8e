"""The ways to kill a pod that the page offers, by the names of its buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flashsale.base.errors import BadInputError
from flashsale.sale.kill.kill_method import KillMethod

KILL_METHODS = {
    "graceful": KillMethod(),
    "hard": KillMethod(grace=0),
    "process": KillMethod(process=True),
}


def asked_kill_method(arguments: Mapping[str, Any]) -> KillMethod:
    """Read how to kill; BadInputError if there is no such way."""
    how = arguments.get("how", "graceful")
    if how not in KILL_METHODS:
        raise BadInputError(f"'{how}' is no way to kill a pod.", hint="flashsale kill-pod --help")
    return KILL_METHODS[how]
