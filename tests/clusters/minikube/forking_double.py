"""Forks the double for each call: `python -SE -m ...forking_double CODE SOCKET DESCRIPTOR OWNER`.

The start and the end of a Python are else most of what a call costs. What was forked is a process
as any other, with its own group, streams, signals and exit code.
"""

from __future__ import annotations

import gc
import marshal
import os
import sys
from pathlib import Path
from types import CodeType

from tests.forking.serving import serve


def run(code: CodeType, words: list[str]) -> int:
    """Be the double; returns its exit code."""
    sys.argv = words
    try:
        exec(code, {"__name__": "__main__"})
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


if __name__ == "__main__":
    compiled = marshal.loads(Path(sys.argv[1]).read_bytes())
    gc.disable()
    gc.freeze()
    request, _ = serve(*sys.argv[2:])
    status = run(compiled, request["words"])
    sys.stdout.flush()
    os._exit(status)
