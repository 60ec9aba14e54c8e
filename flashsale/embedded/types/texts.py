"""Syntax rules for names, labels, addresses and ports, in Kubernetes' own words.

Each function returns what is wrong with a value, nothing if it is fine
(apimachinery/pkg/util/validation and pkg/api/validate/content).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
SEARCH_PART = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SEARCH_PATH = rf"{SEARCH_PART}(\.{SEARCH_PART})*"
QUALIFIED = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
LABEL_VALUE = f"({QUALIFIED})?"
CONFIG_KEY = "[-._a-zA-Z0-9]+"
HTTP_HEADER = "[-A-Za-z0-9]+"
ALPHANUMERIC_ENDS = "and must start and end with an alphanumeric character"
ALPHANUMERIC_OR = f"must consist of alphanumeric characters, '-', '_' or '.', {ALPHANUMERIC_ENDS}"
LOOPBACK = {  # the rest of 127.0.0.0/8 are addresses of pods here
    4: ipaddress.ip_network("127.0.0.0/16"),
    6: ipaddress.ip_network("::1/128"),
}
LINK_LOCAL_MULTICAST = {
    4: ipaddress.ip_network("224.0.0.0/24"),
    6: ipaddress.ip_network("ff02::/16"),
}
LENGTH = "must be no more than"
EMPTY = "must be non-empty"
NOT_IMMUTABLE = "field is immutable"
NOT_NEGATIVE = "must be greater than or equal to 0"
PORT_RANGE = "must be between 1 and 65535, inclusive"


def dns_label(value: str) -> list[str]:
    """RFC 1123 label: up to 63 characters, no dots."""
    wrong = _too_long(value, 63)
    if _matches(LABEL, value):
        return wrong
    if _matches(SUBDOMAIN, value):
        return [*wrong, "must not contain dots"]
    says = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
    return [*wrong, _regex(says + ALPHANUMERIC_ENDS, LABEL, ("my-name", "123-abc"))]


def dns_subdomain(value: str) -> list[str]:
    """RFC 1123 subdomain: labels joined by dots, up to 253 characters."""
    return _domain(value, SUBDOMAIN, "'-' or '.'")


def search_path(value: str) -> list[str]:
    """A domain in which names are looked up: a subdomain, with underscores where letters are."""
    return _domain(value, SEARCH_PATH, "'_', '-' or '.'")


def _domain(value: str, pattern: str, marks: str) -> list[str]:
    wrong = _too_long(value, 253)
    if _matches(pattern, value):
        return wrong
    says = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
        f"{marks}, "
    )
    return [*wrong, _regex(says + ALPHANUMERIC_ENDS, pattern, ("example.com",))]


def path_segment(value: str) -> list[str]:
    """Anything that can stand between two slashes of a URL."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{part}'" for part in ("/", "%") if part in value]


def qualified_name(value: str) -> list[str]:
    """A label's or annotation's key: a name, before it possibly a subdomain and a slash."""
    prefix, slash, name = value.rpartition("/")
    examples = ("MyName", "my.name", "123-abc")
    if "/" in prefix:
        text = _regex(f"a valid label key {ALPHANUMERIC_OR}", QUALIFIED, examples)
        return [f"{text} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"]
    wrong = []
    if slash and not prefix:
        wrong.append(f"prefix part {EMPTY}")
    elif slash:
        problems = dns_subdomain(prefix)
        wrong += [
            f"prefix part {text.replace('characters', 'bytes')}"
            if text.startswith(LENGTH)
            else f"prefix part {text}"
            for text in problems
        ]
    if not name:
        wrong.append(f"name part {EMPTY}")
    wrong += [f"name part {text}" for text in _too_long(name, 63, "bytes")]
    if not _matches(QUALIFIED, name):
        wrong.append(f"name part {_regex(ALPHANUMERIC_OR, QUALIFIED, examples)}")
    return wrong


def label_value(value: str) -> list[str]:
    """A label's value: empty, or up to 63 characters."""
    wrong = _too_long(value, 63, "bytes")
    if _matches(LABEL_VALUE, value):
        return wrong
    says = (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' "
        f"or '.', {ALPHANUMERIC_ENDS}"
    )
    return [*wrong, _regex(says, LABEL_VALUE, ("MyValue", "my_value", "12345"))]


def port_number(value: int) -> list[str]:
    return [] if 1 <= value <= 65535 else [PORT_RANGE]


def port_name(value: str) -> list[str]:
    """An IANA service name: up to 15 letters, digits and hyphens."""
    wrong = _too_long(value, 15)
    if not _matches("[-a-z0-9]+", value):
        wrong.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
    if not re.search("[a-z]", value):
        wrong.append("must contain at least one letter (a-z)")
    if "--" in value:
        wrong.append("must not contain consecutive hyphens")
    if value.startswith("-") or value.endswith("-"):
        wrong.append("must not begin or end with a hyphen")
    return wrong


def env_name(value: str) -> list[str]:
    """Printable ASCII without an equals sign: the relaxed rule, on by default since 1.34."""
    if all(" " <= character <= "~" and character != "=" for character in value):
        return []
    return [
        "a valid environment variable name must consist only of printable ASCII characters "
        "other than '='"
    ]


def config_key(value: str) -> list[str]:
    wrong = _too_long(value, 253)
    if not _matches(CONFIG_KEY, value):
        says = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
        wrong.append(_regex(says, CONFIG_KEY, ("key.name", "KEY_NAME", "key-name")))
    if value in (".", ".."):
        wrong.append(f"must not be '{value}'")
    elif value.startswith(".."):
        wrong.append("must not start with '..'")
    return wrong


def http_header(value: str) -> list[str]:
    if _matches(HTTP_HEADER, value):
        return []
    says = "a valid HTTP header must consist of alphanumeric characters or '-'"
    return [_regex(says, HTTP_HEADER, ("X-Header-Name",))]


def ip_address(value: str) -> list[str]:
    """An IPv4 or IPv6 address, without leading zeros."""
    try:
        address = ipaddress.ip_address(_without_zeros(value))
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    if _without_zeros(value) != value:
        return ["must not have leading 0s"]
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return ["must not be an IPv4-mapped IPv6 address"]
    return []


def cidr(value: str) -> list[str]:
    """A network: an address, a slash and the length of its prefix."""
    address, slash, prefix = value.partition("/")
    plain = f"{_without_zeros(address)}/{prefix.lstrip('0') or '0'}"
    try:
        network = ipaddress.ip_interface(plain)
        if not slash or not (prefix.isascii() and prefix.isdigit()):
            raise ValueError(value)
    except ValueError:
        return ["must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"]
    if plain != value:
        return ["must not have leading 0s in IP or prefix length"]
    if isinstance(network, ipaddress.IPv6Interface) and network.ip.ipv4_mapped:
        return ["must not have an IPv4-mapped IPv6 address"]
    if network.network.network_address != network.ip:
        return ["must not have bits set beyond the prefix length"]
    return []


def endpoint_ip(value: str) -> list[str]:
    """An address that something else than this machine may have."""
    try:
        address = ipaddress.ip_address(_without_zeros(value))
    except ValueError:
        return ["must be a valid IP address"]
    wrong = []
    if address.is_unspecified:
        wrong.append(f"may not be unspecified ({value})")
    if address in LOOPBACK[address.version]:
        wrong.append("may not be in the loopback range (127.0.0.0/8, ::1/128)")
    if address.is_link_local:
        wrong.append("may not be in the link-local range (169.254.0.0/16, fe80::/10)")
    if address in LINK_LOCAL_MULTICAST[address.version]:
        wrong.append("may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)")
    return wrong


def _without_zeros(value: str) -> str:
    """Drop leading zeros of an IPv4 address, which old versions of Go took for decimal."""
    if not re.fullmatch(r"[0-9]+(\.[0-9]+){3}", value, re.ASCII):
        return value
    return ".".join(part.lstrip("0") or "0" for part in value.split("."))


def _matches(pattern: str, value: str) -> bool:
    return re.fullmatch(pattern, value) is not None


def _too_long(value: str, most: int, unit: str = "characters") -> list[str]:
    """Check a length; always in bytes, and Kubernetes says so for keys and values of labels."""
    size = len(value.encode("utf-8", "surrogatepass"))  # a query may hold halves of characters
    return [f"must be no more than {most} {unit}"] if size > most else []


def _regex(says: str, pattern: str, examples: Sequence[str]) -> str:
    shown = " or ".join(f"'{example}', " for example in examples)
    return f"{says} (e.g. {shown}regex used for validation is '{pattern}')"
