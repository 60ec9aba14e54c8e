"""A safe YAML loader that reads merge keys (`<<`) as kubectl and the API server do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

MERGE = "tag:yaml.org,2002:merge"
FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is ten times as fast


class SafeLoader(FASTEST):  # type: ignore[misc]
    """Merges by itself: what PyYAML makes of nested merges changed with its release 6.0.4.

    Kubernetes (yaml.v2) reads a mapping from top to bottom, and of two equal keys the later counts,
    be it written or merged; in a list of mappings to merge, the first has precedence.
    """

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


def _identity(key: yaml.Node) -> object:
    return (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else id(key)
