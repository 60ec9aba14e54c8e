"""Containers: environment, restart policies, init containers, what cannot start."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.objects.models import Object
from tests.embedded.kubelet import apps
from tests.embedded.kubelet.cluster import (
    NAME,
    READY_AT_ONCE,
    Cluster,
    MemoryAPI,
    condition,
    env,
    spec,
)
from tests.embedded.kubelet.conftest import Ask
from tests.embedded.processes import alive, below


def shell(script: str, name: str = NAME, **more: Any) -> Object:
    """Return a container that runs a shell script."""
    return {"name": name, "image": "toggle:1.0", "command": ["sh", "-c", script]} | more


async def phase(cluster: Cluster, wanted: str) -> None:
    """Wait for the pod's phase."""
    await cluster.until(lambda: cluster.api.pod("p")["status"]["phase"] == wanted)


async def test_the_environment_is_the_containers_own(
    cluster: Cluster, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Image, pod and service links; nothing of whoever started the cluster but a few."""
    monkeypatch.setenv("SECRET_OF_THE_USER", "1")
    monkeypatch.setenv("TZ", "UTC")
    metadata = {"name": "flashsale-svc", "namespace": "default"}
    ports = [{"name": "http", "port": 80, "protocol": "TCP"}]
    cluster.api.service_list.append(
        {"metadata": metadata, "spec": {"clusterIP": "10.96.0.7", "ports": ports}}
    )
    field = {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    variables = [*env(COLOUR="blue", URL="http://$(FLASHSALE_SVC_SERVICE_HOST)"), field]
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=READY_AT_ONCE, env=variables))
    pod = await cluster.ready("p")
    _, text = await ask(cluster.url("p", "/env"))
    document = json.loads(text)
    assert document["HOSTNAME"] == "p"
    assert (document["COLOUR"], document["URL"]) == ("blue", "http://10.96.0.7")
    assert document["IP"] == pod["status"]["podIP"]
    assert document["PATH"].split(":")[0] == os.path.dirname(sys.executable)
    assert document["TZ"] == "UTC"
    uid = pod["metadata"]["uid"]
    assert document["HOME"] in (
        "/root",
        "/root/home",
        str(cluster.root / "pods" / uid / NAME / "rootfs" / "root"),
    )
    ours = {name for name in document if name.startswith(("SECRET", "PYTHON", "FLASHSALE_GUEST"))}
    assert ours == set()


async def test_a_pod_reaches_itself_on_localhost(cluster: Cluster, ask: Ask) -> None:
    """And another pod by its address."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
    await cluster.ready("p")
    assert (await ask(cluster.url("p", "/self")))[1] == "p"


async def test_pods_run_where_all_share_one_address(
    tmp_path: Path, images: ImageStore, ask: Ask
) -> None:
    """The way of macOS: ports are mapped, probes and the proxy find them."""
    async with Cluster(tmp_path, images, MemoryAPI(), mode="ports") as cluster:
        for name in ("p", "q"):
            cluster.api.create(name, spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
        for name in ("p", "q"):
            assert (await cluster.ready(name))["status"]["podIP"] == "127.0.0.1"
            assert (await ask(cluster.url(name, "/who")))[1] == name
            assert (await ask(cluster.url(name, "/self")))[1] == name


async def test_a_restart_finds_fresh_files(cluster: Cluster) -> None:
    """What the container wrote before is gone, and the whole of its group died with it."""
    script = "sleep 99 & test -f old || echo fresh; touch old; wait"
    cluster.api.create("p", {"containers": [shell(script)]})
    await cluster.until_logged("p", "fresh")
    children = below(cluster.pid("p"))
    assert children or sys.platform != "linux"
    cluster.kill("p")
    await cluster.running("p", 1)
    await cluster.until_logged("p", "fresh")
    await cluster.until(lambda: not any(map(alive, children)))
    assert cluster.api.container("p")["lastState"]["terminated"]["exitCode"] == 137


async def test_a_dead_process_is_noticed_at_once(cluster: Cluster) -> None:
    """Without the second that a real kubelet takes to look."""
    cluster.api.create("p", spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
    await cluster.ready("p")
    os.kill(cluster.pid("p"), signal.SIGKILL)
    seconds = await cluster.until(
        lambda: condition(cluster.api.pod("p"), "Ready")["status"] == "False"
    )
    assert seconds < 0.3
    await cluster.running("p", 1)


@pytest.mark.parametrize(
    ("policy", "code", "end"),
    [
        ("Never", 0, "Succeeded"),
        ("Never", 3, "Failed"),
        ("OnFailure", 0, "Succeeded"),
    ],
)
async def test_a_pod_that_is_done_is_over(
    cluster: Cluster, policy: str, code: int, end: str
) -> None:
    """It keeps its log and its status until it is deleted."""
    container = shell(f"echo did it; exit {code}")
    cluster.api.create("p", {"containers": [container], "restartPolicy": policy})
    await phase(cluster, end)
    await cluster.until(
        lambda: condition(cluster.api.pod("p"), "PodReadyToStartContainers")["status"] == "False"
    )
    reason = "PodCompleted" if end == "Succeeded" else "PodFailed"
    assert condition(cluster.api.pod("p"), "Ready")["reason"] == reason
    assert cluster.log("p") == b"did it\n"
    assert cluster.network._attached == {}
    cluster.api.delete("p", grace=0)
    await cluster.gone("p")


async def test_a_failed_container_starts_again_on_failure(cluster: Cluster) -> None:
    """Until it succeeds."""
    tries = cluster.root / "pods" / "tries"
    script = f"test -f {tries} && exit 0; touch {tries}; exit 1"
    cluster.api.create("p", {"containers": [shell(script)], "restartPolicy": "OnFailure"})
    await phase(cluster, "Succeeded")
    assert cluster.api.container("p")["restartCount"] == 1
    assert cluster.api.container("p")["lastState"]["terminated"]["exitCode"] == 1


async def test_init_containers_run_first_and_in_order(cluster: Cluster) -> None:
    """Pending until they are done, PodInitializing for the others."""
    init = [shell("sleep 0.1; echo one", "one"), shell("echo two", "two")]
    cluster.api.create("p", {"initContainers": init, "containers": [shell("sleep 9")]})
    await phase(cluster, "Running")
    started = [row["path"] for row in cluster.api.events if row["reason"] == "Started"]
    assert started == [
        "spec.initContainers{one}",
        "spec.initContainers{two}",
        f"spec.containers{{{NAME}}}",
    ]
    first = cluster.api.statuses("p")[1]
    assert first["containerStatuses"][0]["state"]["waiting"]["reason"] == "PodInitializing"
    initialized = [
        condition({"status": status}, "Initialized") for status in cluster.api.statuses("p")[1:]
    ]
    assert initialized[0]["message"] == "containers with incomplete status: [one two]"
    assert initialized[-1]["status"] == "True"
    assert all(row["ready"] for row in cluster.api.pod("p")["status"]["initContainerStatuses"])
    assert cluster.log("p", "one") == b"one\n"


async def test_a_failed_init_container_fails_the_pod_that_never_restarts(cluster: Cluster) -> None:
    """Its containers are never started."""
    init = [shell("exit 4", "one")]
    pod = {"initContainers": init, "containers": [shell("sleep 9")], "restartPolicy": "Never"}
    cluster.api.create("p", pod)
    await phase(cluster, "Failed")
    assert cluster.api.reasons("p").count("Started") == 1


async def test_containers_of_a_pod_live_together(cluster: Cluster) -> None:
    """Ready when all are; one crashes, the other runs on."""
    pair = [
        spec("toggle:1.0", readinessProbe=READY_AT_ONCE)["containers"][0],
        shell("sleep 9", "b"),
    ]
    cluster.api.create("p", {"containers": pair})
    await cluster.ready("p")
    pid = cluster.pid("p")
    cluster.kill("p", "b")
    await cluster.until(lambda: cluster.api.container("p", "b")["restartCount"] == 1)
    assert cluster.pid("p") == pid
    assert cluster.api.container("p")["restartCount"] == 0
    dipped = [condition({"status": status}, "Ready") for status in cluster.api.statuses("p")]
    assert "containers with unready status: [b]" in [one.get("message") for one in dipped]


NOT_STARTED = (  # as Docker words it
    "failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: "
)


@pytest.mark.parametrize(
    ("command", "code", "why"),
    [
        (
            ["no-such-program"],
            127,
            'exec: "no-such-program": executable file not found in $PATH: unknown',
        ),
        (["./toggle.py"], 126, 'exec: "./toggle.py": permission denied: unknown'),
        (["/no/such"], 127, 'exec: "/no/such": stat /no/such: no such file or directory: unknown'),
    ],
)
async def test_a_command_that_cannot_run_says_why(
    cluster: Cluster, command: list[str], code: int, why: str
) -> None:
    """As an event and in the status; it is tried again, with back-off."""
    cluster.api.create("p", spec("toggle:1.0", command=command))
    await cluster.until(lambda: cluster.api.container("p").get("restartCount") == 1)
    assert cluster.api.messages("p", "Failed")[0].endswith(why)
    ended = cluster.api.container("p")["lastState"]["terminated"]
    assert (ended["exitCode"], ended["reason"], ended["message"]) == (
        code,
        "ContainerCannotRun",
        NOT_STARTED + why,
    )
    reasons = [
        status["containerStatuses"][0]["state"].get("waiting", {}).get("reason")
        for status in cluster.api.statuses("p")[1:]
    ]
    assert "RunContainerError" in reasons


async def test_a_missing_configuration_keeps_the_container_waiting(cluster: Cluster) -> None:
    """CreateContainerConfigError, and nothing is started."""
    value = {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}
    cluster.api.create("p", spec("toggle:1.0", env=[value]))
    await cluster.until(lambda: cluster.api.messages("p", "Failed"))
    waiting = cluster.api.container("p")["state"]["waiting"]
    assert waiting["reason"] == "CreateContainerConfigError"
    assert "Started" not in cluster.api.reasons("p")


async def test_a_malformed_image_name_is_told(cluster: Cluster) -> None:
    """InvalidImageName, with Docker's reason."""
    cluster.api.create("p", spec("FlashSale:1.0"))
    await cluster.until(lambda: cluster.api.messages("p", "InspectFailed"))
    assert cluster.api.container("p")["state"]["waiting"]["reason"] == "InvalidImageName"
    assert "must be lowercase" in cluster.api.messages("p", "InspectFailed")[0]


@pytest.mark.parametrize("policy", ["Never", "IfNotPresent"])
async def test_a_waiting_pod_starts_once_its_image_is_built(
    cluster: Cluster, images: ImageStore, tmp_path: Path, policy: str
) -> None:
    """It need not wait for the back-off to end."""
    name = f"late-{policy.lower()}:1"
    cluster.api.create("p", spec(name, imagePullPolicy=policy))
    await cluster.until(lambda: cluster.api.messages("p", "Failed"))
    dockerfile = apps.write(
        tmp_path / "late", {"toggle.py": apps.TOGGLE_APP, "Dockerfile": apps.TOGGLE_DOCKERFILE}
    )
    images.build(name, dockerfile.parent, dockerfile)
    await phase(cluster, "Running")


async def test_a_failing_post_start_hook_ends_the_container(cluster: Cluster) -> None:
    """It is killed and started again, like any container that ends."""
    hook = {"postStart": {"exec": {"command": ["false"]}}}
    cluster.api.create("p", spec("toggle:1.0", lifecycle=hook))
    await cluster.until(lambda: cluster.api.container("p").get("restartCount") == 1)
    assert "FailedPostStartHook" in cluster.api.reasons("p")


async def test_changes_that_cannot_be_written_now_are_written_later(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk keeps neither the pod nor the kubelet from working."""
    from flashsale.base.errors import FlashsaleError

    def refuse(*_: object) -> None:
        raise FlashsaleError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(cluster.api, "update_pod_status", refuse)
        patch.setattr(cluster.api, "record", refuse)
        pod = cluster.api.create("p", spec("toggle:1.0"))
        pid = cluster.root / "pods" / pod["metadata"]["uid"] / NAME / "pid"
        await cluster.until(pid.exists)
    await cluster.ready("p")


async def test_a_crash_is_noticed_at_the_next_relist(tmp_path: Path, images: ImageStore) -> None:
    """As on a real node: until then the pod counts as running, and as ready."""
    async with Cluster(tmp_path, images, MemoryAPI(), relist=(0.5, 0.5)) as cluster:
        cluster.api.create("p", spec("toggle:1.0", readinessProbe=READY_AT_ONCE))
        await cluster.ready("p")
        written = len(cluster.api.statuses("p"))
        cluster.kill("p")
        took = await cluster.until(lambda: len(cluster.api.statuses("p")) > written)
        assert took >= 0.45
        assert "terminated" in cluster.api.statuses("p")[written]["containerStatuses"][0]["state"]
        await cluster.running("p", 1)
