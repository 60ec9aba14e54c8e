"""The real shop, as its image has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.command import Flashsale, opened_sale


@pytest.fixture(scope="session")
def sale(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flashsale]:
    """An open sale of the shop, for tests that leave it as it was."""
    program = Flashsale(tmp_path_factory.mktemp("shop") / "home")
    with opened_sale(program, program.quick_manifest()) as sale:
        yield sale
