"""Fixtures that need a real Docker engine; each says why it skips where there is none."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from flashsale.docker import Engine, connected
from tests.docker.engine_proxies import engine_socket

BASE = "python:3.11-slim"
ROOT = Path(__file__).parents[2]
# bcrypt of "sesame", cheap on purpose
HTPASSWD = "shop:$2b$04$pHtdL4yvLqKIrghQ4UoRX.Sz2W/dhOlsU3GiIvieLAU3ZOKfX9PSy\n"


@pytest.fixture(scope="session")
def docker_socket() -> Path:
    """The socket of a running Docker engine."""
    found = engine_socket()
    if found is None:
        pytest.skip("no Docker engine answers here: run tests/docker/prepare")
    return found


@pytest.fixture
async def engine(docker_socket: Path) -> AsyncIterator[Engine]:
    """A connection to the engine that is there."""
    async with connected({"DOCKER_HOST": f"unix://{docker_socket}"}) as found:
        yield found


@pytest.fixture(scope="session")
def base_image(docker_socket: Path) -> str:
    """The exercise's base image, or its stand-in."""
    import docker

    client = docker.DockerClient(base_url=f"unix://{docker_socket}")
    try:
        client.images.get(BASE)
    except docker.errors.ImageNotFound:
        pytest.skip(f"the engine has no {BASE}: run tests/docker/prepare")
    finally:
        client.close()
    return BASE


def own_layers(base: str = "scratch") -> str:
    """Begin a Dockerfile whose layers no other image has: removing one takes nobody's away."""
    return f"FROM {base}\nLABEL test={secrets.token_hex(8)}\n"


def small_app(folder: Path) -> Path:
    """Make a folder with a small app, whose Dockerfile needs no base image."""
    folder.mkdir()
    (folder / "app.py").write_text("print('sale')\n")
    (folder / "Dockerfile").write_text(f"{own_layers()}COPY app.py /app.py\n")
    return folder


@pytest.fixture
def image_name(docker_socket: Path) -> Iterator[str]:
    """A name that no image has; whatever is called so afterwards is removed."""
    yield from image_name_of_its_own(docker_socket)


def image_name_of_its_own(docker_socket: Path, *, shares_layers: bool = False) -> Iterator[str]:
    """Give a name that no image has, and remove whatever is called so afterwards.

    Args:
        shares_layers: others build on the same ones, at this moment perhaps: they stay.
    """
    import docker

    repository = f"flashsale-test-{secrets.token_hex(4)}"
    yield f"{repository}:1"
    client = docker.DockerClient(base_url=f"unix://{docker_socket}")
    for image in client.api.images():  # without a look at each: another test may remove one
        for name in [*(image["RepoTags"] or ()), *(image["RepoDigests"] or ())]:
            # By name: the same content may have other names elsewhere. A digest goes with its tag.
            with suppress(docker.errors.ImageNotFound):
                if repository in name:
                    client.images.remove(name, force=True, noprune=shares_layers)
    client.close()


@pytest.fixture
def registry(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A registry on loopback, as HOST:PORT; parametrized with "locked" it wants a password."""
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no docker-registry here: run tests/docker/prepare")
    port = free_port()
    config = f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
    config += f"http: {{addr: '127.0.0.1:{port}'}}\n"
    if getattr(request, "param", "") == "locked":
        (tmp_path / "htpasswd").write_text(HTPASSWD)
        config += f"auth: {{htpasswd: {{realm: test, path: {tmp_path}/htpasswd}}}}\n"
    (tmp_path / "registry.yml").write_text(config)
    command = [program, "serve", str(tmp_path / "registry.yml")]
    log = (tmp_path / "registry.log").open("wb")
    with log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            await_listening(port, process)
            yield f"127.0.0.1:{port}"
        finally:
            process.terminate()


def free_port() -> int:
    """Find a port for a program that cannot bind 0 and say which one it got."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def await_listening(port: int, process: subprocess.Popen[bytes], limit: float = 20) -> None:
    """Return once somebody accepts connections there."""
    import socket
    import time

    deadline = time.monotonic() + limit
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, "the program ended"
            assert time.monotonic() < deadline, "nobody listens"
            process_pause()
        else:
            return


def process_pause() -> None:
    """Give another process the processor for a moment."""
    subprocess.run([sys.executable, "-S", "-c", ""], check=True)
