"""What a client library is given: a kubeconfig of one context, and a ReplicaSet to work on."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.kubectl import Kubectl
from tests.conformance.manifests import NOWHERE, Maker
from tests.conformance.scene import Scene


@pytest.fixture(scope="session")
def kubeconfig(kubectl: Kubectl, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig whose only context is that of the cluster under test."""
    path = tmp_path_factory.mktemp("clients") / "kubeconfig"
    path.write_text(kubectl("config view --raw --minify --flatten").out)
    return path


@pytest.fixture
def place(new_scene: Callable[[], AbstractContextManager[Scene]]) -> Iterator[Scene]:
    """A namespace for one test."""
    with new_scene() as made:
        yield made


@pytest.fixture
def replicaset(maker: Maker) -> Object:
    """A ReplicaSet of one pod that fits on no node: the API is asked, not the kubelet."""
    return maker.replicaset("one", replicas=1, **NOWHERE)


@pytest.fixture(autouse=True)
def _sockets_are_collected() -> Iterator[None]:
    """Let what a library leaves open be found in its own test, which may allow that."""
    yield
    gc.collect()
