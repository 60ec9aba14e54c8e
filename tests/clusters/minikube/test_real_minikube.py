"""`flashsale up` on the real minikube, as far as it goes on a machine without a driver."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import Flashsale, Result
from tests.peers import programs
from tests.peers.running import skip_unless_built

Up = Callable[..., Result]


@pytest.fixture
def up(flashsale: Flashsale, tmp_path: Path) -> Up:
    """`flashsale up` on a machine that has minikube, nothing else, and no Docker that runs."""
    skip_unless_built(("minikube",))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "minikube").symlink_to(programs.path("minikube"))
    machine = {
        "PATH": str(tools),
        "DOCKER_HOST": "unix:///nowhere/docker.sock",
        "MINIKUBE_WANTUPDATENOTIFICATION": "false",
        "TMPDIR": str(tmp_path),
    }
    return lambda *options: flashsale("up", "--cluster", "minikube", *options, **machine)


def test_no_driver(up: Up) -> None:
    """Without any driver there is a sentence, and what helps."""
    done = up()
    assert done.code == 3
    assert "Error: minikube found no driver here." in done.err
    assert "docker: Not installed" in done.err
    assert "install Docker" in done.err


def test_a_driver_without_its_program(up: Up) -> None:
    """minikube's advice is passed on."""
    done = up("--driver", "docker")
    assert done.code == 3
    assert "Hint: Install Docker" in done.err


def test_docker_does_not_run(up: Up, tmp_path: Path) -> None:
    """A client without a server is told as such."""
    client = shutil.which("docker")
    if client is None:
        pytest.skip("needs Docker's client")
    (tmp_path / "tools" / "docker").symlink_to(client)
    done = up("--driver", "docker")
    assert done.code == 3
    assert "Error: Docker is not running." in done.err


def test_an_unknown_driver(up: Up) -> None:
    """minikube's own sentence is shown."""
    done = up("--driver", "nosuch")
    assert done.code == 3
    assert "The driver 'nosuch' is not supported" in done.err


def test_a_failed_start_can_be_repeated(up: Up) -> None:
    """What the first attempt leaves behind is no reason against the second one."""
    first, second = up(), up()
    assert second.code == first.code
    assert sorted(second.err.splitlines()) == sorted(first.err.splitlines())  # drivers in any order
