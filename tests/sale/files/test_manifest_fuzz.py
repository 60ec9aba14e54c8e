"""Whatever stands in a YAML file, it is read or refused with a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.base.errors import BadInputError
from flashsale.sale.files import manifest as manifests
from flashsale.sale.files.manifest import Manifest

LINES = manifests.shipped_text().splitlines()
VALUES = st.sampled_from(["", "[]", "{}", "null", "- x", "3", "0x1F", "~", "!!binary x", "&a [*a]"])


def read(text: str) -> None:
    """Read a manifest; what comes out is usable as far as the sale needs it."""
    try:
        found: Manifest = manifests.parse_manifest(text, "my.yaml")
    except BadInputError:
        return
    assert found.name
    assert found.service_name
    assert manifests.with_image(found, "shop:2").image == "shop:2"
    manifests.for_server(found, 29)


@given(st.text())
def test_any_text(text: str) -> None:
    """Nonsense is refused."""
    read(text)


@given(st.integers(0, len(LINES) - 1), VALUES)
def test_any_value_in_the_place_of_another(number: int, value: str) -> None:
    """One value of the shipped manifest is something else."""
    key, colon, _ = LINES[number].partition(":")
    read("\n".join([*LINES[:number], f"{key}{colon} {value}", *LINES[number + 1 :]]))


@given(st.sets(st.integers(0, len(LINES) - 1), min_size=1, max_size=12))
def test_any_lines_missing(missing: set[int]) -> None:
    """Some lines of the shipped manifest are gone."""
    read("\n".join(line for number, line in enumerate(LINES) if number not in missing))


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: *a}"])
def test_value_that_contains_itself(text: str) -> None:
    """YAML can say that; nothing else can."""
    read(text)
