"""A pod is named by its whole name, or by the end that tells it from the others."""

from __future__ import annotations

import pytest

from flashsale.base.errors import BadInputError
from flashsale.sale.pod_names import find_pod_name

NAMES = ["shop-rs-5pgp7", "shop-rs-x2k4d", "other-x2k4d"]


@pytest.mark.parametrize("typed", ["shop-rs-5pgp7", "5pgp7", "rs-5pgp7", "pod/shop-rs-5pgp7"])
def test_the_end_of_a_name_is_enough(typed: str) -> None:
    """As `watch` shows it."""
    assert find_pod_name(typed, NAMES, command="flashsale logs") == "shop-rs-5pgp7"


@pytest.mark.parametrize(
    ("typed", "sentence", "hint"),
    [
        ("x2k4d", "may be shop-rs-x2k4d and other-x2k4d", "flashsale logs shop-rs-x2k4d"),
        ("shop-rs-5pgp", "Did you mean 'shop-rs-5pgp7'", "flashsale logs shop-rs-5pgp7"),
        ("nope", "There is no pod 'nope'", "flashsale logs shop-rs-5pgp7"),
    ],
)
def test_what_names_none_or_several_is_refused(typed: str, sentence: str, hint: str) -> None:
    """With the name that was probably meant."""
    with pytest.raises(BadInputError, match=sentence) as caught:
        find_pod_name(typed, NAMES, command="flashsale logs")
    assert caught.value.hint == hint
