"""Read parts of API objects that may be missing, or not be what they should be.

For printing: whatever an object looks like, a column says something. Missing and misshapen parts
read as empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

Section = Mapping[str, Any]
MAPS = (dict, Mapping)  # nearly always a dict, and asking for that is many times as quick


def section(thing: Any, *path: str) -> Section:
    value = part(thing, *path)
    return value if isinstance(value, MAPS) else {}


def sections(thing: Any, *path: str) -> list[Section]:
    value = part(thing, *path)
    return [item for item in value if isinstance(item, MAPS)] if isinstance(value, list) else []


def texts(thing: Any, *path: str) -> list[str]:
    value = part(thing, *path)
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def text(thing: Any, *path: str) -> str:
    value = part(thing, *path)
    return value if isinstance(value, str) else ""


def number(thing: Any, *path: str) -> int:
    """Return the whole number at a path, 0 if there is none."""
    value = part(thing, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def moment(thing: Any, *path: str) -> float:
    """Return the time at a path in unix seconds, 0 if there is none."""
    try:
        return timestamp(text(thing, *path))
    except ValueError:
        return 0.0


def timestamp(written: str | None) -> float:
    """Turn an API time (RFC 3339) into unix seconds, 0 for none; ValueError if it is no time."""
    if not written:
        return 0.0
    parsed = datetime.fromisoformat(written)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def part(thing: Any, *path: str) -> Any:
    """Return whatever is at a path, None if nothing is."""
    for name in path:
        thing = thing.get(name) if isinstance(thing, MAPS) else None
    return thing


def with_value(thing: Section, key: str, value: Any) -> dict[str, Any]:
    """Return a map with another value at a key; without the key where the value is empty."""
    return {name: item for name, item in {**thing, key: value}.items() if item or name != key}
