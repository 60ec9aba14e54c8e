"""What the embedded cluster does not do, it says; a real one does it, so this is for ours alone."""

from __future__ import annotations

import pytest

from tests.conformance.api import Object
from tests.conformance.conftest import Cluster
from tests.conformance.scene import Scene


@pytest.fixture(autouse=True)
def _embedded_only(cluster: Cluster) -> None:
    if not cluster.embedded:
        pytest.skip("a real cluster does all of this")


@pytest.mark.parametrize("what", ["proxy"])
def test_ways_into_a_pod_that_are_not_there(sale: Scene, a_pod: Object, what: str) -> None:
    """It is said in words."""
    path = sale.path("pods", a_pod["metadata"]["name"], what)
    done = sale.kubectl(f"get --raw {path}", code=1)
    assert f"the embedded cluster does not do {what}" in done.err


@pytest.mark.parametrize("kind", ["deployments", "secrets", "jobs"])
def test_other_kinds(sale: Scene, kind: str) -> None:
    """Kinds beyond the exercise's are unknown, as on a server without them."""
    done = sale.kubectl(f"get {kind}", code=1)
    assert done.err.strip() == f'error: the server doesn\'t have a resource type "{kind}"'


def test_no_service_account_token(a_pod: Object) -> None:
    """Pods get no token to speak to the API with."""
    assert "volumes" not in a_pod["spec"]
    assert "volumeMounts" not in a_pod["spec"]["containers"][0]
