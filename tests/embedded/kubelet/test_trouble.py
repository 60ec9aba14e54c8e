"""What nobody expects of a pod: it costs that pod, never the kubelet and with it the cluster."""

import asyncio
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.kubelet.pods import pod_worker
from flashsale.embedded.kubelet.pods.pod_state import ContainerState, recovered
from flashsale.embedded.kubelet.runtime.container_files import ContainerFiles
from flashsale.objects.models import Object
from tests.embedded.kubelet.cluster import NAME, READY_AT_ONCE, Cluster, condition, env, spec

NUL = ["python", "-c", "a\0b"]  # legal JSON, but no system call takes it


@pytest.mark.parametrize(
    ("container", "why"),
    [
        ({"command": NUL}, 'exec: "python": invalid argument'),
        ({"env": [*env(A="x\0y")]}, "invalid argument"),
        ({"workingDir": "/a\0b"}, "the container's files cannot be laid out"),
    ],
    ids=["command", "env", "workingDir"],
)
async def test_a_container_that_no_system_can_start_is_said_to_be_so(
    cluster: Cluster, container: dict[str, Any], why: str
) -> None:
    """An event and a back-off, as for a command that is missing; others run on."""
    cluster.api.create("p", spec("toggle:1.0", **container))
    await cluster.until(
        lambda: any(why in message for message in cluster.api.messages("p", "Failed"))
    )
    cluster.api.create("q", spec("toggle:1.0"))
    await cluster.running("q")


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ({"exec": {"command": NUL}}, "exec: "),
        ({"tcpSocket": {"port": 80, "host": "a..b"}}, "dial tcp: lookup a..b: no such host"),
        ({"httpGet": {"port": 80, "host": "["}}, 'Get "http://[:80/": '),
    ],
    ids=["exec", "tcpSocket", "httpGet"],
)
async def test_a_probe_that_asks_nonsense_fails_like_any_other(
    cluster: Cluster, action: dict[str, Any], why: str
) -> None:
    """The container runs, and is never ready."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe={"periodSeconds": 0.1} | action))
    await cluster.until(
        lambda: any(why in message for message in cluster.api.messages("p", "Unhealthy"))
    )
    assert condition(cluster.api.pod("p"), "Ready")["status"] == "False"


async def test_a_hook_that_asks_nonsense_does_not_keep_the_pod(cluster: Cluster) -> None:
    """It fails, and SIGTERM follows at once."""
    hook = {"preStop": {"httpGet": {"port": 80, "host": "[", "path": "/"}}}
    cluster.api.create("p", spec("toggle:1.0", lifecycle=hook))
    await cluster.until_logged("p", "listening")
    cluster.api.delete("p")
    await cluster.gone("p")
    assert "FailedPreStopHook" in cluster.api.reasons("p")


async def test_a_status_that_somebody_else_wrote_may_lack_anything(cluster: Cluster) -> None:
    """Whatever is missing, the kubelet writes its own again."""
    cluster.api.create(
        "p", spec("toggle:1.0", readinessProbe=READY_AT_ONCE | {"failureThreshold": 1})
    )
    pod = await cluster.ready("p")
    half = {"conditions": [{"type": "Ready", "status": "True"}, {"status": "True"}]}
    cluster.api._write("MODIFIED", pod | {"status": half})
    cluster.kill("p")
    await cluster.running("p", 1)
    ready = condition(await cluster.ready("p"), "Ready")
    assert ready["lastTransitionTime"]


def test_a_status_without_names_is_no_reason_not_to_start_again() -> None:
    """The kubelet reads it after a restart; what it cannot use counts as never seen."""
    status = {"containerStatuses": [{"ready": True}], "conditions": [{}]}
    pod = {"metadata": {"name": "p"}, "spec": spec("toggle:1.0"), "status": status}
    assert recovered(pod, 1.0).containers == (ContainerState(NAME),)


async def test_a_mistake_of_the_kubelet_costs_one_pod_one_start(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The pod is taken up again, an event says so, and its neighbour hears nothing of it."""
    monkeypatch.setattr(pod_worker, "RETRY", 0.05)
    monkeypatch.setattr(pod_worker, "AGAIN", 0.1)
    caplog.set_level(logging.CRITICAL)
    cluster.api.create("neighbour", spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
    await cluster.ready("neighbour")
    real, calls = cluster.api.services, []

    def services(namespace: str) -> list[dict[str, Any]]:
        calls.append(namespace)
        if len(calls) == 1:
            raise KeyError("surprise")
        return real(namespace)

    monkeypatch.setattr(cluster.api, "services", services)
    cluster.api.create("p", spec("toggle:1.0"))
    await cluster.running("p")
    text = "error syncing pod, will be tried again: KeyError: 'surprise'"
    assert cluster.api.messages("p", "FailedSync") == [text]
    assert cluster.api.container("neighbour", NAME)["restartCount"] == 0


async def test_a_pod_that_always_goes_wrong_can_be_deleted(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of it is left, not even the next try."""
    monkeypatch.setattr(pod_worker, "RETRY", 0.05)
    caplog.set_level(logging.CRITICAL)

    def services(namespace: str) -> list[dict[str, Any]]:
        raise KeyError("surprise")

    monkeypatch.setattr(cluster.api, "services", services)
    cluster.api.create("p", spec("toggle:1.0"))
    await cluster.until(lambda: "FailedSync" in cluster.api.reasons("p"))
    cluster.api.delete("p")
    await cluster.gone("p")


async def test_a_pod_deleted_while_its_files_are_copied_leaves_none(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread that copies cannot be cancelled, so it is waited for."""
    copying = asyncio.Event()
    loop, real = asyncio.get_running_loop(), ContainerFiles.lay_out

    def slowly(self: ContainerFiles, spec: Object, volumes: Mapping[str, Path]) -> None:
        loop.call_soon_threadsafe(copying.set)
        time.sleep(0.3)
        real(self, spec, volumes)

    monkeypatch.setattr(ContainerFiles, "lay_out", slowly)
    cluster.api.create("p", spec("toggle:1.0"))
    async with asyncio.timeout(10):
        await copying.wait()
    cluster.api.delete("p", grace=0)
    await cluster.gone("p")
    await asyncio.sleep(0.5)
    assert not list((cluster.root / "pods").iterdir())
