"""Reading a command line where Typer alone would misread it: negative numbers, unknown options."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NUMBER = re.compile(r"-\d+(\.\d+)?")


@contextmanager
def suggesting(ctx: Any) -> Iterator[None]:
    """Word an unknown option as we word an unknown command; let each mistake know its command."""
    from typer.exceptions import TyperException

    try:
        yield
    except TyperException as error:
        if not hasattr(error, "possibilities"):
            if getattr(error, "ctx", ctx) is None:  # a value that is missing at the end
                setattr(error, "ctx", ctx)  # noqa: B010 - only some have it
            raise
        close = f". Did you mean {error.possibilities[0]}?" if error.possibilities else ""
        ctx.fail(f"No such option: {getattr(error, 'option_name', '')}{close}")


def numbers_last(args: list[str], params: list[Any]) -> list[str]:
    """Put negative numbers behind `--`, where they are no options; values of options stay."""
    valued = {name for one in params if not getattr(one, "is_flag", True) for name in one.opts}
    head, rest = (
        (args[: args.index("--")], args[args.index("--") + 1 :]) if "--" in args else (args, [])
    )
    numbers = [
        at
        for at, word in enumerate(head)
        if NUMBER.fullmatch(word) and not (at and head[at - 1] in valued)
    ]
    others = [word for at, word in enumerate(head) if at not in numbers]
    return [*others, "--", *(head[at] for at in numbers), *rest]
