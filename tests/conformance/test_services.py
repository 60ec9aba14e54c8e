"""Services: node ports, slices, and who answers behind them."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.conformance.api import Object
from tests.conformance.conftest import Cluster
from tests.conformance.manifests import Maker, service
from tests.conformance.scene import Scene, names, uids

pytestmark = pytest.mark.running_pods

ANSWER_LIMIT = 10.0  # seconds
SLOW = 5  # seconds that one answer takes: longer than kube-proxy needs to follow the slice


def test_service_table(sale: Scene) -> None:
    """H53: the Service's row, with its node port."""
    done = sale.kubectl("get svc")
    assert done.headers == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE"]
    (row,) = done.rows
    assert (row[0], row[1], row[3]) == ("flashsale-svc", "NodePort", "<none>")
    assert row[4] == f"80:{node_port(sale)}/TCP"


def test_the_kubernetes_service(sale: Scene) -> None:
    """H53: the namespace default has the API server's own Service."""
    one = sale.api.get("/api/v1/namespaces/default/services/kubernetes")
    assert one["spec"]["type"] == "ClusterIP"
    assert (one["spec"]["ports"][0]["name"], one["spec"]["ports"][0]["port"]) == ("https", 443)


def test_the_kubernetes_service_comes_back(sale: Scene, cluster: Cluster) -> None:
    """H53: whoever deletes it (`kubectl delete all --all`) gets another."""
    if not cluster.embedded:
        pytest.skip("let us not touch your API server's Service")
    path = "/api/v1/namespaces/default/services/kubernetes"
    assert sale.api.send("DELETE", path).status == 200
    sale.until(lambda: sale.api.send("GET", path).status == 200, "it is there again")


def node_port(scene: Scene, name: str = "flashsale-svc") -> int:
    """Return the port that the cluster chose."""
    spec = scene.api.get(scene.path("services", name))["spec"]
    return int(spec["ports"][0]["nodePort"])


def refused(scene: Scene, thing: Object) -> str:
    """Create a Service that is refused; returns the message."""
    answer = scene.api.send("POST", scene.path("services"), thing)
    assert answer.status == 422
    return answer.message


def test_a_taken_node_port(sale: Scene) -> None:
    """H54: a node port belongs to one Service."""
    port = node_port(sale)
    assert refused(sale, service("second", node_port=port)) == (
        f'Service "second" is invalid: spec.ports[0].nodePort: Invalid value: {port}: '
        "provided port is already allocated"
    )


def test_a_node_port_out_of_range(sale: Scene) -> None:
    """H54: node ports lie in a range of their own."""
    message = refused(sale, service("second", node_port=20000))
    assert "provided port is not in the valid range. The range of valid ports is" in message


def test_a_node_port_without_its_type(sale: Scene) -> None:
    """H54: a ClusterIP Service has no node port."""
    message = refused(sale, service("second", node_port=30999, kind="ClusterIP"))
    assert (
        "spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'" in message
    )


def test_a_cluster_ip_stays(sale: Scene) -> None:
    """H54: a Service keeps the address that it was given."""
    change = {"spec": {"clusterIP": "10.96.200.200", "clusterIPs": ["10.96.200.200"]}}
    answer = sale.api.send("PATCH", sale.path("services", "flashsale-svc"), change,
                           content_type="application/merge-patch+json")  # fmt: skip
    assert answer.status == 422
    assert "may not change once set" in answer.message


def test_the_slice(sale: Scene) -> None:
    """H55: one slice with an endpoint for each pod, all of its conditions said."""
    (endpoint,) = sale.kubectl.json(
        "get endpointslices -l kubernetes.io/service-name=flashsale-svc"
    )["items"]
    assert endpoint["metadata"]["name"].startswith("flashsale-svc-")
    assert endpoint["ports"] == [{"name": "http", "port": 5000, "protocol": "TCP"}]
    assert {e["targetRef"]["uid"] for e in endpoint["endpoints"]} == uids(sale.owned())
    conditions = {"ready": True, "serving": True, "terminating": False}
    assert all(e["conditions"] == conditions and e["nodeName"] for e in endpoint["endpoints"])


def test_describe_service(sale: Scene) -> None:
    """H55: describe shows the ready endpoints."""
    lines = sale.kubectl("describe svc flashsale-svc").lines
    (line,) = [line for line in lines if line.startswith("Endpoints:")]
    addresses = line.split(":", 1)[1].strip().split(",")
    assert sorted(addresses) == sorted(f"{pod['status']['podIP']}:5000" for pod in sale.owned())


def test_endpoints_are_deprecated(sale: Scene) -> None:
    """H55: the old Endpoints are still there; newer servers warn."""
    done = sale.kubectl("get endpoints flashsale-svc")
    assert done.rows[0][0] == "flashsale-svc"
    assert done.rows[0][1].count(":5000") == 3
    assert done.err == "" or "Endpoints is deprecated" in done.err


@pytest.fixture(scope="module")
def served(stage: Scene, maker: Maker) -> Scene:
    """A sale of three with the toggle app behind a node port."""
    stage.create(maker.replicaset(), service())
    stage.until_ready(3)
    stage.until(lambda: len(ready_ones(stage)) == 3, "three endpoints are ready")
    return stage


def ready_ones(scene: Scene) -> list[str]:
    """Return the pods whose endpoints take new connections."""
    return [name for name, states in scene.endpoints().items() if states["ready"]]


@pytest.fixture(scope="module")
def door(served: Scene, cluster: Cluster) -> tuple[str, int]:
    """The node's address and the Service's node port; skips where that cannot be reached."""
    (node, *_) = served.api.get("/api/v1/nodes")["items"]
    host = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
    way = host, node_port(served)
    deadline = time.monotonic() + 10
    while refuses(way):
        if time.monotonic() > deadline:
            assert not cluster.embedded, "the embedded cluster's node port must be reachable"
            pytest.skip(f"the node port {way} cannot be reached from here")
        time.sleep(0.1)
    answered: set[str] = set()

    def all_answer() -> bool:
        """The proxy takes up the pods one after the other, a second apart."""
        answered.update(ask(way) for _ in range(12))
        return answered == names(served.owned())

    served.until(all_answer, "the node port leads to all three pods")
    return way


@contextlib.contextmanager
def http_connection(door: tuple[str, int]) -> Iterator[http.client.HTTPConnection]:
    """A connection that stays open."""
    client = http.client.HTTPConnection(*door, timeout=ANSWER_LIMIT)
    try:
        yield client
    finally:
        client.close()


def ask(door: tuple[str, int], path: str = "/") -> str:
    """Ask once over a connection of its own; returns the pod that answered."""
    with http_connection(door) as client:
        return answer_of(client, path)


def answer_of(client: http.client.HTTPConnection, path: str = "/") -> str:
    """Ask over a connection that stays open."""
    client.request("GET", path)
    response = client.getresponse()
    assert response.status == 200
    return str(json.loads(response.read())["pod"])


def test_new_connections_are_spread(served: Scene, door: tuple[str, int]) -> None:
    """H56: each new connection goes to a pod at random, so that all get their share."""
    pods = Counter(ask(door) for _ in range(60))
    assert pods.keys() == names(served.owned())
    assert min(pods.values()) >= 5  # of 20; by chance alone once in 10,000 runs


def test_a_connection_stays(door: tuple[str, int]) -> None:
    """H56: requests on one connection all go to the same pod."""
    with http_connection(door) as client:
        assert len({answer_of(client) for _ in range(20)}) == 1


def test_a_request_in_flight_is_finished(served: Scene, door: tuple[str, int]) -> None:
    """H57: a pod that is deleted finishes what it is serving, and gets nothing new."""
    with http_connection(door) as client:
        pod = answer_of(client)
        answers: list[str] = []
        thread = threading.Thread(target=lambda: answers.append(answer_of(client, f"/slow/{SLOW}")))
        thread.start()
        served.delete("pods", pod)
        served.until(lambda: pod not in ready_ones(served), "its endpoint is not ready")
        others = who_answers_without(door, pod)
        thread.join(ANSWER_LIMIT)
    assert answers == [pod]
    assert pod not in others
    served.until_ready(3)


def who_answers_without(door: tuple[str, int], pod: str) -> set[str]:
    """Return who answers new connections once the proxy has followed the slice."""
    deadline = time.monotonic() + SLOW - 1.5  # kube-proxy refreshes its rules once a second at most
    while time.monotonic() < deadline:
        answered = {ask(door) for _ in range(12)}
        if pod not in answered:
            break
    return answered


def test_at_zero_connections_are_refused(served: Scene, door: tuple[str, int]) -> None:
    """H58: without a pod the node port refuses, and the slice stays, empty."""
    served.scale("flashsale-rs", 0)
    served.until(lambda: not served.owned() and not served.endpoints(), "no pod is left")
    served.until(lambda: refuses(door), "the node port refuses", timeout=10)
    (only,) = served.slices.now.values()
    assert not only.get("endpoints")
    row = served.kubectl("get endpointslices").rows[0]
    assert row[2:4] == ["<unset>", "<unset>"]
    assert served.kubectl("get rs").rows[0][1:4] == ["0", "0", "0"]
    described = served.kubectl("describe svc flashsale-svc").lines
    assert [line.split() for line in described if line.startswith("Endpoints:")] == [["Endpoints:"]]


def refuses(door: tuple[str, int]) -> bool:
    """Whether nobody takes a new connection."""
    try:
        with socket.create_connection(door, timeout=1):
            return False
    except OSError:
        return True


def test_the_slice_goes_with_its_service(served: Scene) -> None:
    """H58: a deleted Service takes its slice along."""
    done = served.kubectl("delete svc flashsale-svc")
    assert done.lines[0].startswith('service "flashsale-svc" deleted')
    served.until(lambda: not served.slices.now, "the slice is gone")
