"""Paths of the image: with a root of the container's own, and where the machine gives none."""

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.embedded.kubelet.runtime import container_root, instance
from tests.embedded.kubelet import apps
from tests.embedded.kubelet.cluster import Cluster, MemoryAPI, spec

DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /srv/shop
COPY . .
ENV SETTINGS=/srv/shop/settings.json
RUN mkdir -p /var/log/of-the-shop
"""
READER = """\
import os, socket
for path in ("/srv/shop/settings.json", os.environ["SETTINGS"]):
    print(open(path).read(), sorted(os.listdir("/srv/shop"))[:2], os.path.exists(path))
open("/srv/shop/written", "w").write("x")
open("/var/log/of-the-shop/new", "a").write("x")  # in a folder that the image alone has
print(os.path.exists("/srv/shop/written"), socket.gethostname())
"""


@pytest.fixture(params=["own root", "translated"])
async def cluster(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    images: ImageStore,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Cluster]:
    """A cluster whose containers have a root of their own, and one whose containers have none."""
    own = request.param == "own root"
    if own and not container_root.is_possible():
        pytest.skip("this machine gives nobody a root of their own")
    monkeypatch.setattr(instance, "is_possible", lambda: own)
    async with Cluster(tmp_path, images, MemoryAPI()) as running:
        yield running


async def output(cluster: Cluster, images: ImageStore, folder: Path, command: str) -> str:
    """Run an image with such a last line; returns what it says until it has said `done`."""
    files = {"main.py": READER, "settings.json": "{}", "Dockerfile": DOCKERFILE + command}
    dockerfile = apps.write(folder / "app", files)
    images.build("rooted:1", dockerfile.parent, dockerfile)
    cluster.api.create("p", spec("rooted:1"))
    await cluster.until_logged("p", "done")
    return cluster.log("p").decode()


@pytest.mark.parametrize(
    "command",
    [
        "CMD cd /srv/shop && python /srv/shop/main.py && echo done; sleep 9",
        'CMD ["sh", "-c", "python /srv/shop/main.py; echo done; sleep 9"]',
        "ENTRYPOINT python main.py; cat $SETTINGS; echo done; sleep 9",
    ],
)
async def test_absolute_paths_of_the_image_hold(
    cluster: Cluster, images: ImageStore, tmp_path: Path, command: str
) -> None:
    """In shell form, in cd, in ENV, and in the program's own open()."""
    said = await output(cluster, images, tmp_path, command)
    assert said.count("{} ['Dockerfile', 'main.py'] True") == 2
    assert "True p" in said


async def test_commands_of_probes_see_the_same_files(
    cluster: Cluster, images: ImageStore, tmp_path: Path
) -> None:
    """They are run in the same root."""
    files = {"main.py": "", "Dockerfile": DOCKERFILE + "CMD touch /tmp/x; sleep 9"}
    dockerfile = apps.write(tmp_path / "app", files)
    images.build("rooted:2", dockerfile.parent, dockerfile)
    probe = {"exec": {"command": ["test", "-f", "/srv/shop/main.py"]}, "periodSeconds": 0.1}
    cluster.api.create("p", spec("rooted:2", readinessProbe=probe))
    await cluster.ready("p")


async def test_only_a_root_of_its_own_gives_a_container_its_own_tmp_and_hostname(
    request: pytest.FixtureRequest, cluster: Cluster, images: ImageStore, tmp_path: Path
) -> None:
    """Programs that are not Python see them as well."""
    own = request.node.callspec.params["cluster"] == "own root"
    command = "CMD touch /tmp/of-a-container; hostname; cat /etc/hostname; echo done; sleep 9"
    said = await output(cluster, images, tmp_path, command)
    assert (said.split()[:2] == ["p", "p"]) is own
    left = Path("/tmp/of-a-container")
    assert left.exists() is not own  # noqa: ASYNC240  (nothing else runs)
    left.unlink(missing_ok=True)  # noqa: ASYNC240


@pytest.mark.parametrize("prefix", ["/usr", "/root/python"])
async def test_a_home_is_the_containers_own_and_short(
    cluster: Cluster,
    images: ImageStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    prefix: str,
) -> None:
    """Also where this Python lies below /root: gunicorn puts a socket there."""
    monkeypatch.setattr(sys, "base_prefix", prefix)
    said = await output(cluster, images, tmp_path, "CMD cd && pwd && touch x && echo done; sleep 9")
    home = Path(said.split()[0])
    if instance.is_possible():
        assert home.parts[:2] == ("/", "root")
        assert not os.path.exists(home / "x")  # noqa: ASYNC240  (nothing else runs)
    else:
        assert (home / "x").is_relative_to(tmp_path)
