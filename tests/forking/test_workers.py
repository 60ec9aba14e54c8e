"""What runs all other tests: nothing that goes wrong in a worker may be lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.forking.client import ROOT

CONFTEST = """\
import pytest
from tests.forking.workers import ForkedWorkers

def pytest_configure(config):
    config.pluginmanager.register(ForkedWorkers(2))

@pytest.fixture(scope="session")
def ends_badly():
    yield
    raise RuntimeError
"""
ONE = """\
import os, warnings
def test_passes(): pass
def test_dies(): os._exit(0)
def test_comes_after(tmp_path): warnings.warn("watch out")
def test_fails(): assert print("printed")
"""
TWO = """\
import pytest
@pytest.mark.skip(reason="why not")
def test_is_skipped(): pass
def test_whose_worker_ends_badly(ends_badly): pass
"""


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux only")
def test_all_that_happens_in_workers_is_reported(tmp_path: Path) -> None:
    """A test in which its worker dies has failed, and the others of that file still run."""
    for name, text in (("conftest", CONFTEST), ("test_one", ONE), ("test_two", TWO)):
        (tmp_path / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-ra", "-c", "/dev/null", "."]
    path = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=path, capture_output=True, text=True)
    assert done.returncode == 1
    for line in ("SKIPPED [1] test_two.py:2: why not", "Captured stdout call", "watch out",
                 "FAILED test_one.py::test_dies - A worker ended",
                 "FAILED test_one.py::test_fails",
                 "FAILED test_two.py::test_whose_worker_ends_badly",
                 "3 failed, 3 passed, 1 skipped, 1 warning"):  # fmt: skip
        assert line in done.stdout, done.stdout
