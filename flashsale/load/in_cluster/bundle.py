"""The worker as one archive of source files, which any Python 3.11 runs: ``python worker.zip``."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from flashsale.load import worker

EPOCH = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes, whenever they are packed
PACKAGES = ("flashsale", "flashsale/load")  # each needs an __init__.py, and no word in it
MAIN = """import signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit())  # process 1 would ignore it
if sys.version_info < (3, 11):
    sys.exit("Python %d.%d is too old: a worker needs 3.11." % sys.version_info[:2])
from flashsale.load.worker.in_pod.__main__ import main
main()
"""


def pack_worker() -> bytes:
    """Pack the worker's folder, which imports the standard library alone."""
    folder = Path(worker.__file__).parent
    files = {"__main__.py": MAIN, **{f"{package}/__init__.py": "" for package in PACKAGES}}
    for source in folder.rglob("*.py"):
        inside = source.relative_to(folder).as_posix()
        files[f"flashsale/load/worker/{inside}"] = source.read_text()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(files):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), files[name], zipfile.ZIP_DEFLATED)
    return packed.getvalue()
