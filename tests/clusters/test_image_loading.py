"""Getting an image into somebody else's cluster."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError
from flashsale.clusters.base import App, BuildOptions
from flashsale.clusters.context import ContextCluster
from flashsale.clusters.image_loading import Loader, LoadError, build_and_load, loader_of
from tests.clusters.minikube.double_world import RecordedProgress


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """kind and k3d, which note their arguments; `fail` beside them makes them fail."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("kind", "k3d"):
        program = programs / name
        program.write_text(
            f"#!{sys.executable} -SE\n"
            "import pathlib, sys\n"
            "here = pathlib.Path(__file__).parent\n"
            "(here / 'words').write_text(' '.join([pathlib.Path(__file__).name, *sys.argv[1:]]))\n"
            "print('no such cluster', file=sys.stderr)\n"
            "sys.exit((here / 'fail').exists())\n"
        )
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return programs


@pytest.fixture(autouse=True)
def _this_docker(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Where a test uses an engine, it is the one that was found."""
    if "docker_socket" in request.fixturenames:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{request.getfixturevalue('docker_socket')}")


@pytest.mark.parametrize(
    ("context", "expected"),
    [
        ("kind-shop", Loader("kind", "shop")),
        ("k3d-shop", Loader("k3d", "shop")),
        ("docker-desktop", Loader("", "docker-desktop")),
        ("kind-", None),
        ("mankind-shop", None),
        ("gke_project_zone_shop", None),
    ],
)
def test_owner_is_told_by_the_contexts_name(context: str, expected: Loader | None) -> None:
    """That is how kind and k3d name theirs."""
    assert loader_of(context) == expected


@pytest.mark.parametrize(
    ("context", "words"),
    [
        ("kind-shop", "kind load docker-image {image} --name shop"),
        ("k3d-shop", "k3d image import {image} --cluster shop"),
    ],
)
async def test_image_is_built_and_loaded(
    tools: Path, app: App, image_name: str, context: str, words: str
) -> None:
    """Through the tool that owns the cluster."""
    progress = RecordedProgress()
    image = await build_and_load(context, app, image_name, BuildOptions(), progress)
    assert (image.name, image.built) == (image_name, True)
    assert (tools / "words").read_text() == words.format(image=image_name)
    assert progress.steps[-1].startswith(
        f"Loading {image_name} into {words.partition(' ')[0]} cluster"
    )


async def test_failed_load_shows_what_the_tool_said(tools: Path, app: App, image_name: str) -> None:
    """And the command to try by hand."""
    (tools / "fail").touch()
    with pytest.raises(LoadError, match="code 1") as caught:
        await build_and_load("kind-shop", app, image_name, BuildOptions(), RecordedProgress())
    assert "no such cluster" in caught.value.details
    assert caught.value.hint.startswith("kind load docker-image")


async def test_missing_tool_is_named(
    app: App, image_name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The cluster is there, its tool is not."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LoadError, match="k3d, which owns this cluster"):
        await build_and_load("k3d-shop", app, image_name, BuildOptions(), RecordedProgress())


async def test_other_clusters_need_a_registry(app: App) -> None:
    """Said before anything is built."""
    with pytest.raises(BadInputError, match="but a registry") as caught:
        await build_and_load("prod-eu", app, "flashsale:1.0", BuildOptions(), RecordedProgress())
    assert "--push" in caught.value.hint


async def test_image_of_a_repository_is_left_to_the_cluster(app: App) -> None:
    """`--image`: nothing to build, no Docker needed."""
    progress = RecordedProgress()
    image = await build_and_load("prod-eu", app, "me/sale:2", BuildOptions(), progress)
    assert (image.name, image.built) == ("me/sale:2", False)
    assert "by itself" in progress.notes[0]


@pytest.mark.parametrize(
    ("context", "begin"),
    [("kind-shop", "kind get nodes --name shop | "), ("k3d-shop", "docker ps ")],
)
def test_purging_says_how_the_image_leaves_the_nodes(context: str, begin: str) -> None:
    """One command line, for all nodes of the cluster; nothing where no image is known."""
    progress = RecordedProgress()
    cluster = ContextCluster(context)
    asyncio.run(cluster.remove_images("sha256:abc", progress))
    command = progress.notes[0].partition("to remove it: ")[2]
    assert command.startswith(begin)
    assert command.endswith(" docker exec NODE crictl rmi sha256:abc")
    assert subprocess.run(["bash", "-n", "-c", command], check=False).returncode == 0
    asyncio.run(cluster.remove_images("", progress))
    assert len(progress.notes) == 1
