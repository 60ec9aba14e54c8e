"""Fixtures for tests of the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.engines import base_image, docker_socket, engine, image_name, own_layers, registry

__all__ = ["base_image", "docker_socket", "engine", "image_name", "registry"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with a small app and a Dockerfile that needs no base image."""
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.py").write_text("print('sale')\n")
    (folder / "Dockerfile").write_text(f"{own_layers()}COPY app.py /app.py\n")
    return folder
