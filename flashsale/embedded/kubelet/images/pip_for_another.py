"""Runs the pip of one environment for another: `PYTHON pip_for_another.py FOLDER WORD...`.

`pip --python` does the same, but only once it has imported all of itself: half a second. FOLDER is
where that pip lies; nothing else in there counts as installed.
"""

from __future__ import annotations

import runpy
import sys
from importlib.machinery import ModuleSpec, PathFinder


class PipAlone:
    """Finds pip in a folder, and no other package."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return where pip is; None for all else."""
        return PathFinder.find_spec(name, [self._folder]) if name == "pip" else None


if __name__ == "__main__":
    sys.meta_path.insert(0, PipAlone(sys.argv.pop(1)))
    runpy.run_module("pip", run_name="__main__", alter_sys=True)
