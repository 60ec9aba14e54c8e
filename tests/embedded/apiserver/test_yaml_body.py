"""YAML bodies: what they say comes through, and their traps do not shut."""

from __future__ import annotations

import pytest

from flashsale.embedded.apiserver.handlers import yaml_body
from flashsale.embedded.apiserver.handlers.yaml_body import YAMLBodyError

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 20)
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"replicas": 3}', {"replicas": 3}),
        ("{replicas: 3}", {"replicas": 3}),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("at: 2026-11-23T03:11:19Z\nday: 2026-11-23", {"at": "2026-11-23T03:11:19Z",
                                                       "day": "2026-11-23"}),
        ("1: one", {"1": "one"}),
        ("a: 1\n---\nb: 2", {"a": 1}),  # the first document counts
        ("", None),
    ],
)  # fmt: skip
def test_what_it_says(text: str, value: object) -> None:
    """JSON is YAML, aliases are followed, times stay text, and keys are strings."""
    assert yaml_body.load_yaml(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS, "a: &a [*a]", "[" * 100_000, "- " * 50_000, "? " * 50_000, '{"a":' * 50_000,
        "a: b: c", "a: *nobody", "!!python/object/apply:os.getpid []", ".nan",
    ],
    ids=range(10),
)  # fmt: skip
def test_traps(text: str) -> None:
    """Bombs, knots, abysses, foreign tags and what JSON cannot say are refused, at once."""
    with pytest.raises(YAMLBodyError, match=r"^yaml: "):
        yaml_body.load_yaml(text.encode())


# From a real Kubernetes v1.36.2, whose parser counts lines from the second one on.
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a: b: c", "yaml: mapping values are not allowed in this context"),
        ("a: 1\nb: c: d", "yaml: line 2: mapping values are not allowed in this context"),
    ],
)
def test_mistakes_are_told_as_go_tells_them(text: str, why: str) -> None:
    """Without a column."""
    with pytest.raises(YAMLBodyError) as refused:
        yaml_body.load_yaml(text.encode())
    assert str(refused.value) == why
