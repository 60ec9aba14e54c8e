"""Files of a living cluster that are cut or hold rubbish: the next command mends them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.embedded.process import launch
from tests.embedded.process.test_launch import spoil, wait_for
from tests.embedded.processes import alive

LIMIT = 30.0  # seconds for what takes two on a free machine


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a cluster that runs."""
    folder = tmp_path_factory.mktemp("home") / "embedded"
    launch.start_cluster(folder)
    yield folder
    launch.stop_cluster(folder)


@pytest.mark.parametrize("how", ["cut", "rubbish", "empty", "gone", "folder"])
@pytest.mark.parametrize("name", ["cluster.json", "kubeconfig", "port", "format", "cluster.lock"])
def test_a_spoiled_file_is_written_again(home: Path, name: str, how: str) -> None:
    """The process is asked by its lock, which no content can spoil; what it says is whole again."""
    if name == "cluster.lock" and how in ("gone", "folder"):
        pytest.skip("without its lock a cluster cannot be told from a dead one")
    before = launch.find_cluster(home)
    spoil(home / name, how)
    found = launch.start_cluster(home)
    assert found == before
    assert json.loads((home / "cluster.json").read_text())["pid"] == found.pid
    assert "current-context: flashsale-embedded" in found.kubeconfig.read_text()


@pytest.mark.parametrize("name", ["cluster.json", "kubeconfig", "cluster.lock"])
def test_a_cluster_with_a_spoiled_file_can_be_stopped(tmp_path: Path, name: str) -> None:
    """Nobody is asked to kill a process by hand."""
    folder = tmp_path / "embedded"
    launch.start_cluster(folder)
    spoil(folder / name, "rubbish")
    assert launch.stop_cluster(folder)
    assert launch.find_cluster(folder) is None


WAYS_TO_LOSE = ("gone", "folder", "moved away")


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, int]]:
    """Clusters that all lost their folder or its lock at once, as each looks only now and then."""
    clusters = {}
    for how in WAYS_TO_LOSE:
        folder = tmp_path_factory.mktemp("lost") / "embedded"
        clusters[how] = folder, launch.start_cluster(folder).pid
    for how, (folder, _) in clusters.items():
        if how == "moved away":
            folder.rename(folder.with_name("away"))
        else:
            spoil(folder / "cluster.lock", how)
    return clusters


@pytest.mark.parametrize("how", WAYS_TO_LOSE)
def test_a_cluster_that_nobody_can_find_ends_by_itself(
    lost: dict[str, tuple[Path, int]], how: str
) -> None:
    """Its folder was taken away, or its lock; the next one starts as if it had never been."""
    folder, pid = lost[how]
    wait_for(lambda: not alive(pid), LIMIT)
    assert launch.start_cluster(folder).pid != pid
    assert launch.stop_cluster(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
@pytest.mark.parametrize("name", ["cluster.lock", "start.lock", "."])
def test_what_may_not_be_read_is_not_called_dead(home: Path, name: str) -> None:
    """The cluster lives on, also if its folder itself is closed for longer than it looks."""
    before, mode = launch.find_cluster(home), (home / name).stat().st_mode
    (home / name).chmod(0)
    try:
        with pytest.raises(ClusterUnreachableError, match="permission denied"):
            launch.stop_cluster(home)
    finally:
        (home / name).chmod(mode)
    assert launch.find_cluster(home) == before


def test_what_kubectl_wrote_into_the_kubeconfig_stays(home: Path) -> None:
    """`kubectl config set-context --namespace` edits that file: it is not broken by it."""
    file = home / "kubeconfig"
    edited = file.read_text() + "preferences: {}\n"
    file.write_text(edited)
    assert launch.find_cluster(home)
    assert file.read_text() == edited
