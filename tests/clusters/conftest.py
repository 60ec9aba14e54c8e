"""Fixtures for tests of every kind of cluster."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from flashsale.clusters.base import App
from tests.docker.engines import docker_socket, image_name, small_app

__all__ = ["docker_socket", "image_name"]


@pytest.fixture
def app(tmp_path: Path) -> App:
    """A small app whose Dockerfile needs no base image."""
    folder = small_app(tmp_path / "app")
    return App(folder, folder / "Dockerfile")


@pytest.fixture
def listening() -> Iterator[int]:
    """A port of loopback where somebody accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def refusing() -> Iterator[int]:
    """A port where nobody does."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]
