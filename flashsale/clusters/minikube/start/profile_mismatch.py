"""Whether a profile is what was asked for: it cannot be changed without making it anew. Pure."""

from __future__ import annotations

import re

from flashsale.base.errors import BadInputError, FlashsaleError, Hint
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube.profile.profile import Profile

SIZE = re.compile(r"(\d+)([bkmg]?)(?:i?b)?")
UNITS = {"b": 1 / 2**20, "k": 1 / 2**10, "m": 1, "g": 2**10}  # MiB
ALIASES = {"kvm": "kvm2", "qemu": "qemu2", "native": "none", "generic": "ssh"}  # of drivers


def find_contradiction(profile: Profile, making: NewProfileOptions) -> tuple[str, str] | None:
    """Say what a profile is and what was asked for instead; None where the two agree.

    minikube itself refuses another driver, and passes over other sizes with a warning.
    """
    pairs = (
        (
            f"driver {profile.driver}",
            profile.driver,
            f"driver {making.driver}",
            ALIASES.get(making.driver, making.driver),
        ),
        (f"{profile.cpus} CPUs", profile.cpus, f"{making.cpus} CPUs", making.cpus),
        (f"{profile.memory} MiB", profile.memory, making.memory, mebibytes(making.memory)),
        ("its nodes", len(profile.nodes), "other nodes", making.nodes),
    )
    differing = ((is_, wanted) for is_, own, wanted, wish in pairs if own and wish and own != wish)
    return next(differing, None)


def mebibytes(size: str) -> int:
    """Read a size as minikube does: a number, MiB without a unit, b, k, m or g with one.

    0 for anything else, which minikube will have its own words about.
    """
    match = SIZE.fullmatch(size.strip().lower())
    return int(int(match[1]) * UNITS[match[2] or "m"]) if match else 0


def mismatch_error(profile: Profile, own: str, wanted: str) -> FlashsaleError:
    """Say that a profile cannot become what was asked for."""
    return BadInputError(
        f"'{profile.name}' already uses {own}, and minikube cannot change that.",
        hint=Hint(words=f"use --profile NAME for {wanted}, or minikube delete -p {profile.name}"),
    )
