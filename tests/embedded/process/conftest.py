"""Clusters that cost no imports; some tests start the whole process all the same."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.forking.cluster_process import forked_clusters


@pytest.fixture(autouse=True, scope="module")
def _clusters_are_forked() -> Iterator[None]:
    with forked_clusters():
        yield
