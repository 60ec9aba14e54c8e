"""Objects with mistakes anywhere, patches that may not fit, and other things nobody should send."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from tests.conformance.api import Object
from tests.conformance.manifests import NOWHERE, Maker, service

PLACES = ("pods", "replicasets", "services")
NUMBERS = st.sampled_from([-1, 0, 1, 2, 2**31, 2**63, -(2**63), 2**64, 0.5, 1e308])
WORDS = st.sampled_from(["", "x", "flashsale", "1", "-", "a/b", "\x00", "\ud800", "é", "0" * 300])
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=5)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
LAUGHS = "a0: &a0 [x, x, x]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40)
)
Path = tuple[str | int, ...]


def thing(kind: str, image: str = "flashsale:1.0") -> Object:
    """Return a valid object whose pods run nowhere."""
    maker = Maker(image)
    if kind == "services":
        return service("fuzz", app="fuzz")
    spec: Object = {"imagePullPolicy": "Never", "command": ["false"], **NOWHERE}
    made = (
        maker.pod("fuzz", **spec)
        if kind == "pods"
        else maker.replicaset("fuzz", replicas=1, app="fuzz", **spec)
    )
    pod = made["spec"] if kind == "pods" else made["spec"]["template"]["spec"]
    pod["nodeSelector"] = {"there-is": "no-such-node"}
    return made


def paths(value: Any, base: Path = ()) -> list[Path]:
    """Return the paths to all values inside an object."""
    steps: Iterable[Any] = ()
    if isinstance(value, dict | list):
        steps = value.items() if isinstance(value, dict) else enumerate(value)
    inner = [path for step, item in steps for path in paths(item, (*base, step))]
    return [base, *inner] if base else inner


@st.composite
def mutated(draw: st.DrawFn, original: Object) -> Any:
    """Replace, remove or double up to three values anywhere in an object."""
    changed: Any = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        places = paths(changed)
        if not places:
            break
        way: list[Any]
        *way, last = draw(st.sampled_from(places))
        holder = changed
        for step in way:
            holder = holder[step]
        match draw(st.sampled_from(["replace", "remove", "double"])):
            case "replace":
                holder[last] = draw(JUNK)
            case "remove":
                del holder[last]
            case _:
                twin = copy.deepcopy(holder[last])
                holder.append(twin) if isinstance(holder, list) else holder.update({"": twin})
    return changed


def objects() -> st.SearchStrategy[tuple[str, Any]]:
    """Return kinds with mutated objects of that kind."""
    return st.sampled_from(PLACES).flatmap(
        lambda kind: st.tuples(st.just(kind), mutated(thing(kind)))
    )


@st.composite
def operations(draw: st.DrawFn) -> list[Any]:
    """Return a JSON patch that may or may not make sense."""
    known = ["/" + "/".join(map(str, path)) for path in paths(thing("replicasets"))]
    pointer = st.sampled_from([*known, "", "/", "/spec/-", "/metadata/labels/~1", "spec", "/-1"])
    names = ["add", "remove", "replace", "move", "copy", "test", "nonsense"]
    operation = st.fixed_dictionaries(
        {"op": st.sampled_from(names)},
        optional={"path": pointer, "from": pointer, "value": JUNK},
    )
    return draw(st.lists(operation | JUNK, max_size=3))
