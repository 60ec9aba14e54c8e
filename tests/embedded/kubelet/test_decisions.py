"""The pure parts: back-off, probe thresholds, the environment, Go's texts."""

from typing import Any

import pytest

from flashsale.embedded.kubelet.prober.probe_specs import (
    Grpc,
    HttpGet,
    Probe,
    Streak,
    count_result,
    ports_of,
    probes_of,
)
from flashsale.embedded.kubelet.runtime.backoff import Backoff
from flashsale.embedded.kubelet.runtime.container_env import (
    ConfigError,
    container_variables,
    expand_references,
    service_links,
)
from flashsale.embedded.types.golang import go_text


def waits(backoff: Backoff, crashes: int, ran: float = 1.0) -> list[float]:
    """Return how long a container waits that runs so many seconds and crashes each time."""
    out, now = [], 0.0
    for _ in range(crashes):
        finished = now + ran
        now = backoff.ready_at(finished)
        out.append(now - finished)
        backoff = backoff.next(finished, now)
    return out


def test_restarts_wait_twice_as_long_each_time() -> None:
    """The first at once, then 10 s, doubling up to 300 s."""
    assert waits(Backoff(), 8) == [0, 10, 20, 40, 80, 160, 300, 300]


def test_the_longest_wait_is_an_option() -> None:
    """crashLoopBackOff.maxContainerRestartPeriod."""
    assert waits(Backoff(cap=15), 4) == [0, 10, 15, 15]


def test_a_long_run_is_forgiven() -> None:
    """A crash more than ten minutes after the last restart counts as a first one."""
    assert waits(Backoff(), 3, ran=601) == [0, 0, 0]
    assert waits(Backoff(), 3, ran=599) == [0, 10, 20]


def results(probe: Probe, answers: str) -> list[bool | None]:
    """Return what counts after each answer: + and -."""
    streak, out = Streak().renewed(probe), []
    for answer in answers:
        streak = count_result(streak, probe, answer == "+")
        out.append(streak.result)
    return out


def test_thresholds_count_equal_answers_in_a_row() -> None:
    """Two successes to become ready, three failures to lose it."""
    probe = Probe("Readiness", HttpGet(80), successes=2, failures=3)
    assert results(probe, "+-++--+---") == [
        *(False, False, False, True, True, True, True, True, True, False),
    ]


def test_liveness_counts_anew_after_it_failed() -> None:
    """It holds until there is a new container, for which everything begins again."""
    probe = Probe("Liveness", HttpGet(80), failures=2)
    failed = count_result(count_result(Streak().renewed(probe), probe, False), probe, False)
    assert (failed.result, failed.on_hold) == (False, True)
    again = count_result(failed.renewed(probe), probe, False)
    assert (again.result, again.on_hold) == (True, False)


def test_probes_are_read_with_their_defaults() -> None:
    """Named ports come from the container."""
    container: dict[str, Any] = {
        "ports": [{"name": "web", "containerPort": 5000}],
        "readinessProbe": {"httpGet": {"port": "web", "scheme": "HTTPS"}, "periodSeconds": 5},
        "livenessProbe": {"grpc": {"port": 1}},
        "lifecycle": {"preStop": {"httpGet": {"port": 9000}}},
    }
    probe, grpc = probes_of(container)
    assert grpc.action == Grpc(1)
    assert probe.action == HttpGet(5000, "/", "", "https")
    assert (probe.period, probe.timeout, probe.failures, probe.initial_delay) == (5, 1, 3, 0)
    assert ports_of(container) == {5000, 9000}


def service(name: str, *ports: dict[str, Any], ip: str = "10.96.0.7") -> dict[str, Any]:
    """Return a Service."""
    return {"metadata": {"name": name}, "spec": {"clusterIP": ip, "ports": list(ports)}}


def test_services_are_linked_as_docker_did() -> None:
    """The names that the exercise's own service yields, and KUBERNETES_* for everybody."""
    sale = service("flashsale-svc", {"name": "http", "port": 80, "protocol": "TCP"})
    master = service("kubernetes", {"name": "https", "port": 443}, ip="10.96.0.1")
    headless = service("headless", {"port": 1}, ip="None")
    links = service_links([sale, headless], [master], enabled=True)
    assert links["FLASHSALE_SVC_SERVICE_HOST"] == "10.96.0.7"
    assert links["FLASHSALE_SVC_SERVICE_PORT_HTTP"] == "80"
    assert links["FLASHSALE_SVC_PORT"] == "tcp://10.96.0.7:80"
    assert links["FLASHSALE_SVC_PORT_80_TCP_ADDR"] == "10.96.0.7"
    assert links["KUBERNETES_SERVICE_PORT_HTTPS"] == "443"
    assert not any(name.startswith("HEADLESS") for name in links)
    assert set(service_links([sale], [master], enabled=False)) == {
        name for name in links if name.startswith("KUBERNETES")
    }


def variables(*env: dict[str, Any], **links: str) -> dict[str, str]:
    """Return the variables of a container with that `env`."""
    meta = {"name": "p", "namespace": "ns", "uid": "u", "labels": {"app": "sale"}}
    pod = {"metadata": meta, "spec": {"nodeName": "n"}}
    return container_variables({"env": list(env)}, pod, links, pod_ip="1.2.3.4", host_ip="5.6.7.8")


def field(name: str, path: str) -> dict[str, Any]:
    """Return an `env` entry that comes from a field."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def test_fields_of_the_pod_become_variables() -> None:
    """Every fieldRef that the exercise's learners use."""
    paths = ["metadata.name", "metadata.namespace", "metadata.uid", "status.podIP"]
    paths += ["status.hostIP", "spec.nodeName", "metadata.labels['app']"]
    found = variables(*(field(f"V{number}", path) for number, path in enumerate(paths)))
    assert list(found.values()) == ["p", "ns", "u", "1.2.3.4", "5.6.7.8", "n", "sale"]


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("configMapKeyRef", 'configmap "x" not found'),
        ("secretKeyRef", 'secret "x" not found'),
        ("fileKeyRef", "fileKeyRef is not supported"),
    ],
)
def test_what_is_not_there_is_a_configuration_error(source: str, words: str) -> None:
    """The container waits with CreateContainerConfigError instead of running without it."""
    with pytest.raises(ConfigError, match=words):
        variables({"name": "A", "valueFrom": {source: {"name": "x", "key": "y"}}})


@pytest.mark.parametrize(
    ("resource", "divisor", "value"),
    [
        ("limits.cpu", "0", "2"),  # rounded up
        ("limits.cpu", "1m", "1500"),
        ("limits.memory", "1Mi", "64"),
        ("requests.memory", "1", "67108864"),
        ("requests.cpu", "1", "0"),
    ],
)
def test_resources_become_variables(resource: str, divisor: str, value: str) -> None:
    """In units of the divisor, as on a real node."""
    meta = {"name": "p", "namespace": "ns", "uid": "u"}
    source = {"resourceFieldRef": {"resource": resource, "divisor": divisor}}
    given = {"limits": {"cpu": "1500m", "memory": "64Mi"}, "requests": {"memory": "64Mi"}}
    container = {"name": "c", "resources": given, "env": [{"name": "A", "valueFrom": source}]}
    found = container_variables(container, {"metadata": meta}, {}, pod_ip="", host_ip="")
    assert found["A"] == value


def test_references_are_expanded() -> None:
    """Later variables see earlier ones; `$$` is a dollar, the unknown stays."""
    found = variables({"name": "A", "value": "1"}, {"name": "B", "value": "$(A)-$(L)-$(NO)"}, L="x")
    assert found["B"] == "1-x-$(NO)"
    assert expand_references("$$(A) $(A) $A", found) == "$(A) 1 $A"


@pytest.mark.parametrize(
    ("seconds", "text"), [(10, "10s"), (80, "1m20s"), (300, "5m0s"), (3600, "1h0m0s")]
)
def test_durations_read_as_in_go(seconds: float, text: str) -> None:
    """`back-off 1m20s restarting failed container`."""
    assert go_text.go_duration(seconds) == text
