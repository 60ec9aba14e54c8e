"""Files of a living cluster that are cut or hold rubbish: the next command mends them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flashsale.embedded.process import launch

RUBBISH = b"\x00\xff{]rubbish"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a cluster that runs."""
    folder = tmp_path_factory.mktemp("home") / "embedded"
    launch.start(folder)
    yield folder
    launch.stop(folder)


@pytest.mark.parametrize("how", ["cut", "rubbish", "empty", "gone"])
@pytest.mark.parametrize("name", ["cluster.json", "kubeconfig", "port", "cluster.lock"])
def test_a_spoiled_file_is_written_again(home: Path, name: str, how: str) -> None:
    """The process is asked by its lock, which no content can spoil; what it says is whole again."""
    if (name, how) == ("cluster.lock", "gone"):
        pytest.skip("without its lock a cluster cannot be told from a dead one")
    before = launch.find(home)
    spoil(home / name, how)
    found = launch.start(home)
    assert found == before
    assert json.loads((home / "cluster.json").read_text())["pid"] == found.pid
    assert "current-context: flashsale-embedded" in found.kubeconfig.read_text()


@pytest.mark.parametrize("name", ["cluster.json", "kubeconfig", "cluster.lock"])
def test_a_cluster_with_a_spoiled_file_can_be_stopped(tmp_path: Path, name: str) -> None:
    """Nobody is asked to kill a process by hand."""
    folder = tmp_path / "embedded"
    launch.start(folder)
    spoil(folder / name, "rubbish")
    assert launch.stop(folder)
    assert launch.find(folder) is None


def test_what_kubectl_wrote_into_the_kubeconfig_stays(home: Path) -> None:
    """`kubectl config set-context --namespace` edits that file: it is not broken by it."""
    file = home / "kubeconfig"
    edited = file.read_text() + "preferences: {}\n"
    file.write_text(edited)
    assert launch.find(home)
    assert file.read_text() == edited


def spoil(file: Path, how: str) -> None:
    """Damage a file as a full disk, a slip or a stranger does."""
    content = file.read_bytes()
    if how == "gone":
        file.unlink(missing_ok=True)
    else:
        file.write_bytes({"cut": content[:-40], "rubbish": RUBBISH, "empty": b""}[how])
