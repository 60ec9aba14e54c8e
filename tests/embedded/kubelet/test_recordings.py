"""The order of statuses and events is that of a real kubelet (recorded.json)."""

from pathlib import Path

from flashsale.embedded.kubelet.images.image_store import ImageStore
from flashsale.objects.models import Object
from tests.embedded.kubelet.cluster import NAME, READY_AT_ONCE, Cluster, MemoryAPI, condition
from tests.embedded.kubelet.shapes import RECORDED, recorded, shapes


def exercise(cluster: Cluster, image: str = "toggle:1.0", **container: object) -> Object:
    """Create a pod like the recorded ones, but of a small app, and with a probe that asks often.

    It is patient instead: an app that is being stopped must not lose its readiness first.
    """
    probe = READY_AT_ONCE | {"failureThreshold": 30}
    one = RECORDED["container"] | {"image": image, "readinessProbe": probe} | container
    return cluster.api.create("p", {"containers": [one]})


async def test_a_pod_becomes_ready_in_the_recorded_steps(cluster: Cluster) -> None:
    """Creating, sandbox, running with an address, ready."""
    exercise(cluster)
    await cluster.ready("p")
    assert shapes(cluster.api.statuses("p")) == recorded("create")


async def test_starting_is_told_in_the_recorded_events(cluster: Cluster) -> None:
    """Pulled, Created, Started, each about the container; only then the status says Running."""
    exercise(cluster)
    await cluster.ready("p")
    ours = [reason for reason in cluster.api.reasons("p") if reason != "Unhealthy"]
    assert ["Scheduled", *ours] == RECORDED["create"]["events"]
    assert {event["path"] for event in cluster.api.events} == {f"spec.containers{{{NAME}}}"}
    running = cluster.api.order.index("Started")
    assert cluster.api.order[running + 1] == "MODIFIED"


async def test_a_deleted_pod_ends_in_the_recorded_steps(cluster: Cluster) -> None:
    """The new generation, Killing, the terminal status; then the object goes."""
    exercise(cluster)
    await cluster.ready("p")
    before = len(cluster.api.statuses("p"))
    cluster.api.delete("p")
    await cluster.gone("p")
    assert shapes(cluster.api.statuses("p")[before:]) == recorded("delete")
    assert cluster.api.messages("p", "Killing") == [f"Stopping container {NAME}"]


async def test_a_crashing_container_restarts_in_the_recorded_steps(
    tmp_path: Path, images: ImageStore
) -> None:
    """Terminated, running again at once; at the second crash CrashLoopBackOff comes between."""
    async with Cluster(tmp_path, images, MemoryAPI(), max_backoff=1.5) as cluster:
        await crash_twice(cluster)
    ours, real = shapes(cluster.api.statuses("p")), recorded("crash")  # the recording goes on
    crashed = next(i for i, row in enumerate(ours) if "terminated" in row["containers"][0]["state"])
    assert ours[crashed:] == real[: len(ours) - crashed]
    assert len(ours) - crashed == 7
    order = [
        reason for reason in cluster.api.reasons("p") if reason not in ("Unhealthy", "BackOff")
    ]
    assert order == ["Pulled", "Created", "Started"] * 3
    label = f"p_default({cluster.api.pod('p')['metadata']['uid']})"
    text = f"Back-off restarting failed container {NAME} in pod {label}"
    assert cluster.api.messages("p", "BackOff") == [text] * 2


async def crash_twice(cluster: Cluster) -> None:
    """SIGKILL the container when the pod is ready, and again."""
    exercise(cluster)
    for restarts in range(2):
        await cluster.ready("p")
        cluster.kill("p")
        await cluster.running("p", restarts + 1)
    await cluster.ready("p")


async def test_a_failing_liveness_probe_restarts_in_the_recorded_steps(cluster: Cluster) -> None:
    """No terminated status in between: the pod stays ready until the new container runs."""
    probe = {
        "httpGet": {"path": "/sick", "port": 5000},
        "periodSeconds": 0.2,
        "failureThreshold": 2,
    }
    exercise(cluster, livenessProbe=probe | {"initialDelaySeconds": 2})
    await cluster.running("p", 1)
    await cluster.ready("p")
    real = recorded("liveness")
    ours = shapes(cluster.api.statuses("p"))
    assert ours == real[: len(ours)]
    assert len(ours) == 6
    assert cluster.api.messages("p", "Killing") == [
        f"Container {NAME} failed liveness probe, will be restarted"
    ]
    assert (
        cluster.api.messages("p", "Unhealthy").count(
            "Liveness probe failed: HTTP probe failed with statuscode: 404"
        )
        == 2
    )


async def test_an_image_that_may_not_be_pulled_waits_in_the_recorded_steps(
    cluster: Cluster,
) -> None:
    """ErrImageNeverPull, with an address; deleted, the pod ends as Failed without having run."""
    exercise(cluster, image="flashsale:9.9", imagePullPolicy="Never")
    await cluster.until(lambda: len(cluster.api.messages("p", "ErrImageNeverPull")) == 2)
    cluster.api.delete("p")
    await cluster.gone("p")
    assert shapes(cluster.api.statuses("p")) == recorded("never pulled")


async def test_an_image_that_cannot_be_pulled_waits_in_the_recorded_steps(
    cluster: Cluster,
) -> None:
    """ErrImagePull, then ImagePullBackOff, with the recorded events and an honest reason."""
    exercise(cluster, image="flashsale:9.9")
    await cluster.until(lambda: len(cluster.api.messages("p", "BackOff")) == 2)
    ours = shapes(cluster.api.statuses("p"))
    assert ours == recorded("not pullable")[: len(ours)]
    assert len(ours) == 4
    ours_too = ["Scheduled", *cluster.api.reasons("p")]
    assert ours_too == RECORDED["not pullable"]["events"][: len(ours_too)]
    waiting = cluster.api.container("p")["state"]["waiting"]
    assert waiting["message"] == (
        'Back-off pulling image "flashsale:9.9": ErrImagePull: the embedded cluster has no '
        "registry; images come from flashsale up"
    )
    assert condition(cluster.api.pod("p"), "Ready")["reason"] == "ContainersNotReady"
