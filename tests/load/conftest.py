"""A shop for all that buys."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.load.lying_server import Liar


@pytest.fixture
async def shop() -> AsyncIterator[Liar]:
    """A shop that sells, however often it is asked."""
    async with Liar() as shop:
        yield shop
