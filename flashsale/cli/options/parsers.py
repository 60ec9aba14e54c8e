"""Words on the command line that mean more than text: counts, durations, build arguments."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flashsale.base.errors import BadInputError, Hint
from flashsale.base.image_names import ImageName, InvalidImageNameError

if TYPE_CHECKING:
    from flashsale.clusters.base import NewProfileOptions

LEAST_CPUS = 2  # minikube refuses less
UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
TIMES = Hint(words="write it as 30s, 2m or 1m30s")


def parse_duration(text: str, option: str = "--for") -> float:
    """Read seconds, more than 0, from `90`, `90s`, `1m30s`, `1.5h`, as kubectl's options do."""
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|s|m|h)", text)
    if text and "".join(number + unit for number, unit in parts) == text:
        seconds = sum(float(number) * UNITS[unit] for number, unit in parts)
    elif re.fullmatch(r"\d+(\.\d+)?", text):
        seconds = float(text)
    else:
        raise BadInputError(f"'{text}' is not a duration.", hint=TIMES)
    if seconds <= 0:
        raise BadInputError(f"{option} must be longer than 0 s.", hint=TIMES)
    return seconds


def image_name(text: str) -> str:
    """Check an image's name, `NAME:TAG`; without a tag Kubernetes would look in a registry."""
    try:
        name = ImageName.parse(text)
    except InvalidImageNameError:
        name = ImageName("")
    if not (name.tag or name.digest):
        raise BadInputError(
            f"'{text}' is not an image: it takes a name in small letters, a colon and a tag.",
            hint="flashsale up --image flashsale:2.0",
        )
    return text


def new_profile_options(driver: str, cpus: int | None, memory: str) -> NewProfileOptions:
    """Check how a minikube profile is to be made; what is not said is left to minikube."""
    from flashsale.clusters.base import NewProfileOptions

    if driver and not re.fullmatch(r"[a-z0-9]+", driver):
        raise BadInputError(f"'{driver}' is not a driver.", hint="flashsale up --driver docker")
    if cpus is not None and cpus < LEAST_CPUS:
        raise BadInputError(
            f"--cpus must be {LEAST_CPUS} or more, not {cpus}: minikube refuses less.",
            hint=f"flashsale up --cpus {LEAST_CPUS}",
        )
    if memory and not re.fullmatch(r"[1-9]\d*([bkmg](i?b)?)?", memory.lower()):
        raise BadInputError(f"'{memory}' is not a size of memory.", hint="flashsale up --memory 4g")
    return NewProfileOptions(driver, cpus or 0, memory)


def node_count(text: str) -> int:
    if not re.fullmatch(r"[1-9]", text):
        raise BadInputError(f"--nodes must be 1 to 9, not {text}.", hint="flashsale up --nodes 3")
    return int(text)


def build_arg(text: str) -> tuple[str, str]:
    """Read `KEY=VALUE`; `KEY` alone takes its value from the environment, as for docker."""
    import os

    key, equals, value = text.partition("=")
    if not key or (not equals and key not in os.environ):
        raise BadInputError(
            f"The build argument '{text}' has no value.",
            hint=f"flashsale up --build-arg {key or 'KEY'}=VALUE",
        )
    return key, value if equals else os.environ[key]
