"""Resource quantities: canonical forms, comparison, refusals."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.types.quantities import (
    QuantityError,
    canonical,
    compare_quantities,
    parse_quantity,
    round_to_milli,
)


@pytest.mark.parametrize(
    ("written", "given_back"),
    [
        ("100m", "100m"),
        ("0.5", "500m"),
        (0.25, "250m"),
        (2, "2"),
        ("1000m", "1"),
        ("1000", "1k"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1023Ki", "1023Ki"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("12E3", "12E3"),
        ("+5", "+5"),
        ("+5000", "5k"),
        (".5", "500m"),
        ("0m", "0"),
        ("0.1n", "1n"),
        ("-1500m", "-1500m"),
    ],
)
def test_a_quantity_comes_back_in_canonical_form(written: str | float, given_back: str) -> None:
    """The API server prints quantities its own way, not as they were written."""
    assert canonical(written) == given_back


@pytest.mark.parametrize("bad", ["", "lots", "1 Gi", "1Z", "1.2.3", "1..2", True, None, [], "１"])
def test_what_is_no_quantity_is_refused_with_the_expression(bad: object) -> None:
    """Kubernetes names the regular expression that did not match."""
    with pytest.raises(QuantityError, match="quantities must match the regular expression"):
        canonical(bad)  # type: ignore[arg-type]


def test_suffixes_and_numbers_have_refusals_of_their_own() -> None:
    """A number that matches but makes no sense gets another sentence."""
    with pytest.raises(QuantityError, match="unable to parse quantity's suffix"):
        parse_quantity("1ei")
    with pytest.raises(QuantityError, match="unable to parse quantity's suffix"):
        parse_quantity("--1")
    with pytest.raises(QuantityError, match="unable to parse numeric part"):
        parse_quantity("1" * 1001)


@pytest.mark.parametrize("text", ["-", "+", ".", "+.", "Ki", "m"])
def test_a_quantity_without_a_number_is_nothing(text: str) -> None:
    """As Go reads it, whatever its regular expression says."""
    assert canonical(text) == "0"


@pytest.mark.parametrize(("text", "given_back"), [("1E-3", "1E-3"), ("1.5e-3", "2e-3")])
def test_a_thousandth_is_precise_enough(text: str, given_back: str) -> None:
    """What is asked of a container is rounded up to that, and else stays as it was written."""
    assert round_to_milli(text) == given_back


def test_quantities_compare_by_amount_not_by_text() -> None:
    """Units do not matter, amounts do."""
    assert compare_quantities("1", "1000m") == 0
    assert compare_quantities("1Gi", "1G") == 1
    assert compare_quantities("500m", "900m") == -1
    assert parse_quantity("128Mi") == 128 * 1024 * 1024
    assert parse_quantity("100m") == Decimal("0.1")


@given(
    st.from_regex(
        r"[+-]?[0-9]{1,30}(\.[0-9]{0,12})?(n|u|m|k|Ki|M|Mi|Gi|T|e[0-9]|E-[0-9])?", fullmatch=True
    )
)
def test_canonical_keeps_the_amount_and_is_stable(text: str) -> None:
    """Writing a quantity anew changes no amount, and doing it twice changes nothing."""
    once = canonical(text)
    assert parse_quantity(once) == parse_quantity(text)
    assert canonical(once) == once


@given(st.text(alphabet="0123456789.eEinumkKMGTP+-", max_size=12) | st.floats() | st.integers())
def test_anything_is_a_quantity_or_refused(value: str | float) -> None:
    """No value makes the parser fail in another way."""
    with contextlib.suppress(QuantityError):
        assert parse_quantity(canonical(value)) is not None
