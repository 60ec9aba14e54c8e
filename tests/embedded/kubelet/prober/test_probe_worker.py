"""Probes against real servers."""

import asyncio
import json
import time
from typing import Any

import pytest

from tests.embedded.kubelet.cluster import NAME, READY_AT_ONCE, Cluster, condition, env, spec
from tests.embedded.kubelet.conftest import Ask

BRISK = READY_AT_ONCE | {"failureThreshold": 2, "timeoutSeconds": 0.3}


def get(path: str, **more: Any) -> dict[str, Any]:
    """Return a probe that asks a path ten times a second."""
    return {"httpGet": {"path": path, "port": 5000}, "periodSeconds": 0.1} | more


async def unhealthy(cluster: Cluster, text: str) -> None:
    """Wait for an Unhealthy event with that text."""
    await cluster.until(
        lambda: any(text in message for message in cluster.api.messages("p", "Unhealthy"))
    )


async def test_losing_readiness_takes_a_pod_out_and_recovering_brings_it_back(
    cluster: Cluster, ask: Ask
) -> None:
    """After failureThreshold failures; nothing is restarted, each failure is an event."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=BRISK))
    await cluster.ready("p")
    before = len(cluster.api.messages("p", "Unhealthy"))
    await ask(cluster.url("p", "/set?health=503"))
    await cluster.until(lambda: condition(cluster.api.pod("p"), "Ready")["status"] == "False")
    text = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    await cluster.until(lambda: len(cluster.api.messages("p", "Unhealthy")) == before + 3)
    assert cluster.api.messages("p", "Unhealthy")[before:] == [text] * 3  # one more at the sync
    assert cluster.api.container("p")["restartCount"] == 0
    await ask(cluster.url("p", "/set?health=200"))
    await cluster.ready("p")
    assert "Killing" not in cluster.api.reasons("p")


async def test_failures_are_told_in_gos_words(cluster: Cluster, ask: Ask) -> None:
    """Timeout, dropped connection, refused connection: what people search the web for."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=BRISK))
    await cluster.ready("p")
    ip = cluster.api.pod("p")["status"]["podIP"]
    url = f'Get "http://{ip}:5000/health"'
    await ask(cluster.url("p", "/set?health=drop"))
    await unhealthy(cluster, f"Readiness probe failed: {url}: EOF")
    await ask(cluster.url("p", "/set?health=hang"))
    slow = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
    await unhealthy(cluster, f"Readiness probe failed: {url}: {slow}")
    cluster.api.create("q", spec("toggle:1.0", readinessProbe=get("/health"), env=[*env(PORT="1")]))
    q = cluster.api.messages
    await cluster.until(lambda: q("q", "Unhealthy"))
    ip = cluster.api.pod("q")["status"]["podIP"]
    assert q("q", "Unhealthy")[0] == (
        f'Readiness probe failed: Get "http://{ip}:5000/health": '
        f"dial tcp {ip}:5000: connect: connection refused"
    )


async def test_an_app_on_localhost_is_never_ready(cluster: Cluster) -> None:
    """The classic mistake: it listens, but nobody outside the pod can reach it."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=BRISK, env=[*env(BIND="127.0.0.1")]))
    await cluster.until_logged("p", "listening")
    before = len(cluster.api.messages("p", "Unhealthy"))
    await cluster.until(lambda: len(cluster.api.messages("p", "Unhealthy")) >= before + 2)
    assert "connection refused" in cluster.api.messages("p", "Unhealthy")[-1]
    assert condition(cluster.api.pod("p"), "Ready")["status"] == "False"


async def test_probes_say_who_they_are(cluster: Cluster, ask: Ask) -> None:
    """The headers of a real kubelet; the probe's own come on top."""
    probe = get("/health")
    probe["httpGet"] |= {"httpHeaders": [{"name": "X-Test", "value": "1"}]}
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=probe))
    pod = await cluster.ready("p")
    _, text = await ask(cluster.url("p", "/seen"))
    headers = next(headers for path, headers in json.loads(text) if path == "/health")
    assert headers == {
        "Host": f"{pod['status']['podIP']}:5000",
        "User-Agent": "kube-probe/1.36",
        "Accept": "*/*",
        "X-Test": "1",
        "Connection": "close",
    }


async def test_redirects_stay_on_the_host(cluster: Cluster, ask: Ask) -> None:
    """Within the host they are followed; elsewhere they count as success, with a warning."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=BRISK))
    await cluster.ready("p")
    await ask(cluster.url("p", "/set?health=to:/live"))

    async def was_asked(path: str) -> bool:
        _, text = await ask(cluster.url("p", "/seen"))
        return any(one == path for one, _ in json.loads(text))

    deadline = time.monotonic() + 5
    while not await was_asked("/live"):
        assert time.monotonic() < deadline
    await ask(cluster.url("p", "/set?health=to:http://elsewhere.example/x"))
    await cluster.until(lambda: cluster.api.messages("p", "ProbeWarning"))
    assert cluster.api.messages("p", "ProbeWarning")[0] == (
        "Readiness probe warning: Probe terminated redirects, Response body: moved"
    )
    await ask(cluster.url("p", "/set?health=to:/health"))
    await unhealthy(cluster, "stopped after 10 redirects")


async def test_the_initial_delay_is_kept_and_the_period_counts_on(cluster: Cluster) -> None:
    """Delay 2 s, period 1.5 s: ready 3 s after the start, at the first tick after the delay.

    The sync 1 s after the start falls into the delay; if it restarted the period, as on a real
    kubelet, that would be after 2.5 s (1 s + 1.5 s).
    """
    probe = get("/health", initialDelaySeconds=2, periodSeconds=1.5)
    await asyncio.sleep(1 - time.time() % 1)  # startedAt is cut to whole seconds
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=probe))
    begin = time.monotonic()
    await cluster.ready("p")
    assert time.monotonic() - begin > 2.9
    assert "Unhealthy" not in cluster.api.reasons("p")


async def test_readiness_is_asked_again_a_second_after_the_start(cluster: Cluster) -> None:
    """Whatever the period: the syncs after a start trigger a probe."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=get("/health", periodSeconds=60)))
    await cluster.ready("p", limit=30)


async def test_without_probes_a_pod_is_ready_as_soon_as_it_runs(cluster: Cluster) -> None:
    """And stays so."""
    cluster.api.create("p", spec("toggle:1.0"))
    await cluster.ready("p")
    assert cluster.api.events[-1]["reason"] == "Started"


async def test_the_others_wait_for_the_startup_probe(cluster: Cluster, ask: Ask) -> None:
    """Not started, not ready, not alive: until the startup probe succeeds nothing else is asked."""
    cluster.api.create(
        "p",
        spec(
            "toggle:1.0",
            startupProbe=get("/slow", failureThreshold=30),
            readinessProbe=READY_AT_ONCE,
            livenessProbe=get("/live"),
        ),
    )
    await unhealthy(cluster, "Startup probe failed: HTTP probe failed with statuscode: 404")
    assert cluster.api.container("p")["started"] is False
    _, text = await ask(cluster.url("p", "/seen"))
    assert {path for path, _ in json.loads(text)} == {"/slow", "/seen"}
    await ask(cluster.url("p", "/set?slow=200"))
    await cluster.ready("p")
    assert cluster.api.container("p")["started"] is True


async def test_a_startup_probe_that_gives_up_restarts_the_container(cluster: Cluster) -> None:
    """As a liveness probe does."""
    # An app without its handler yet ignores SIGTERM: then SIGKILL ends it.
    probe = get("/never", failureThreshold=2, terminationGracePeriodSeconds=2)
    cluster.api.create("p", spec("toggle:1.0", startupProbe=probe))
    await cluster.running("p", 1)
    assert cluster.api.messages("p", "Killing") == [
        f"Container {NAME} failed startup probe, will be restarted"
    ]


@pytest.mark.parametrize(
    ("probe", "failure"),
    [
        ({"tcpSocket": {"port": 5000}}, "dial tcp IP:5000: connect: connection refused"),
        ({"exec": {"command": ["python", "-c", "open('/proc/self/cwd/flag')"]}}, "No such file"),
        (
            {"exec": {"command": ["sleep", "9"]}},
            'command timed out: "sleep 9" timed out after 0.5s',
        ),
        ({"exec": {"command": ["no-such-program"]}}, "no-such-program"),
    ],
)
async def test_other_probes_fail_with_a_reason(
    cluster: Cluster, probe: dict[str, Any], failure: str
) -> None:
    """tcpSocket and exec."""
    probe = probe | {"periodSeconds": 0.1, "timeoutSeconds": 0.5}
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=probe, env=[*env(PORT="5001")]))
    await cluster.until(lambda: cluster.api.messages("p", "Unhealthy"))
    ip = cluster.api.pod("p")["status"]["podIP"]
    await unhealthy(cluster, failure.replace("IP", ip))


@pytest.mark.parametrize(
    "probe",
    [
        {"tcpSocket": {"port": "web"}},
        {"exec": {"command": ["sh", "-c", "test -f toggle.py && test $HOSTNAME = p"]}},
    ],
)
async def test_other_probes_succeed(cluster: Cluster, probe: dict[str, Any]) -> None:
    """A named port; a command that sees the container's folder and environment."""
    ports = [{"name": "web", "containerPort": 5000}]
    one = {"ports": ports, "readinessProbe": probe | {"periodSeconds": 0.1}}
    cluster.api.create("p", spec("toggle:1.0", **one))
    await cluster.ready("p")
