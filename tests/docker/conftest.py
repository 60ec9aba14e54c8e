"""Fixtures for tests of the image."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docker.engines import base_image, docker_socket, engine, image_name, registry, small_app

__all__ = ["base_image", "docker_socket", "engine", "image_name", "registry"]


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A folder with a small app and a Dockerfile that needs no base image."""
    return small_app(tmp_path / "app")
