"""Forks for each command that is asked for: `python -m tests.forking SOCKET DESCRIPTOR OWNER`."""

from __future__ import annotations

import atexit
import gc
import os
import random
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from flashsale.cli import main as program
from flashsale.embedded.process import __main__ as cluster
from flashsale.embedded.types.apitypes import type_of
from tests.command_line import check
from tests.forking import cluster_process
from tests.forking.serving import serve

ROOMS = ("base", "objects", "embedded", "kube", "clusters", "sale", "load", "drill", "doctor",
         "ui", "learn", "dashboard", "cli")  # fmt: skip


def main() -> None:
    """Fork for each request, until the tests have ended; what was forked does what it asks."""
    preload()
    become(*serve(*sys.argv[1:]))


def preload() -> None:
    """Import what commands need, and keep it out of the garbage collector's way."""
    for name in ("aiohttp", "cryptography.x509"):  # the latter for a cluster's first start
        import_module(name)
    for room in ROOMS:
        package = import_module(f"flashsale.{room}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                import_module(module.name)
    for words in (["status"], ["scale", "3"], ["up", "--manifest", "x"]):
        check(words)  # what reads a command line is imported as one is read
    for kind in ("v1/Node", "v1/Pod", "v1/Service", "apps/v1/ReplicaSet"):
        type_of(*kind.rsplit("/", 1))  # what is read of the schema is kept
    gc.collect()
    gc.freeze()


def become(request: dict[str, Any], streams: list[int]) -> None:
    """Make a process that was just forked the one that was asked for."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        reopen(number, name)
    random.seed()  # all of them would draw the same
    if request["cluster"]:
        sys.argv = ["flashsale", *request["words"], *map(str, streams[3:])]
        leave_quickly(cluster.main)
    else:
        cluster_process.let_them_be_forked(sys.argv[1])
        sys.argv = ["flashsale", *request["words"]]
        leave_quickly(program.main)


def leave_quickly(main: Callable[[], int | None]) -> None:
    """Run a program, and end without taking everything apart that was imported.

    That would copy each page of memory that is shared with what forks: three quarters of what a
    short command costs.
    """
    code: int | str | None = ""

    def leave() -> None:
        if not isinstance(code, str):
            with suppress(AttributeError, OSError, ValueError):  # Python's own end says it
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code or 0)

    atexit.register(leave)  # the first one is called last
    try:
        code = main()
    except SystemExit as error:
        code = error.code
        raise
    sys.exit(code)


def reopen(number: int, name: str) -> None:
    """Have a stream of Python's know which file it has now: a pipe, a terminal, or another."""
    old = getattr(sys, name)
    lines = name == "stderr" or os.isatty(number)
    mode = "r" if name == "stdin" else "w"
    new = open(number, mode, lines or -1, old.encoding, old.errors, closefd=False)  # noqa: SIM115
    setattr(sys, name, new)
    setattr(sys, f"__{name}__", new)


if __name__ == "__main__":
    main()
