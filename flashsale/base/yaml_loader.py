"""A safe YAML loader that reads plain words and merge keys as kubectl and the API server do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, ClassVar

import yaml

MERGE = "tag:yaml.org,2002:merge"
BOOL, INT, FLOAT = (f"tag:yaml.org,2002:{name}" for name in ("bool", "int", "float"))
FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast


class SafeLoader(FASTEST):  # type: ignore[misc]
    """Reads a plain `12:30`, a date and `=` as text, `y` and `n` as booleans, `1e3` as a number.

    So does Kubernetes' reader (go.yaml.in/yaml/v2, resolve.go); PyYAML follows YAML 1.1.

    Merges by itself: what PyYAML makes of nested merges changed with its release 6.0.4.

    Kubernetes (yaml.v2) reads a mapping from top to bottom, and of two equal keys the later counts,
    be it written or merged; in a list of mappings to merge, the first has precedence.
    """

    bool_values: ClassVar[dict[str, bool]] = FASTEST.bool_values | {"y": True, "n": False}
    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        letter: [(tag, pattern) for tag, pattern in known if tag.endswith((":merge", ":null"))]
        for letter, known in FASTEST.yaml_implicit_resolvers.items()
    }

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Replace the merge keys of a mapping by what they merge."""
        pairs: dict[object, tuple[yaml.Node, yaml.Node]] = {}  # no more than differ: no bombs
        for key, value in node.value:
            for pair in self._merged(value) if key.tag == MERGE else [(key, value)]:
                pairs[_identity(pair[0])] = pair
        node.value = list(pairs.values())
        super().flatten_mapping(node)  # nothing is left to merge, but `=` is no ordinary key yet

    def _merged(self, value: yaml.Node) -> Iterable[tuple[yaml.Node, yaml.Node]]:
        for mapping in reversed(value.value) if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(mapping, yaml.MappingNode):
                problem = "map merge requires map or sequence of maps as the value"
                raise yaml.constructor.ConstructorError(None, None, problem, mapping.start_mark)
            self.flatten_mapping(mapping)
            yield from mapping.value


_BOOLEAN = "y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF"
_INTEGER = r"[-+]?(?:0b[01_]+|0x[\da-fA-F_]+|0o?[0-7_]+|0|[1-9][\d_]*)"
_NUMBER = (
    r"[-+]?(?:\.\d[\d_]*|\d[\d_]*(?:\.[\d_]*)?)(?:[eE][-+]?\d+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
for _tag, _pattern, _first in (
    (BOOL, _BOOLEAN, "yYnNtTfFoO"),
    (INT, _INTEGER, "-+0123456789"),
    (FLOAT, _NUMBER, "-+.0123456789"),
):
    SafeLoader.add_implicit_resolver(_tag, re.compile(rf"(?:{_pattern})\Z"), list(_first))


def _identity(key: yaml.Node) -> object:
    return (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
