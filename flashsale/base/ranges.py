"""Figures that were typed, and what they may be."""

from __future__ import annotations

from flashsale.base.errors import BadInputError


def check_range(
    option: str, figure: int | None, least: int, most: int | None = None, *, hint: str
) -> None:
    """Do nothing for a figure that may be, nor where none was typed.

    Raises:
        BadInputError: it is less than ``least`` or more than ``most``.
    """
    if figure is not None and (figure < least or (most is not None and figure > most)):
        allowed = f"{least} or more" if most is None else f"{least} to {most}"
        raise BadInputError(f"{option} must be {allowed}, not {figure}.", hint=hint)
