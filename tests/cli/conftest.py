"""What the tests of typed commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.command import Flashsale


@pytest.fixture
def project(flashsale: Flashsale) -> Path:
    """A learner's folder, with probes that do not keep a test waiting."""
    folder = flashsale.home.parent / "sale"
    assert flashsale("init", str(folder)).code == 0
    quick = flashsale.quick_manifest(**{"replicas: 3": "replicas: 2"})
    quick.replace(folder / "flashsale-replicaset.yaml")
    return folder
