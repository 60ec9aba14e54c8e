"""What all tests of the embedded cluster's parts share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flashsale.embedded.storage.store import Store


@pytest.fixture(autouse=True)
def _stores_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test opened: Python 3.13 warns of a database that is left open."""
    opened: list[Store] = []
    open_ = Store.__init__

    def noted(store: Store, path: Path) -> None:
        open_(store, path)
        opened.append(store)

    monkeypatch.setattr(Store, "__init__", noted)
    yield
    for store in opened:
        store.close()
