"""What of a node may not be changed; the answers are those of kube-apiserver v1.36.2."""

from __future__ import annotations

from flashsale.embedded.types.defaults import apply_defaults
from flashsale.embedded.types.resources import NODES
from flashsale.embedded.validation.other_kinds import validate_rest, validate_rest_update

NODE = {"metadata": {"name": "n"}, "spec": {"podCIDR": "10.0.0.0/24", "podCIDRs": ["10.0.0.0/24"]}}


def test_the_network_stays() -> None:
    """The network may not be changed, not even by the old field alone."""
    sent = NODE | {"spec": NODE["spec"] | {"podCIDR": "1.2.3.0/24"}}  # type: ignore[operator]
    changed = apply_defaults(NODES, sent, now=0)
    (error,) = validate_rest_update(NODES, changed, NODE)
    assert error.field == "spec.podCIDRs"
    assert 'may not change podCIDR except from "" to valid' in error.body


def test_taints_are_judged_twice() -> None:
    """An update names each mistake in a taint once more than a creation does."""
    tainted = NODE | {"spec": {"taints": [{"key": "a", "effect": "Bad"}]}}
    once = list(validate_rest(NODES, tainted))
    assert [error.field for error in once] == ["metadata.taints[0].effect"]
    assert list(validate_rest_update(NODES, tainted, tainted)) == once
