"""Names that the API server makes up (apiserver/pkg/storage/names, apimachinery/pkg/util/rand)."""

from __future__ import annotations

import random
from collections.abc import Callable

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels and no look-alikes: no words by accident
SUFFIX = 5
LONGEST_BASE = 58  # 63, the longest label, less the suffix
TRIES = 8  # where names are taken


def generate_name(base: str, rng: random.Random) -> str:
    """Append five random characters to a base that is cut to 58: `flashsale-rs-x7k2p`."""
    return base[:LONGEST_BASE] + "".join(rng.choices(ALPHABET, k=SUFFIX))


def generate_free_name(base: str, rng: random.Random, is_taken: Callable[[str], object]) -> str:
    """Try a few names for one that nobody has; the last one tried may be taken all the same."""
    for _ in range(TRIES):
        name = generate_name(base, rng)
        if not is_taken(name):
            break
    return name
