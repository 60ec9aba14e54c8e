"""A learner's own folder, and a sale that was opened from it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Flashsale, make_lean


@pytest.fixture(scope="module")
def own_sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """The program on one cluster, whatever each test opens there."""
    program = Flashsale(tmp_path_factory.mktemp("own") / "home")
    yield program
    program.stop_cluster()


@pytest.fixture
def shop_folder(own_sale: Flashsale, tmp_path: Path) -> Path:
    """What `init` writes, but two pods, and probes that do not keep a test waiting."""
    folder = tmp_path / "sale"
    assert own_sale("init", str(folder)).code == 0
    quick = own_sale.quick_manifest(**{"replicas: 3": "replicas: 2"})
    quick.replace(folder / "flashsale-replicaset.yaml")
    return folder


@pytest.fixture
def lean_folder(shop_folder: Path) -> Path:
    """The same with an app that costs next to nothing."""
    make_lean(shop_folder)
    return shop_folder


@pytest.fixture
def folder(own_sale: Flashsale, lean_folder: Path) -> Path:
    """The same, and a sale of two pods was opened from it."""
    opened = own_sale("up", str(lean_folder), "--replicas", "2")
    assert opened.code == 0, opened.err
    return lean_folder
