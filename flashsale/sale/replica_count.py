"""How many pods somebody asks for."""

from __future__ import annotations

import re

from flashsale.base.errors import BadInputError

MOST_REPLICAS = 100


def replica_count(text: str, how: str = "flashsale scale") -> int:
    """Read a number of pods, 0 to 100; ``how`` is what is typed before it, for the hint."""
    if not re.fullmatch(r"[+-]?[0-9]+", text.strip()):
        raise BadInputError(f"'{text}' is not a whole number of pods.", hint=f"{how} 5")
    count = int(text) if len(text) < 10 else MOST_REPLICAS + 1
    if text.lstrip().startswith("-") and count != 0:
        raise BadInputError(f"The number of pods must be 0 or more, not {text}.", hint=f"{how} 3")
    if count > MOST_REPLICAS:
        raise BadInputError(
            f"The number of pods must be {MOST_REPLICAS} or less, not {text}.",
            hint=f"{how} {MOST_REPLICAS}",
        )
    return count
