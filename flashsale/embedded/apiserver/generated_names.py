"""Names that the API server makes up (apiserver/pkg/storage/names, apimachinery/pkg/util/rand)."""

from __future__ import annotations

import random

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # no vowels and no look-alikes: no words by accident
SUFFIX = 5
LONGEST_BASE = 58  # 63, the longest label, less the suffix


def generate_name(base: str, rng: random.Random) -> str:
    """Append five random characters to a base that is cut to 58: `flashsale-rs-x7k2p`."""
    return base[:LONGEST_BASE] + "".join(rng.choices(ALPHABET, k=SUFFIX))
