"""What a label's key and value may be, and how labels print.

The texts are those of apimachinery/pkg/util/validation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LONGEST, LONGEST_PREFIX = 63, 253
NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
VALUE = f"({NAME})?"
SUBDOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
EMPTY = "must be non-empty"
NAME_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    f"alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for "
    f"validation is '{NAME}')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  "
    f"or '12345', regex used for validation is '{VALUE}')"
)
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
    "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used "
    f"for validation is '{SUBDOMAIN}')"
)


def key_errors(key: str) -> list[str]:
    """Say what is wrong with a label's key: `app`, `example.com/app`."""
    *prefixes, name = key.split("/")
    if len(prefixes) > 1:
        suffix = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {NAME_RULE}{suffix}"]
    errors = [error for prefix in prefixes for error in _prefix_errors(prefix)]
    if not name:
        errors.append(f"name part {EMPTY}")
    elif _bytes(name) > LONGEST:
        errors.append(f"name part {_too_long(LONGEST)}")
    if not re.fullmatch(NAME, name):
        errors.append(f"name part {NAME_RULE}")
    return errors


def value_errors(value: str) -> list[str]:
    """Say what is wrong with a label's value; an empty one is fine."""
    errors = [_too_long(LONGEST)] if _bytes(value) > LONGEST else []
    if not re.fullmatch(VALUE, value):
        errors.append(VALUE_RULE)
    return errors


def format_labels(labels: Mapping[str, str]) -> str:
    """Write labels as in a Service's SELECTOR column: `a=b,c=d`, `<none>` without any."""
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def _prefix_errors(prefix: str) -> list[str]:
    if not prefix:
        return [f"prefix part {EMPTY}"]
    errors = [f"prefix part {_too_long(LONGEST_PREFIX)}"] if _bytes(prefix) > LONGEST_PREFIX else []
    if not re.fullmatch(SUBDOMAIN, prefix):
        errors.append(f"prefix part {SUBDOMAIN_RULE}")
    return errors


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _too_long(limit: int) -> str:
    return f"must be no more than {limit} bytes"
