"""Bodies as the registry validates them: decoded and defaulted."""

import copy
from typing import Any

from flashsale.embedded.types import schema
from flashsale.embedded.types.defaults import apply_defaults
from flashsale.embedded.types.resources import Resource
from flashsale.embedded.validation import validate_create
from tests.embedded import recorded

NOW = 0.0


def prepared(resource: Resource, body: Any) -> Any:
    """Decode and default a body."""
    thing, _ = schema.decode_object(resource, body)
    if resource.namespaced:
        thing.setdefault("metadata", {}).setdefault("namespace", "default")
    return apply_defaults(resource, thing, now=NOW)


def created(resource: Resource, body: Any) -> list[str]:
    """What is wrong with a new object, each error as kubectl prints it."""
    errors = validate_create(resource, prepared(resource, body))
    return [f"{error.field}: {error.body}" for error in errors]


def replicaset(**container: Any) -> Any:
    """The exercise's ReplicaSet with changes to its container; None takes a field away."""
    thing = copy.deepcopy(recorded.error("create-dry-run")["request"]["body"])
    changed = thing["spec"]["template"]["spec"]["containers"][0] | container
    kept = {key: value for key, value in changed.items() if value is not None}
    thing["spec"]["template"]["spec"]["containers"] = [kept]
    return thing


def pod(**spec: Any) -> Any:
    """A pod with one container."""
    return {
        "metadata": {"name": "p"},
        "spec": {"containers": [{"name": "a", "image": "b:1"}], **spec},
    }


def service(**spec: Any) -> Any:
    """A Service with one port."""
    return {"metadata": {"name": "s"}, "spec": {"ports": [{"port": 80}], **spec}}


def with_spec(old: Any, **spec: Any) -> Any:
    """An object with changes to its spec."""
    return old | {"spec": old["spec"] | spec}
