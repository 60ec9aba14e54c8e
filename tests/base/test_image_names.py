"""Image names."""

import pytest

from flashsale.base.image_names import InvalidImageNameError, full_name


@pytest.mark.parametrize(
    ("written", "full"),
    [
        ("flashsale:1.0", "docker.io/library/flashsale:1.0"),
        ("flashsale", "docker.io/library/flashsale:latest"),
        ("me/flashsale:2", "docker.io/me/flashsale:2"),
        ("docker.io/me/flashsale:2", "docker.io/me/flashsale:2"),
        ("index.docker.io/library/flashsale", "docker.io/library/flashsale:latest"),
        ("localhost:5000/flashsale:1.0", "localhost:5000/flashsale:1.0"),
        ("ghcr.io/me/sale/app:v1.2-rc_3", "ghcr.io/me/sale/app:v1.2-rc_3"),
        ("flashsale:1@sha256:" + "a" * 64, "docker.io/library/flashsale@sha256:" + "a" * 64),
    ],
)
def test_names_are_completed_as_docker_does(written: str, full: str) -> None:
    """docker.io, library and latest are what is meant when nothing is said."""
    assert full_name(written) == full


@pytest.mark.parametrize("bad", ["", "a b", "flashsale:", ":1.0", "flashsale:1:2", "-x", "a/../b"])
def test_malformed_names_are_refused(bad: str) -> None:
    """With Docker's words."""
    with pytest.raises(InvalidImageNameError, match=r"^invalid reference format$"):
        full_name(bad)


def test_upper_case_is_named_as_the_reason() -> None:
    """The most common mistake has a sentence of its own."""
    with pytest.raises(InvalidImageNameError, match=r"repository name \(library/FlashSale\) must"):
        full_name("FlashSale:1.0")
