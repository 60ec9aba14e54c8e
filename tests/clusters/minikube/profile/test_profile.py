"""Reading what minikube prints: literal samples of several versions, and rubbish."""

from __future__ import annotations

import pytest

from flashsale.base.image_names import full_name
from flashsale.clusters.minikube.image.docker_env import parse_docker_env
from flashsale.clusters.minikube.image.image_route import image_route
from flashsale.clusters.minikube.image.node_images import parse_images
from flashsale.clusters.minikube.profile.profile import (
    GONE,
    WELL,
    MinikubeStatus,
    Profile,
    ProfileState,
    parse_status,
)
from flashsale.clusters.minikube.profile.usability import judge_usability
from flashsale.clusters.minikube.start.events import parse_event, without_placeholders
from flashsale.clusters.subprocesses.run import Output
from flashsale.docker import EngineError, EngineProblem

RUNNING = (
    '{"Name":"minikube","Host":"Running","Kubelet":"Running","APIServer":"Running",'
    '"Kubeconfig":"Configured","Worker":false}'
)
WORKER = (
    '{"Name":"minikube-m02","Host":"Running","Kubelet":"Running","APIServer":"Irrelevant",'
    '"Kubeconfig":"Irrelevant","Worker":true}'
)


@pytest.mark.parametrize(
    ("code", "stdout", "expected"),
    [
        (0, RUNNING, WELL),
        (0, f"[{RUNNING},{WORKER}]", WELL),
        (2, f"[{RUNNING},{WORKER.replace('Running', 'Paused', 1)}]", "Paused"),
        (7, "null", GONE),
        (0, "null", GONE),
        (85, '{"specversion":"1.0","type":"io.k8s.sigs.minikube.info"}', None),
        (0, "", None),
        (0, "[]", None),
        (0, "Hostzustand: läuft", None),
        (0, '{"type":"io.k8s.sigs.minikube.info"}', None),
        (2, "panic: runtime error", None),
        (-2, RUNNING, None),
    ],
)
def test_status_is_read_by_its_json_and_never_by_0_alone(
    code: int, stdout: str, expected: MinikubeStatus | str | None
) -> None:
    """The least healthy of several nodes counts."""
    status = parse_status(Output(code, stdout, ""))
    assert (status.host if isinstance(expected, str) and status else status) == expected


EVENT = (
    '{"specversion":"1.0","type":"io.k8s.sigs.minikube.warning",'
    '"data":{"message":"docker is slow {"}}'
)


@pytest.mark.parametrize(
    "around",
    [f"{EVENT}\n%s", f"{EVENT}\n{EVENT}\n%s", f"%s{EVENT}\n", "! a {notice}\n%s", "%s\n* bye"],
)
def test_an_answer_is_found_among_events_and_notices(around: str) -> None:
    """Versions differ in what they say besides: an update is there, Docker is slow."""
    assert parse_status(Output(0, around % RUNNING, "")) == WELL
    assert parse_status(Output(7, around % "null", "")) == GONE
    env = parse_docker_env(around % '{"DOCKER_HOST":"tcp://127.0.0.1:1"}')
    assert env == {"DOCKER_HOST": "tcp://127.0.0.1:1"}
    assert parse_images(around % "[]") == {}


@pytest.mark.parametrize(
    ("cause", "seen"),
    [
        ("NewSession: new client: dial tcp 127.0.0.1:32769: connect: connection refused", ""),
        ("host: state: VBoxManage not found", ""),
        ("host: state: podman inspect: exit status 1\nstderr:\nsudo: a password is required", ""),
        ("host: exit status 1\nstdout:\n\nstderr:\nError: No such container: shop", "Gone"),
        ("host: exit status 1\nstderr:\nError: no such container shop", "Gone"),
        ("host: state: Cannot connect to the Docker daemon at unix:///x", "Gone"),
    ],
)
def test_a_node_that_is_not_looked_at_is_not_taken_for_lost(cause: str, seen: str) -> None:
    """minikube prints `null` for both; only the reason, in its log lines, tells."""
    log = f"E1127 00:05:12.3  13 status.go:178] status error: {cause}\n"
    status = parse_status(Output(7, "null", log + log))
    assert status is not None
    assert status.host == (seen or "Unknown")
    assert status.cause == ("" if seen else cause.splitlines()[-1])


def test_old_profiles_without_a_runtime_use_docker() -> None:
    """The field was left empty then."""
    config = {"Driver": "docker", "KubernetesConfig": {"ContainerRuntime": ""}, "Nodes": [{}]}
    assert Profile.from_config({"Name": "old", "Config": config}).runtime == "docker"


@pytest.mark.parametrize("line", ["", "plain text", "[]", "3", '{"type": 3}', '{"type":"other"}'])
def test_lines_that_are_no_events_are_passed_over(line: str) -> None:
    """Hints and panics come in between."""
    assert parse_event(line) is None


def test_step_without_a_number_is_behind_every_other() -> None:
    """`currentstep` may be empty."""
    event = parse_event('{"type":"io.k8s.sigs.minikube.step","data":{"currentstep":"","name":"x"}}')
    assert event is not None
    assert event.index == -1


def test_advice_loses_its_unfilled_placeholders() -> None:
    """minikube prints its template as it is."""
    assert (
        without_placeholders("Run: minikube delete {{.profile}} first")
        == "Run: minikube delete first"
    )


@pytest.mark.parametrize("stdout", ["false exit code 83\n", "", "[1]"])
def test_docker_env_that_is_no_json_is_empty(stdout: str) -> None:
    """A failure prints its exit code in place of the JSON."""
    assert parse_docker_env(stdout) == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("flashsale", "docker.io/library/flashsale:latest"),
        ("flashsale:1.0", "docker.io/library/flashsale:1.0"),
        ("me/sale:1", "docker.io/me/sale:1"),
        ("docker.io/library/flashsale:1", "docker.io/library/flashsale:1"),
        ("localhost:5000/sale", "localhost:5000/sale:latest"),
    ],
)
def test_names_of_runtimes_are_compared_in_full(name: str, expected: str) -> None:
    """One runtime shortens them, another does not."""
    assert full_name(name) == expected


IMAGE = (
    '{"id":"%s","repoDigests":["me/sale@sha256:dd"],"repoTags":["flashsale:1.0"],"size":"48000000"}'
)


@pytest.mark.parametrize(
    "text",
    [
        f"[{IMAGE % 'sha256:aa'}]\n",
        f"[{IMAGE % 'aa'}]",
        f'{{\r\n  "images": [\r\n{IMAGE % "sha256:aa"}]\r\n}}\r\n',
    ],
)
def test_lists_of_images_are_alike_in_all_their_shapes(text: str) -> None:
    """minikube's, with and without the digest's name, and crictl's through a terminal."""
    assert parse_images(text) == {"docker.io/library/flashsale:1.0": ("sha256:aa", "sha256:dd")}


@pytest.mark.parametrize(
    ("driver", "runtime", "nodes", "way"),
    [
        ("docker", "docker", 1, "engine"),
        ("kvm2", "docker", 1, "engine"),
        ("docker", "containerd", 1, "node"),
        ("docker", "crio", 1, "node"),
        ("docker", "docker", 2, "node"),
        ("none", "docker", 1, "host"),
    ],
)
def test_road_of_an_image(driver: str, runtime: str, nodes: int, way: str) -> None:
    """By driver, number of nodes and runtime."""
    found, message = image_route(
        Profile("shop", driver, runtime, ("", "m02")[:nodes], "192.168.49.2")
    )
    assert found == way
    assert bool(message) == (way != "engine")  # the usual way needs no words


DOCKER, KVM = (Profile("shop", driver, "docker", ("",), "") for driver in ("docker", "kvm2"))
STOPPED = MinikubeStatus("Stopped", "Stopped", "Stopped", "Stopped")


@pytest.mark.parametrize(
    ("state", "docker", "others", "root", "good"),
    [
        (ProfileState(DOCKER, WELL), False, [], True, True),
        (ProfileState(DOCKER, STOPPED), True, [], False, True),
        (ProfileState(DOCKER, STOPPED), False, ["kvm2"], False, False),
        (ProfileState(DOCKER, STOPPED), True, [], True, False),
        (ProfileState(KVM, STOPPED), False, [], False, True),
        (ProfileState(None), True, [], False, True),
        (ProfileState(None), False, [], False, False),
        (ProfileState(None), False, ["kvm2"], False, True),
        (ProfileState(None), True, [], True, False),
        (ProfileState(None, damaged="why"), True, [], False, False),
    ],
)
def test_minikube_is_chosen_only_where_it_can_run(
    state: ProfileState, docker: bool, others: list[str], root: bool, good: bool
) -> None:
    """Its docker driver refuses root, and needs Docker."""
    trouble = None if docker else EngineError(EngineProblem.ABSENT, "this machine", "")
    found, reason = judge_usability("shop", state, trouble=trouble, others=others, root=root)
    assert found is good
    assert "minikube" in reason


def test_docker_that_may_not_be_used_is_not_called_stopped() -> None:
    """Starting it would not help."""
    denied = EngineError(EngineProblem.DENIED, "this machine", "")
    _, reason = judge_usability("shop", ProfileState(None), trouble=denied, others=[], root=False)
    assert reason == "minikube is installed, but: This user may not use Docker on this machine"
