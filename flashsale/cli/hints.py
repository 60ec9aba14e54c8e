"""A hint is the whole command: what was typed about where the sale is stands in it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from flashsale.base.errors import Hint
from flashsale.cli.command_list import SALE, entry
from flashsale.cli.options.global_options import Shared

PLACE = {"context": "--context", "cluster": "--cluster", "profile": "--profile"}
NEXT = " && "
ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")  # TERM=dumb


def placed(hint: Hint, typed: Shared, arguments: Sequence[str] = ()) -> Hint:
    """Add what was typed of the cluster, the namespace and `up`'s files to our commands in a hint.

    Args:
        arguments: the command line that failed: where `up` helps an `up`, all of it is repeated.
    """
    parts = (_placed(part, typed, arguments) for part in hint.command.split(NEXT))
    return Hint(NEXT.join(parts), hint.words)


def _placed(command: str, typed: Shared, arguments: Sequence[str]) -> str:
    variable, _, rest = command.partition(" ")
    if rest and ASSIGNMENT.fullmatch(variable):
        return f"{variable} {_placed(rest, typed, arguments)}"
    if command == "flashsale up" and "up" in arguments:
        return shlex.join(["flashsale", *arguments])
    if command.endswith(" --allow-remote") and "--" not in arguments:
        return shlex.join(["flashsale", *arguments, "--allow-remote"])
    words = command.split(maxsplit=2)
    known = entry(words[1]) if len(words) > 1 and words[0] == "flashsale" else None
    if known is None or known.shared != SALE:
        return command
    options = list(_options(words[2].split() if len(words) > 2 else [], typed))
    return " ".join([*words[:2], shlex.join(options), *words[2:]]) if options else command


def _options(words: Sequence[str], typed: Shared) -> Iterator[str]:
    """Yield the options that a command lacks; one that names a cluster itself lacks none."""
    if not {*PLACE.values(), "--help"} & {*words}:
        for name, option in PLACE.items():
            if value := getattr(typed, name):
                yield from (option, value)
        if typed.allow_remote and "--allow-remote" not in words:
            yield "--allow-remote"
    if typed.namespace and not {"-n", "--namespace", "--help", "-A"} & {*words}:
        yield from ("-n", typed.namespace)
