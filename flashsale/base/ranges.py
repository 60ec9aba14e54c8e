"""Figures that were typed, and what they may be."""

from __future__ import annotations

from flashsale.base.errors import BadInputError


def check_range(
    option: str, figure: int | None, least: int, most: int | None = None, *, hint: str
) -> None:
    """Raise BadInputError for a figure that was typed and is out of range."""
    if figure is not None and (figure < least or (most is not None and figure > most)):
        allowed = f"{least} or more" if most is None else f"{least} to {most}"
        raise BadInputError(f"{option} must be {allowed}, not {figure}.", hint=hint)
