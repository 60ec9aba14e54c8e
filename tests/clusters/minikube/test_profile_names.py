"""Names of profiles: what minikube does not take is refused before minikube is asked."""

from __future__ import annotations

import pytest

from flashsale.base.errors import BadInputError
from flashsale.clusters.minikube.home import check_profile_name


@pytest.mark.parametrize(
    "name", ["x", "A_b c", "", "-shop", "shop-", "shöp", "sh..op", "a\n", "start", "Logs"]
)
def test_names_that_minikube_refuses(name: str) -> None:
    """As pkg/minikube/config/profile.go does, its own words among them."""
    with pytest.raises(BadInputError) as refused:
        check_profile_name(name)
    assert refused.value.hint.command == "flashsale up --profile shop"


@pytest.mark.parametrize("name", ["minikube", "shop", "a1", "A-b-2", "sh.op", "42"])
def test_names_that_minikube_takes(name: str) -> None:
    """Two or more letters, digits and dashes; a dot between two of such."""
    check_profile_name(name)
