"""The scripts that start and stop a real cluster."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.peers import programs
from tests.peers.namespaces import hierarchies
from tests.peers.node import SETTINGS
from tests.peers.running import (
    START,
    STOP,
    real_cluster,
    skip_unless_built,
    skip_unless_node_can_run,
)


def run(script: Path, *options: str | Path, peers: Path | None = None) -> tuple[int, str]:
    """Run a script; gives its exit code and all that it printed."""
    done = subprocess.run(
        [sys.executable, script, *options],
        env={"PATH": "/usr/bin:/bin", "FLASHSALE_PEERS": str(peers or programs.FOLDER)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=90,
        check=False,
    )
    return done.returncode, done.stdout


def processes_of(folder: Path) -> list[str]:
    """Return the command lines of running programs that name a folder."""
    commands = [read(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    return [command for command in commands if str(folder) in command]


def read(path: Path) -> str:
    """Read a command line, empty when its process has ended meanwhile."""
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


def groups(name: str) -> list[Path]:
    """Return the cgroups of a node."""
    return [top / name for top in hierarchies() if (top / name).exists()]


def interfaces() -> str:
    """Return what `ip` says about the machine's interfaces."""
    return subprocess.check_output(("ip", "-o", "link"), text=True)


@pytest.mark.thorough
def test_stop_leaves_nothing(tmp_path: Path) -> None:
    """A detached control plane ends with `stop`: no process, no file."""
    skip_unless_built(programs.CONTROL_PLANE)
    folder = tmp_path / "cluster"
    code, done = run(START, "--control-plane", "--folder", folder)
    try:
        assert (code, "export KUBECONFIG=" in done) == (0, True), done
        assert len(processes_of(folder)) >= len(programs.CONTROL_PLANE)
    finally:
        code, done = run(STOP, "--folder", folder)
    assert code == 0, done
    assert (processes_of(folder), folder.exists()) == ([], False)


@pytest.mark.thorough
def test_one_cluster_a_folder(tmp_path: Path) -> None:
    """A second start in the same folder is refused, with the command that ends the first."""
    skip_unless_built(programs.CONTROL_PLANE)
    folder = tmp_path / "cluster"
    with real_cluster(folder, "--control-plane"):
        code, done = run(START, "--control-plane", "--folder", folder)
    assert code == 1
    assert f"run tests/peers/stop --folder {folder}" in done


def test_programs_that_are_missing(tmp_path: Path) -> None:
    """Without the programs a start says which are missing and what makes them."""
    code, done = run(START, "--control-plane", "--folder", tmp_path / "cluster", peers=tmp_path)
    assert code == 1
    assert "not built: etcd, kube-apiserver" in done
    assert "tests/peers/build" in done


def test_stopping_what_does_not_run(tmp_path: Path) -> None:
    """`stop` can be called at any time."""
    code, done = run(STOP, "--folder", tmp_path / "cluster")
    assert code == 0, done


@pytest.mark.thorough
def test_a_node_leaves_nothing(tmp_path: Path) -> None:
    """A whole cluster becomes Ready, and after it nothing of it is left on the machine."""
    skip_unless_built(programs.NODE)
    skip_unless_node_can_run()
    settings = [Path("/proc/sys") / setting for setting in SETTINGS]
    before = [setting.read_text() for setting in settings]
    folder = tmp_path / "cluster"
    with real_cluster(folder):
        name = (folder / "name").read_text()
        assert groups(name) != []
        assert name in interfaces()
    assert (processes_of(folder), groups(name)) == ([], [])
    assert name not in interfaces()
    assert [setting.read_text() for setting in settings] == before


@pytest.mark.thorough
def test_nodes_of_one_cluster_are_joined(tmp_path: Path) -> None:
    """Each is Ready, and with the cluster both are gone."""
    skip_unless_built(programs.NODE)
    skip_unless_node_can_run()
    folder = tmp_path / "cluster"
    with real_cluster(folder, "--nodes", "2") as kubeconfig:
        kubectl = (str(programs.path("kubectl")), f"--kubeconfig={kubeconfig}")
        nodes = subprocess.check_output((*kubectl, "get", "nodes"), text=True)
        names = [(place / "name").read_text() for place in (folder, folder / "peer-1")]
        assert nodes.count(" Ready ") == 2
        assert all(name in interfaces() for name in names)
    assert processes_of(folder) == []
    assert not any(groups(name) for name in names)
    assert not any(name in interfaces() for name in names)
