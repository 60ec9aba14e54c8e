"""The files of versions belong to what pyproject.toml asks for."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
TEST = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["test"]]
DEV = [*TEST, *PROJECT["optional-dependencies"]["dev"]]


def pinned(file: str) -> dict[str, Version]:
    """Return the versions in a file that holds nothing but `NAME==VERSION` and markers."""
    versions: dict[str, Version] = {}
    for line in (ROOT / file).read_text().splitlines():
        if line.startswith("#"):
            continue
        requirement = Requirement(line)
        assert not requirement.extras, "pip refuses extras in constraints"
        (specifier,) = requirement.specifier
        assert specifier.operator == "=="
        versions[canonicalize_name(requirement.name)] = Version(specifier.version)
    return versions


@pytest.mark.parametrize(
    ("file", "wanted"), [("constraints.txt", DEV), ("constraints-oldest.txt", TEST)]
)
def test_all_that_is_required_is_pinned(file: str, wanted: list[str]) -> None:
    """To a version that is allowed."""
    versions = pinned(file)
    for requirement in map(Requirement, wanted):
        if requirement.name != PROJECT["name"]:
            version = versions[canonicalize_name(requirement.name)]
            assert version in requirement.specifier, requirement


def test_the_oldest_allowed_is_the_oldest_tested() -> None:
    """A lower bound in pyproject.toml promises what has been tried."""
    versions = pinned("constraints-oldest.txt")
    for requirement in map(Requirement, TEST):
        (least,) = (s for s in requirement.specifier if s.operator == ">=")
        assert versions[canonicalize_name(requirement.name)] == Version(least.version), requirement


def test_only_the_official_client_has_an_upper_bound() -> None:
    """It speaks with one Kubernetes; all others may be as new as they like."""
    bounded = {
        requirement.name
        for requirement in map(Requirement, PROJECT["dependencies"])
        if any(specifier.operator != ">=" for specifier in requirement.specifier)
    }
    assert bounded == {"kubernetes"}
