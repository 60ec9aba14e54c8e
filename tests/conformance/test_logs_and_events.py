"""Logs, events, and what describe makes of them."""

from __future__ import annotations

import re

import pytest

from tests.conformance.api import Object
from tests.conformance.manifests import Maker
from tests.conformance.scene import Scene, container

pytestmark = pytest.mark.running_pods

STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d) .")


@pytest.fixture(scope="module")
def talker(stage: Scene, maker: Maker) -> str:
    """A pod with some lines in its log, probed by nobody."""
    stage.create(maker.pod("talker", readinessProbe=None, env={"EXIT_AFTER": 30}))
    stage.until(lambda: b"listening" in log(stage, "talker"), "it has a log")
    return "talker"


def log(scene: Scene, pod: str, query: str = "") -> bytes:
    """Return a pod's log; clients ask for it with all kinds of Accept."""
    return scene.api.send("GET", scene.path("pods", pod, "log") + query).body


def test_tail(sale: Scene, a_pod: Object) -> None:
    """H59: --tail shows the last lines."""
    name = a_pod["metadata"]["name"]
    whole = sale.kubectl(f"logs {name}").lines
    tail = sale.kubectl(f"logs {name} --tail=2").lines
    assert len(whole) > 2
    assert len(tail) == 2
    assert sale.kubectl(f"logs {name} --tail=0").out == ""


def test_timestamps(sale: Scene, a_pod: Object) -> None:
    """H59: --timestamps puts the time before each line."""
    lines = sale.kubectl(f"logs {a_pod['metadata']['name']} --timestamps").lines
    assert lines
    assert all(STAMP.match(line) for line in lines)


def test_the_log_of_a_replicaset(sale: Scene) -> None:
    """H59: a ReplicaSet's log is one of its pods'."""
    done = sale.kubectl("logs rs/flashsale-rs --tail=1")
    assert done.err.startswith("Found 3 pods, using pod/")
    assert len(done.lines) == 1


def test_logs_by_label(sale: Scene) -> None:
    """H59: all pods' logs together, told apart by a prefix."""
    lines = sale.kubectl("logs -l app=flashsale --tail=1 --prefix").lines
    assert len({line.split("]")[0] for line in lines}) == 3


def test_no_previous_log(sale: Scene, a_pod: Object) -> None:
    """H59: there is no previous container before the first restart."""
    name = a_pod["metadata"]["name"]
    done = sale.kubectl(f"logs {name} --previous", code=1)
    assert done.err.strip() == (
        "Error from server (BadRequest): previous terminated container "
        f'"flashsale-container" in pod "{name}" not found'
    )


def test_logs_of_no_container(sale: Scene, a_pod: Object) -> None:
    """H59: a container that does not exist is named."""
    name = a_pod["metadata"]["name"]
    done = sale.kubectl(f"logs {name} -c nope", code=1)
    assert f"container nope is not valid for pod {name}" in done.err


def test_log_options_are_checked(sale: Scene, a_pod: Object) -> None:
    """H59: a negative number of lines is refused."""
    path = sale.path("pods", a_pod["metadata"]["name"], "log")
    answer = sale.api.send("GET", f"{path}?tailLines=-1")
    assert answer.status == 422
    assert "tailLines: Invalid value: -1: must be greater than or equal to 0" in answer.message


def test_limit_bytes(stage: Scene, talker: str) -> None:
    """H59: limitBytes cuts the text, whatever the Accept header says."""
    assert log(stage, talker, "?limitBytes=4") == b"list"


def test_following_ends_with_the_container(stage: Scene, maker: Maker) -> None:
    """H59: `logs -f` streams and ends well when the container stops; then --previous has it."""
    stage.create(maker.pod("brief", env={"EXIT_AFTER": 2}))
    stage.until(lambda: b"listening" in log(stage, "brief"), "it has a log")
    with stage.kubectl.following("logs -f brief") as followed:
        stage.until(lambda: followed.code is not None, "kubectl ends by itself")
    assert followed.code == 0
    assert "ending by itself" in followed.lines
    stage.until(
        lambda: container(stage.pods.now["brief"]).get("restartCount", 0) > 0, "it was restarted"
    )
    assert "ending by itself" in stage.kubectl("logs brief --previous").lines


def test_too_early_for_a_log(stage: Scene, maker: Maker) -> None:
    """H59: before there is a container, the refusal says what the pod waits for."""
    never = maker.pod("early", image="nope:1", imagePullPolicy="Never")
    stage.create(never)
    # A node is not enough: asked before it knows the pod, its kubelet says that there is none.
    stage.until(lambda: container(stage.pods.now["early"]), "the kubelet has a status for it")
    answer = stage.api.send("GET", stage.path("pods", "early", "log"))
    assert answer.status == 400
    assert 'container "flashsale-container" in pod "early" is waiting to start: ' in answer.message


def test_the_scheduled_event(sale: Scene, a_pod: Object) -> None:
    """H60: one row for the pod's assignment, of a known age."""
    name, node = a_pod["metadata"]["name"], a_pod["spec"]["nodeName"]
    selector = f"involvedObject.name={name},reason=Scheduled"
    done = sale.kubectl(f"get events --field-selector {selector}")
    (row,) = done.rows
    assert re.fullmatch(r"\d+[smhd]\w*", row[0])
    assert row[1:4] == ["Normal", "Scheduled", f"pod/{name}"]
    assert done.lines[1].endswith(f"Successfully assigned {sale.namespace}/{name} to {node}")


def test_the_story_of_a_pod(sale: Scene, a_pod: Object) -> None:
    """H60: each pod was scheduled, its image found, its container created and started."""
    for reason in ("Scheduled", "Pulled", "Created", "Started"):
        assert sale.until_event(a_pod["metadata"]["name"], reason)["type"] == "Normal"


def test_events_sorted_by_time(sale: Scene) -> None:
    """H60: sorted by lastTimestamp, rows without one (the scheduler's) come first."""
    rows = sale.kubectl("get events --sort-by=.lastTimestamp").rows
    reasons = [row[2] for row in rows]
    assert reasons[:3] == ["Scheduled"] * 3


def test_kubectl_events(sale: Scene, a_pod: Object) -> None:
    """H60: `kubectl events` knows them too."""
    name = a_pod["metadata"]["name"]
    done = sale.kubectl(f"events --for pod/{name}")
    assert "Scheduled" in done.out
    assert "<unknown>" not in done.out


def test_describe_replicaset(sale: Scene) -> None:
    """H61: describe counts the pods by phase and tells what was created."""
    output = sale.kubectl("describe rs flashsale-rs").out
    assert re.search(r"Replicas:\s+3 current / 3 desired", output)
    assert re.search(r"3 Running / 0 Waiting / 0 Succeeded / 0 Failed", output)
    assert output.count("SuccessfulCreate") == 3


def test_describe_pod(sale: Scene, a_pod: Object) -> None:
    """H61: describe shows a pod whole: owner, probes, conditions, events in order."""
    output = sale.kubectl(f"describe pod {a_pod['metadata']['name']}").out
    for part in (
        r"Controlled By:\s+ReplicaSet/flashsale-rs",
        r"Readiness:\s+http-get http://:5000/health delay=0s timeout=1s period=1s",
        r"PodReadyToStartContainers\s+True",
        r"QoS Class:\s+Burstable",
    ):
        assert re.search(part, output)
    events = output.split("Events:")[1]
    assert events.index("Scheduled") < events.index("Started")


def test_describe_node(sale: Scene, a_pod: Object) -> None:
    """H61: describe shows a node with its conditions and the pods on it."""
    output = sale.kubectl(f"describe node {a_pod['spec']['nodeName']}").out
    for kind in ("MemoryPressure", "DiskPressure", "PIDPressure", "Ready"):
        assert re.search(rf"^\s+{kind}\s+(True|False)", output, re.MULTILINE)
    assert "Non-terminated Pods:" in output
    assert a_pod["metadata"]["name"] in output
    assert "Allocated resources:" in output
