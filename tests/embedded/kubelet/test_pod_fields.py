"""Fields of a pod that are obeyed as on a real node: sidecars, gates, last words, pull policy."""

from __future__ import annotations

from typing import Any

from flashsale.objects.models import Object
from tests.embedded.kubelet.cluster import NAME, READY_AT_ONCE, Cluster, condition, spec

WAIT = "trap 'exit 0' TERM; while :; do sleep 0.1; done"


def shell(name: str, script: str, **more: Any) -> Object:
    """Return a container that runs a shell script."""
    return {"name": name, "image": "toggle:1.0", "command": ["sh", "-c", script]} | more


async def test_sidecars_start_before_the_containers_and_stop_after_them(cluster: Cluster) -> None:
    """In order, each once the one before it has started; in reverse at the end."""
    ready = {
        "exec": {"command": ["test", "-f", "/tmp/up"]},
        "periodSeconds": 0.1,
        "failureThreshold": 99,
    }
    begin = f"sleep 0.3; touch /tmp/up; echo up; {WAIT}"
    pod = {
        "initContainers": [
            shell("one", begin, restartPolicy="Always", startupProbe=ready),
            shell("two", f"echo two; {WAIT}", restartPolicy="Always"),
            shell("plain", "echo plain"),
        ],
        "containers": [shell(NAME, WAIT)],
    }
    cluster.api.create("p", pod)
    status = (await cluster.ready("p"))["status"]
    assert [row["started"] for row in status["initContainerStatuses"][:2]] == [True, True]
    assert status["initContainerStatuses"][1]["ready"]
    started = [row["path"] for row in cluster.api.events if row["reason"] == "Started"]
    assert [path.partition("{")[2].rstrip("}") for path in started] == ["one", "two", "plain", NAME]
    cluster.api.delete("p", grace=5)
    await cluster.gone("p")
    stopped = [row["path"] for row in cluster.api.events if row["reason"] == "Killing"]
    assert [path.partition("{")[2].rstrip("}") for path in stopped] == [NAME, "two", "one"]


async def test_a_sidecar_that_ends_starts_again_and_does_not_keep_a_pod_from_ending(
    cluster: Cluster,
) -> None:
    """It restarts whatever the pod's policy says, and is stopped when the others are done."""
    pod = {
        "restartPolicy": "Never",
        "initContainers": [shell("side", "sleep 0.2; exit 1", restartPolicy="Always")],
        "containers": [shell(NAME, "sleep 1.5")],
    }
    cluster.api.create("p", pod)
    await cluster.until(lambda: "running" in cluster.api.container("p").get("state", ()))
    await cluster.until(
        lambda: cluster.api.pod("p")["status"]["initContainerStatuses"][0]["restartCount"] >= 1
    )
    await cluster.until(lambda: cluster.api.pod("p")["status"]["phase"] == "Succeeded")


async def test_a_readiness_gate_keeps_a_pod_from_being_ready(cluster: Cluster) -> None:
    """Its containers are ready all the same; the reason names the gate."""
    pod = spec("toggle:1.0", readinessProbe=READY_AT_ONCE)
    cluster.api.create("p", pod | {"readinessGates": [{"conditionType": "shop/open"}]})
    await cluster.until(
        lambda: condition(cluster.api.pod("p"), "ContainersReady").get("status") == "True"
    )
    ready = condition(cluster.api.pod("p"), "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "ReadinessGatesNotReady")
    assert '"shop/open" does not exist' in ready["message"]


async def test_last_words_are_told(cluster: Cluster) -> None:
    """From /dev/termination-log, or from the log where the container asks for that."""
    policy = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    pod = {
        "restartPolicy": "Never",
        "containers": [
            shell("says", "echo out of stock > /dev/termination-log; exit 3"),
            shell("prints", "echo printed; exit 1", **policy),
            shell("silent", "echo printed; exit 1"),
        ],
    }
    cluster.api.create("p", pod)
    await cluster.until(lambda: cluster.api.pod("p")["status"]["phase"] == "Failed")
    words = [cluster.api.container("p", name)["state"]["terminated"].get("message")
             for name in ("says", "prints", "silent")]  # fmt: skip
    assert words == ["out of stock\n", "printed\n", None]


async def test_a_grpc_probe_fails_where_nobody_speaks_grpc(cluster: Cluster) -> None:
    """With the words of a real kubelet."""
    probe = {"grpc": {"port": 5000}, "periodSeconds": 0.1, "timeoutSeconds": 1}
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=probe))
    await cluster.until(lambda: cluster.api.messages("p", "Unhealthy"))
    (text, *_) = cluster.api.messages("p", "Unhealthy")
    assert text.startswith("Readiness probe failed: timeout: failed to connect service")
    assert text.endswith(':5000" within 1s: context deadline exceeded')


async def test_pull_policy_always_does_not_take_the_local_image(cluster: Cluster) -> None:
    """The trap that waits on minikube; the message says what to write."""
    cluster.api.create("p", spec("toggle:1.0", imagePullPolicy="Always"))
    await cluster.until(lambda: cluster.api.messages("p", "Failed"))
    waiting = cluster.api.container("p")["state"]["waiting"]
    assert waiting["reason"] in ("ErrImagePull", "ImagePullBackOff")
    assert "write IfNotPresent" in waiting["message"]


async def test_a_pod_fails_when_its_active_deadline_is_over(cluster: Cluster) -> None:
    """At once in the status; its containers stop within their grace period."""
    pod = {"containers": [shell(NAME, WAIT)], "activeDeadlineSeconds": 2}  # of whole seconds
    cluster.api.create("p", pod)
    await cluster.until(lambda: "terminated" in cluster.api.container("p").get("state", ()))
    status = cluster.api.pod("p")["status"]
    assert (status["phase"], status["reason"]) == ("Failed", "DeadlineExceeded")
    assert status["message"] == "Pod was active on the node longer than the specified deadline"
    await cluster.until(lambda: condition(cluster.api.pod("p"), "Ready")["reason"] == "PodFailed")
    reasons = [row["reason"] for row in cluster.api.events]
    assert reasons.index("DeadlineExceeded") < reasons.index("Killing")
