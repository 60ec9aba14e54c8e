"""The stages of a Dockerfile: FROM ... AS, and the values of ARG and ENV where each is used."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flashsale.base.dockerfile.instructions import (
    Instruction,
    check_instruction,
    parse_instructions,
)
from flashsale.base.errors import BadInputError
from flashsale.base.image_names import ImageName, InvalidImageNameError

# Of the images that Python comes in; what `ENV PATH=/opt/bin:$PATH` adds to.
PATH = "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"
_STAGE_NAME = re.compile(r"[a-z][a-z0-9_.-]*")  # frontend/dockerfile/instructions/parse.go


@dataclass(frozen=True, slots=True)
class Stage:
    """One FROM and what follows it; each instruction knows the values of ARG and ENV."""

    start: Instruction
    base: str  # an image, or the name of an earlier stage
    name: str  # lower case; empty where it has none
    instructions: tuple[Instruction, ...]


def parse_stages(
    text: str, where: str = "Dockerfile", arguments: Mapping[str, str] | None = None
) -> list[Stage]:
    """Return the stages in order; each instruction knows the values of ARG and ENV.

    Args:
        where: the file's name, for messages.
        arguments: values for ARG (`--build-arg`).

    Raises:
        BadInputError: it is not a Dockerfile; file and line are named.
    """
    listed = list(parse_instructions(text, where))
    for instruction in listed:
        check_instruction(instruction)
    starts = [index for index, instruction in enumerate(listed) if instruction.keyword == "FROM"]
    if not starts:
        raise BadInputError(f"{where}: there is no FROM, so this is not a Dockerfile.")
    for instruction in listed[: starts[0]]:
        if instruction.keyword != "ARG":
            raise instruction.wrong(f"{instruction.keyword} stands before the first FROM")
    given = arguments or {}
    known = _platform_arguments()
    list(_filled(listed[: starts[0]], known, given, {}))
    result: list[Stage] = []
    variables: dict[str, dict[str, str]] = {}  # of each stage at its end, by its name and number
    for index, (begin, end) in enumerate(zip(starts, [*starts[1:], len(listed)], strict=True)):
        start = replace(listed[begin], variables=known)
        base, name = _from(start)
        if base.lower() not in variables:
            _check_image(start, base)
        own = dict(variables.get(base.lower()) or ({} if base == "scratch" else {"PATH": PATH}))
        body = tuple(_filled(listed[begin + 1 : end], own, given, known))
        result.append(Stage(start, base, name, body))
        variables[name or str(index)] = variables[str(index)] = own
    return result


def _platform_arguments() -> dict[str, str]:
    """Return the ARGs that BuildKit knows by itself; a stage has them once it repeats the names."""
    machine = platform.machine().lower()
    processor = {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)
    parts = {"PLATFORM": f"linux/{processor}", "OS": "linux", "ARCH": processor, "VARIANT": ""}
    return {f"{kind}{name}": part for kind in ("TARGET", "BUILD") for name, part in parts.items()}


def lineage(all_stages: Sequence[Stage]) -> list[Stage]:
    """Return the last stage after those that it is based on."""
    position = len(all_stages) - 1
    line = [all_stages[position]]
    while (found_stage := find_stage(all_stages[:position], line[0].base)) is not None:
        position = found_stage
        line.insert(0, all_stages[position])
    return line


def find_stage(earlier: Sequence[Stage], name: str) -> int | None:
    """Return which of some stages a name or a number means; the newest of a name."""
    if name.isdecimal():
        return int(name) if int(name) < len(earlier) else None
    named = [index for index, stage in enumerate(earlier) if stage.name == name.lower()]
    return named[-1] if named and name else None


def _from(instruction: Instruction) -> tuple[str, str]:
    words = instruction.words()
    if len(words) not in (1, 3) or (len(words) == 3 and words[1].upper() != "AS"):
        raise instruction.wrong("FROM takes an image, or an image AS a name")
    name = words[2].lower() if len(words) == 3 else ""
    if name and not _STAGE_NAME.fullmatch(name):
        raise instruction.wrong(
            f"{words[2]} cannot name a stage: a letter, then letters, digits, - _ ."
        )
    return words[0], name


def _check_image(instruction: Instruction, base: str) -> None:
    """Refuse what cannot name an image: a variable without a value, most often."""
    try:
        ImageName.parse(base)
    except InvalidImageNameError as error:
        raise instruction.wrong(f"FROM {instruction.text} names '{base}': {error}") from error


def _filled(
    body: Sequence[Instruction],
    known: dict[str, str],
    given: Mapping[str, str],
    outer: Mapping[str, str],
) -> Iterator[Instruction]:
    """Give each instruction the variables that it may use.

    Args:
        known: ARG and ENV so far; grows.
        given: what was typed.
        outer: the ARGs before the first FROM, which a stage has once it repeats their names.
    """
    for instruction in body:
        filled = replace(instruction, variables=dict(known))
        if instruction.keyword != "RUN":
            filled = replace(filled, documents=tuple(map(filled.fill, instruction.documents)))
        if instruction.keyword == "ARG":
            for name, default in filled.arguments():
                value = given.get(name, outer.get(name) if default is None else default)
                if value is not None:
                    known[name] = value
        elif instruction.keyword == "ENV":
            known |= filled.assignments()
        elif instruction.keyword == "LABEL":
            filled.assignments()  # a mistake in one is a mistake in the file
        yield filled
