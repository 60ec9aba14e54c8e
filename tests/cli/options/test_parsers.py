"""Words on the command line that mean more than text."""

from __future__ import annotations

import pytest

from flashsale.base.errors import BadInputError
from flashsale.cli.options.parsers import build_arg, image_name, node_count, parse_duration
from flashsale.sale.replica_count import replica_count


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("2m", 120),
        ("1m30s", 90),
        ("1.5h", 5400),
        ("250ms", 0.25),
        ("7", 7),
        ("0.5", 0.5),
    ],
)
def test_durations_are_kubectls(text: str, seconds: float) -> None:
    """Seconds, minutes, hours and their sums; a bare number counts seconds."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 s", "0", "0s", "1d", "nan", "inf", "1s2"])
def test_other_durations_are_refused(text: str) -> None:
    """Nothing, less than nothing, and units that do not exist."""
    with pytest.raises(BadInputError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "count"), [("0", 0), ("5", 5), ("007", 7), ("+3", 3), ("100", 100)]
)
def test_replica_counts(text: str, count: int) -> None:
    """Whole numbers from 0 to 100."""
    assert replica_count(text) == count


def test_node_counts() -> None:
    """Whole numbers from 1 to 9."""
    assert [node_count(text) for text in ("1", "9")] == [1, 9]
    for text in ("0", "10", "-1", "2.5", "x", ""):
        with pytest.raises(BadInputError, match="--nodes must be 1 to 9") as refused:
            node_count(text)
        assert refused.value.hint == "flashsale up --nodes 3"


def test_build_arg_takes_its_value_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--build-arg HTTPS_PROXY` passes on what is set, as docker does."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    assert build_arg("HTTPS_PROXY") == ("HTTPS_PROXY", "http://proxy:3128")
    assert build_arg("A=b=c") == ("A", "b=c")
    assert build_arg("EMPTY=") == ("EMPTY", "")


@pytest.mark.parametrize(
    "name", ["flashsale:2.0", "localhost:5000/me/shop:1", "ghcr.io/me/a_b:x-1"]
)
def test_image_names(name: str) -> None:
    """Registries with ports are names, too."""
    assert image_name(name) == name
