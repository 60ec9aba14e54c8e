"""Resource quantities: `100m` of a CPU, `128Mi` of memory.

A port of the rules of apimachinery/pkg/api/resource/quantity.go: what is accepted, how it compares,
and the canonical form that comes back (`0.5` -> `500m`, `1024Mi` -> `1Gi`, `1000` -> `1k`).
"""

from __future__ import annotations

import re
from decimal import ROUND_UP, Context, Decimal, InvalidOperation
from typing import Any

NUMBER_AND_SUFFIX = "^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$"
BAD_FORMAT = f"quantities must match the regular expression '{NUMBER_AND_SUFFIX}'"
BAD_NUMBER = "unable to parse numeric part of quantity"
BAD_SUFFIX = "unable to parse quantity's suffix"
PARTS = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?([eEinumkKMGTP]*[-+]?[0-9]*)", re.ASCII)
DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}  # powers of 1024
EXPONENT = re.compile(r"[eE]([+-]?[0-9]{1,4})")  # more digits than four is no amount of anything
LARGEST = Decimal((1 << 63) - 1)  # what is written with a power of 1024 ends there
LONGEST = 1000  # characters; beyond, a number is refused rather than computed
ARITHMETIC = Context(prec=3000, Emax=99999, Emin=-99999)  # exact for everything that is accepted


class QuantityError(ValueError):
    """Not a quantity; the message is Kubernetes' own."""


def parse_quantity(text: str) -> Decimal:
    """Return the amount that a quantity stands for.

    Raises:
        QuantityError: it is not a quantity.
    """
    return _split(text)[0]


def canonical(value: str | int | float) -> str:
    """Return the form in which the API server gives a quantity back.

    Raises:
        QuantityError: it is not a quantity.
    """
    text = _text(value)
    if text == "0":
        return text
    amount, style = _split(text)
    return text if _is_kept(text) else _written(amount, style)


def round_to_milli(text: str) -> str:
    """Return a quantity in canonical form, rounded up to a thousandth, as for containers."""
    amount, style = _split(text)
    if amount.as_tuple().exponent >= -3:  # type: ignore[operator]  # finite, so it is an int
        return text
    return _written(amount.quantize(Decimal("1e-3"), rounding=ROUND_UP, context=ARITHMETIC), style)


def _is_kept(text: str) -> bool:
    """Whether Go takes a quantity for canonical as it is, and gives back what it got."""
    match = PARTS.fullmatch(text)
    assert match is not None  # it was read before
    whole, fraction = match[2].lstrip("0") or "0", match[3] or ""
    power, style = _suffix(match[4])
    digits = whole + fraction
    if style == "binary":
        precise = len(whole) + power * 3 <= 14
        return precise and not fraction and int(whole) & 7 != 0
    scale = power - len(fraction)
    short = len(digits) <= 18 and scale >= -9
    return short and scale % 3 == 0 and not digits.endswith("000") and digits[0] != "0"


def _written(amount: Decimal, style: str) -> str:
    if amount == 0:
        return "0"
    if style == "binary" and abs(amount) >= 1024 and amount == amount.to_integral_value():
        return _binary(int(amount))
    return _decimal(amount, exponent=style == "exponent")


def compare_quantities(left: str | int | float, other: str | int | float) -> int:
    """Return -1, 0 or 1 as the first is less than, equal to or more than the second.

    Raises:
        QuantityError: one of them is not a quantity.
    """
    first, second = parse_quantity(_text(left)), parse_quantity(_text(other))
    return (first > second) - (first < second)


def _text(value: Any) -> str:
    """JSON numbers are read by their digits, as Go's decoder does."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise QuantityError(BAD_FORMAT)
    if isinstance(value, int) and value.bit_length() > 3 * LONGEST:
        raise QuantityError(BAD_NUMBER)  # Python refuses to write it down
    return str(value).strip()


def _split(text: str) -> tuple[Decimal, str]:
    match = PARTS.fullmatch(text)
    if not match or not text:
        raise QuantityError(BAD_FORMAT)
    power, style = _suffix(match[4])
    digits = match[2] or "0"  # without any, it is nothing
    if match[3]:
        digits += f".{match[3]}"
    try:
        number = ARITHMETIC.create_decimal(match[1] + digits if len(digits) <= LONGEST else "")
    except InvalidOperation:
        raise QuantityError(BAD_NUMBER) from None
    if style == "binary":
        amount = ARITHMETIC.multiply(number, Decimal(1024) ** power)
    else:
        amount = ARITHMETIC.scaleb(number, power)
    if style == "binary":
        amount = max(-LARGEST, min(amount, LARGEST))
    return _rounded(amount), style


def _suffix(suffix: str) -> tuple[int, str]:
    if suffix in DECIMAL:
        return DECIMAL[suffix], "decimal"
    if suffix in BINARY:
        return BINARY[suffix], "binary"
    match = EXPONENT.fullmatch(suffix)
    if not match:
        raise QuantityError(BAD_SUFFIX)
    return int(match[1]), "exponent"


def _rounded(amount: Decimal) -> Decimal:
    """Round up to a billionth, so that a small amount never becomes zero."""
    if amount.as_tuple().exponent >= -9:  # type: ignore[operator]  # finite, so it is an int
        return amount
    return amount.quantize(Decimal("1e-9"), rounding=ROUND_UP, context=ARITHMETIC)


def _binary(amount: int) -> str:
    power = 0
    while amount % 1024 == 0 and power < len(BINARY):
        amount, power = amount // 1024, power + 1
    return f"{amount}{['', *BINARY][power]}"


def _decimal(amount: Decimal, *, exponent: bool) -> str:
    """Write digits without a fraction and the largest power of a thousand that allows it."""
    sign, digits, power = amount.as_tuple()
    assert isinstance(power, int)  # finite
    number = int("".join(map(str, digits)))
    while number % 10 == 0:
        number, power = number // 10, power + 1
    shift = power % 3
    number, power = number * 10**shift, power - shift
    while not exponent and power > max(DECIMAL.values()):
        number, power = number * 1000, power - 3
    suffix = f"e{power}" if exponent and power else ""
    if not exponent:
        suffix = next(name for name, value in DECIMAL.items() if value == power)
    return f"{'-' if sign else ''}{number}{suffix}"
