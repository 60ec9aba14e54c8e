"""Durations, errors and times the way Go writes them: people search the web for exactly these."""

from __future__ import annotations

import errno
import re
from calendar import monthrange
from datetime import UTC, datetime, timedelta

RFC3339 = "2006-01-02T15:04:05Z07:00"  # metav1.Time
RFC3339_MICRO = "2006-01-02T15:04:05.000000Z07:00"  # metav1.MicroTime
LAYOUT = (  # (Go's name, what stands there); parsed from left to right
    ("2006", r"[0-9]{4}"), ("-", "-"), ("01", r"[0-9]{2}"), ("-", "-"), ("02", r"[0-9]{2}"),
    ("T", "T"), ("15", r"[0-9]{2}"), (":", ":"), ("04", r"[0-9]{2}"), (":", ":"),
    ("05", r"[0-9]{2}"),
)  # fmt: skip
RANGES = {  # judged as soon as they are read, unlike the day
    "01": ("month", 1, 12), "15": ("hour", 0, 23), "04": ("minute", 0, 59), "05": ("second", 0, 59),
}  # fmt: skip
UNITS = ("ns", "us", "µs", "μs", "ms", "s", "m", "h")  # of durations
FRACTION = (".000000", r"\.[0-9]{6}")
ZONE = ("Z07:00", r"Z|[+-][0-9]{2}:[0-9]{2}")
ESCAPES = {
    '"': '\\"', "\\": "\\\\", "\a": "\\a", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r",
    "\t": "\\t", "\v": "\\v",
}  # fmt: skip
SYSCALL_TEXTS = {
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "connection reset by peer",
    errno.EHOSTUNREACH: "no route to host",
    errno.ENETUNREACH: "network is unreachable",
    errno.EADDRNOTAVAIL: "cannot assign requested address",
    errno.EPIPE: "broken pipe",
}


def go_duration(seconds: float) -> str:
    """Write whole seconds as Go's time.Duration does: 40s, 1m20s, 5m0s, 1h0m0s."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    if hours:
        return f"{hours}h{minutes}m{rest}s"
    return f"{minutes}m{rest}s" if minutes else f"{rest}s"


def duration_error(text: str) -> str:
    """Say what keeps Go from reading a duration; empty if nothing does."""
    rest = text[1:] if text.startswith(("-", "+")) else text
    parts = re.findall(r"([0-9]*\.?[0-9]*)([^0-9.]*)", rest)[:-1]
    if rest == "0" or (parts and all(n.strip(".") and unit in UNITS for n, unit in parts)):
        return ""
    for number, unit in parts:
        if not number.strip("."):
            break
        if not unit:
            return f"time: missing unit in duration {quote(text)}"
        if unit not in UNITS:
            return f"time: unknown unit {quote(unit)} in duration {quote(text)}"
    return f"time: invalid duration {quote(text)}"


def quote(text: str) -> str:
    """Write a string as Go's %q does."""
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(char: str) -> str:
    if char in ESCAPES:
        return ESCAPES[char]
    if char.isprintable():
        return char
    number = ord(char)
    if number < 0x80:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def os_error(error: OSError) -> str:
    """Write what a system call failed with: `connection refused`."""
    text = SYSCALL_TEXTS.get(error.errno or 0)
    return text or (error.strerror or str(error)).lower()


def normal_time(text: str, *, micro: bool) -> str:
    """Return a time as the API writes it: UTC, whole seconds or six decimals.

    Raises:
        ValueError: it is not one; the message is Go's.
    """
    moment = _parse(text, micro=micro)
    if micro:
        return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")  # a year below 1000 is unpadded


def _parse(text: str, *, micro: bool) -> datetime:
    layout, rest, parts = (RFC3339_MICRO if micro else RFC3339), text, []
    fraction = re.compile(r"[.,][0-9]+")  # Go takes one after the seconds whatever the layout says
    for name, pattern in (*LAYOUT, *([FRACTION] if micro else []), ZONE):
        match = re.match(pattern, rest)
        if not match:
            raise ValueError(
                f"{_parsing(text, layout)}: cannot parse {_quote_time(rest)} as {_quote_time(name)}"
            )
        what, least, most = RANGES.get(name, ("", 0, 0))
        if what and not least <= int(match[0]) <= most:
            raise ValueError(f"parsing time {_quote_time(text)}: {what} out of range")
        parts.append(match[0])
        rest = rest[match.end() :]
        if name == "05" and not micro and (extra := fraction.match(rest)):
            rest = rest[extra.end() :]
    if rest:
        raise ValueError(f"parsing time {_quote_time(text)}: extra text: {_quote_time(rest)}")
    return _moment(text, parts)


def _moment(text: str, parts: list[str]) -> datetime:
    year, month, day, hour, minute, second = (int(parts[place]) for place in (0, 2, 4, 6, 8, 10))
    micros = int(parts[11][1:]) if len(parts) == 13 else 0
    zone = parts[-1]
    for wrong, what in (
        (zone != "Z" and (int(zone[1:3]) > 24 or int(zone[4:]) > 60), "time zone offset"),
        (not 1 <= day <= monthrange(year or 4, month)[1], "day"),
    ):
        if wrong:
            raise ValueError(f"parsing time {_quote_time(text)}: {what} out of range")
    moment = datetime(max(year, 1), month, day, hour, minute, second, micros, UTC)
    return moment if zone == "Z" else _in_utc(moment, zone)


def _in_utc(moment: datetime, zone: str) -> datetime:
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[4:]))
    try:
        return moment - offset if zone[0] == "+" else moment + offset
    except OverflowError:  # at the very first or last day that Python knows
        return moment


def _parsing(text: str, layout: str) -> str:
    return f"parsing time {_quote_time(text)} as {_quote_time(layout)}"


def _quote_time(text: str) -> str:
    """Quote as the time package does, which escapes quotes and backslashes only."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
