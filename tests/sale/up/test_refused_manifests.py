"""What an API server refuses, with the field and what it takes."""

import pytest

from flashsale.kube.response_errors import InvalidError
from flashsale.sale.files import manifest as manifests
from flashsale.sale.up.up import refused_by_server


@pytest.mark.parametrize(
    ("given", "field", "hint"),
    [
        ("number", "EnvVar.spec.template.spec.containers.env.value of type string", "value takes"),
        ("bool", "LabelSelector.spec.selector.matchLabels of type string", "write it in quotes"),
        ("string", "ServicePort.spec.ports.nodePort of type int32", "nodePort takes a whole"),
        ("string", "Container.spec.template.spec.containers.command of type []string", "a list"),
        ("object", "Container.spec.containers.env of type []v1.EnvVar", "flashsale manifest"),
    ],
)
def test_a_value_of_another_type_is_told_as_yaml_has_it(given: str, field: str, hint: str) -> None:
    """Beside the server's own words, which are Go's."""
    words = f"json: cannot unmarshal {given} into Go struct field {field}"
    error = refused_by_server(InvalidError(words), manifests.shipped())
    assert str(error).endswith(words)
    assert hint in error.hint
