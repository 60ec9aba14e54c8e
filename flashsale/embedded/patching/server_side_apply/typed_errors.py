"""What server-side apply finds wrong with a configuration's types (structured-merge-diff)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flashsale.embedded.patching.server_side_apply import field_sets
from flashsale.embedded.patching.server_side_apply.field_walk import UntypedError, element_step
from flashsale.embedded.types.apitypes import Kind, Type, struct, type_of
from flashsale.embedded.types.golang.go_values import go_printed, go_type

NUMBERS = ("int32", "int64")
UNTYPED = ("quantity", "intorstring", "time", "microtime", "any")


def first_type_error(config: Any, api_version: str, kind: str) -> str:
    """Return what is wrong with a configuration, empty if it fits its kind's schema."""
    errors = list(_struct(type_of(api_version, kind), config, ""))
    if len(errors) < 2:
        return "".join(errors)
    return "errors:\n" + "\n".join(f"  {error}" for error in errors)


def _struct(owner: Type, value: Any, at: str) -> Iterator[str]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield _wrong(at, f"expected map, got {_shown(value)}")
        return
    for key, item in value.items():
        place = f"{at}.{key}"
        if key in owner.fields:
            yield from _value(owner.fields[key], item, place)
        else:
            yield f"{place}: field not declared in schema"


def _value(kind: Kind, value: Any, at: str) -> Iterator[str]:
    if value is None:
        return
    if kind.shape == "struct":
        yield from _struct(struct(kind.name), value, at)
    elif kind.shape == "list" and kind.item:
        yield from _list(kind, kind.item, value, at)
    elif kind.shape == "map" and kind.item:
        if not isinstance(value, dict):
            yield _wrong(at, f"expected map, got {_shown(value)}")
            return
        for key, item in value.items():
            yield from _value(kind.item, item, f"{at}.{key}")
    else:
        if wrong := _scalar(kind.name, value):
            yield _wrong(at, wrong)


def _list(kind: Kind, item: Kind, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, list):
        yield _wrong(at, f"expected list, got {_shown(value)}")
        return
    seen: set[str] = set()
    for index, element in enumerate(value):
        step = f"{field_sets.INDEX}{index}"
        if kind.list_keys is not None:
            try:
                step = element_step(element, kind)
            except UntypedError as error:
                yield _wrong(at, f"element {index}: {error}")
                return
            if step in seen:
                yield _wrong(at, f"duplicate entries for key {field_sets.describe_path((step,))}")
            seen.add(step)
        yield from _value(item, element, at + field_sets.describe_path((step,)))


def _scalar(name: str, value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if name in NUMBERS:
        return "" if is_number else f"expected numeric (int or float), got {go_type(value)}"
    if name == "boolean":
        return "" if isinstance(value, bool) else f"expected boolean, got {_shown(value)}"
    if name in UNTYPED:
        scalar = not isinstance(value, dict | list)
        return "" if scalar or name == "any" else f"expected any scalar, got {_shown(value)}"
    if isinstance(value, str):
        return ""
    return f"expected string, got &value.valueUnstructured{{Value:{_go_value(value)}}}"


def _wrong(at: str, why: str) -> str:
    return f"{at}: {why}" if at else why


def _go_value(value: Any) -> str:
    """Write a value as Go's `%#v` does."""
    inner = None
    if isinstance(value, dict):
        inner = [f"{json.dumps(key)}:{_go_value(item)}" for key, item in value.items()]
    if isinstance(value, list):
        inner = list(map(_go_value, value))
    if inner is not None:
        return f"{go_type(value)}{{{', '.join(inner)}}}"
    return "interface {}(nil)" if value is None else json.dumps(value)


def _shown(value: Any) -> str:
    """Write a value as Go prints a pointer to what holds it."""
    return f"&{{{go_printed(value)}}}"
