"""Merge keys and plain words: what kubectl makes of them, whatever PyYAML makes of them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from flashsale.base.yaml_loader import SafeLoader
from tests.conformance.kubectl import find_kubectl

ANCHORS = """
a: &a {x: a, a longer key: a}
b: &b {x: b, a longer key: b}
c: &c {<<: *a, x: c, a longer key: c}
"""
CASES = {
    "{<<: *a, x: own}": {"x": "own", "a longer key": "a"},
    "{x: own, <<: *a}": {"x": "a", "a longer key": "a"},
    "{<<: *c}": {"x": "c", "a longer key": "c"},
    "{<<: {<<: *c, x: inner}}": {"x": "inner", "a longer key": "c"},
    "{<<: [*a, *b]}": {"x": "a", "a longer key": "a"},
    "{<<: [*b, *c]}": {"x": "b", "a longer key": "b"},
    "{<<: [{x: inner}, *c]}": {"x": "inner", "a longer key": "c"},
    "{<<: *a, <<: *b}": {"x": "b", "a longer key": "b"},
    "{<<: []}": {},
    '{"<<": *a}': {"<<": {"x": "a", "a longer key": "a"}},
}


def loaded(merging: str) -> Any:
    return yaml.load(f"{ANCHORS}\nd: {merging}", SafeLoader)["d"]  # a safe one


@pytest.mark.parametrize(("merging", "meant"), CASES.items(), ids=CASES)
def test_merge(merging: str, meant: dict[str, Any]) -> None:
    """Later counts more than earlier, but in a list of mappings earlier more than later."""
    assert loaded(merging) == meant


def test_kubectl_merges_alike(tmp_path: Path) -> None:
    """Stock kubectl reads the same from the same text."""
    kubectl = find_kubectl()
    assert kubectl, "kubectl comes with the tests' requirements"
    file = tmp_path / "merged.yaml"
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: merged}\n"
    cases = (f"case{number}: {merging}" for number, merging in enumerate(CASES))
    file.write_text(head + ANCHORS + "\n".join(cases))
    command = [kubectl, "label", "--local", "--filename", file, "--output", "json", "by=kubectl"]
    document = json.loads(
        subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    )
    assert [document[f"case{number}"] for number in range(len(CASES))] == list(CASES.values())


@pytest.mark.parametrize("merging", ["{<<: 1}", "{<<: [1]}", "{<<: [[*a]]}"])
def test_only_mappings_can_be_merged(merging: str) -> None:
    """Anything else is refused, with the place."""
    with pytest.raises(yaml.MarkedYAMLError, match="map merge requires map") as refused:
        loaded(merging)
    assert refused.value.problem_mark.line == 5


def test_merged_without_end() -> None:
    """Lines that merge one another many times over cost no more than they say."""
    lines = ["a0: &a0 {x: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 40)]
    assert yaml.load("\n".join(lines), SafeLoader)["a39"] == {"x": 1}


WORDS = [
    *[("12:30", "12:30"), ("2024-05-01", "2024-05-01"), ("=", "="), ("190:20:30", "190:20:30")],
    *[("yes", True), ("off", False), ("y", True), ("N", False), ("~", None), ("", None)],
    *[("0x1F", 31), ("010", 8), ("0o10", 8), ("0b11", 3), ("1_000", 1000), ("-5", -5)],
    *[("1e3", 1000.0), ("1.5", 1.5), ("089", 89.0), (".5", 0.5), ("1.2.3", "1.2.3")],
    *[("100m", "100m"), ("1:2.5", "1:2.5"), ("+", "+"), (".", "."), ("nope", "nope")],
]


@pytest.mark.parametrize(("text", "value"), WORDS)
def test_plain_words_are_read_as_kubectl_reads_them(text: str, value: object) -> None:
    """By go.yaml.in/yaml/v2: no numbers to the base of 60, no dates."""
    document = yaml.load(f"a: {text}\n", Loader=SafeLoader)["a"]
    assert (document, type(document)) == (value, type(value))


def test_kubectl_reads_plain_words_alike(tmp_path: Path) -> None:
    """Stock kubectl, from the same text."""
    kubectl = find_kubectl()
    assert kubectl, "kubectl comes with the tests' requirements"
    file = tmp_path / "words.yaml"
    head = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: words}\n"
    file.write_text(
        head + "".join(f"w{number}: {text}\n" for number, (text, _) in enumerate(WORDS))
    )
    command = [kubectl, "label", "--local", "--filename", file, "--output", "json", "by=kubectl"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
    document = json.loads(done)
    assert [document[f"w{number}"] for number in range(len(WORDS))] == [value for _, value in WORDS]
