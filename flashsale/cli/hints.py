"""A hint is the whole command: what was typed about where the sale is stands in it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from flashsale.base.errors import Hint
from flashsale.cli.command_list import SALE, entry
from flashsale.cli.global_options import Shared

PLACE = {"context": "--context", "cluster": "--cluster", "profile": "--profile"}
NEXT = " && "


def placed(hint: Hint, typed: Shared) -> Hint:
    """Add the cluster and the namespace that were typed to each command of ours in a hint."""
    parts = (_placed(part, typed) for part in hint.command.split(NEXT))
    return Hint(NEXT.join(parts), hint.words)


def _placed(command: str, typed: Shared) -> str:
    words = command.split(maxsplit=2)
    known = entry(words[1]) if len(words) > 1 and words[0] == "flashsale" else None
    options = list(_options(shlex.split(command), typed)) if known and known.shared == SALE else []
    return " ".join([*words[:2], shlex.join(options), *words[2:]]) if options else command


def _options(argv: list[str], typed: Shared) -> Iterator[str]:
    """Yield the options that a command lacks; one that names a cluster itself lacks none."""
    if not {*PLACE.values(), "--help"} & {*argv}:
        for name, option in PLACE.items():
            if value := getattr(typed, name):
                yield from (option, value)
        if typed.allow_remote and "--allow-remote" not in argv:
            yield "--allow-remote"
    if typed.namespace and not {"-n", "--namespace", "--help", "-A"} & {*argv}:
        yield from ("-n", typed.namespace)
