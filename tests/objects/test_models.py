"""kubectl's words for pods and times, held against what kubectl printed on a real cluster."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.objects.columns import pod_columns
from flashsale.objects.models import (
    Object,
    Pod,
    ReplicaSet,
    Service,
    human_duration,
    rfc3339,
    service_ports,
    timestamp,
)
from tests import recorded

MINUTE, HOUR, DAY = 60, 3600, 86400
YEAR = 365 * DAY
NAMES = (
    *("name", "ready", "started", "state", "terminated", "waiting", "running", "lastState"),
    *("reason", "exitCode", "finishedAt", "restartCount", "conditions", "type", "status"),
    *("signal", "containers", "containerStatuses", "initContainers", "initContainerStatuses"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (-1e9, "<invalid>"),
        (-2, "<invalid>"),
        (-1.99, "0s"),
        (-0.5, "0s"),
        (0, "0s"),
        (0.99, "0s"),
        (1, "1s"),
        (119.9, "119s"),
        (2 * MINUTE, "2m"),
        (2 * MINUTE + 1, "2m1s"),
        (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE, "10m"),
        (10 * MINUTE + 59, "10m"),
        (3 * HOUR - 1, "179m"),
        (3 * HOUR, "3h"),
        (3 * HOUR + MINUTE, "3h1m"),
        (8 * HOUR - 1, "7h59m"),
        (8 * HOUR, "8h"),
        (2 * DAY - 1, "47h"),
        (2 * DAY, "2d"),
        (2 * DAY + HOUR, "2d1h"),
        (8 * DAY - 1, "7d23h"),
        (8 * DAY, "8d"),
        (2 * YEAR - 1, "729d"),
        (2 * YEAR, "2y"),
        (2 * YEAR + DAY, "2y1d"),
        (8 * YEAR - 1, "7y364d"),
        (8 * YEAR, "8y"),
        (100 * YEAR, "100y"),
    ],
)
def test_ages_are_written_as_kubernetes_does(seconds: float, written: str) -> None:
    """The units change at the same points, and everything is truncated."""
    assert human_duration(seconds) == written


@given(st.floats(0, 7 * DAY), st.floats(0, 7 * DAY))
def test_an_older_thing_never_looks_younger(one: float, other: float) -> None:
    """Ages grow with time, whichever units they are in."""
    younger, older = sorted((one, other))
    assert in_seconds(younger) <= in_seconds(older) <= older


def in_seconds(age: float) -> int:
    """Read a written age back."""
    total, digits = 0, ""
    for char in human_duration(age):
        if char.isdigit():
            digits += char
        else:
            total += int(digits) * {"s": 1, "m": MINUTE, "h": HOUR, "d": DAY}[char]
            digits = ""
    return total


def statuses(scenario: str) -> Iterator[tuple[str, list[str]]]:
    """What each pod of a scenario was called over time, by the end of its name."""
    states = [
        (pod["metadata"]["name"][-5:], pod_columns(pod).status)
        for pod in recorded.pod_states(scenario)
    ]
    for name in dict.fromkeys(name for name, _ in states):
        words = (word for other, word in states if other == name)
        yield name, [word for word, _ in groupby(words)]


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("01-create-3", {"gxj9j": ["Pending", "ContainerCreating", "Running"]}),
        (
            "03-delete-pod",
            {
                "gxj9j": ["Terminating", "Completed"],
                "2bk89": ["Pending", "ContainerCreating", "Running"],
            },
        ),
        (
            "06-container-crash",
            {
                "dxwrx": [
                    *("Error", "Running"),
                    *("Error", "CrashLoopBackOff", "Running"),
                    *("Error", "CrashLoopBackOff"),
                ]
            },
        ),
        (
            "11-image-missing",
            {
                "krp7l": [
                    *("Pending", "ContainerCreating", "ErrImagePull", "ImagePullBackOff"),
                    *("Terminating", "ContainerStatusUnknown"),
                ],
                "s5jth": [
                    *("Pending", "ContainerCreating", "ErrImageNeverPull"),
                    *("Terminating", "ContainerStatusUnknown"),
                ],
            },
        ),
        (
            "13-liveness-fails",
            {
                "wk2lz": [
                    *("Pending", "ContainerCreating", "Running"),
                    *("CrashLoopBackOff", "Terminating", "Completed"),
                ]
            },
        ),
    ],
)
def test_a_pods_life_in_kubectls_words(scenario: str, words: dict[str, list[str]]) -> None:
    """Derived from the watch events of a real cluster, in their order."""
    found = dict(statuses(scenario))
    assert {name: found[name] for name in words} == words


def test_no_recorded_pod_is_without_a_word() -> None:
    """Every state that a real kubelet reported has one."""
    assert all(pod_columns(pod).status for pod in recorded.pod_states())


def container(state: Object, **others: Any) -> Object:
    """One container's status."""
    return {"name": "c", "ready": False, "restartCount": 0, "state": state} | others


def pod(
    *containers: Object,
    phase: str = "Running",
    reason: str = "",
    conditions: tuple[Object, ...] = (),
    init: tuple[Object, ...] = (),
    init_specs: tuple[Object, ...] = (),
    deleted: bool = False,
) -> Object:
    """A pod with those container statuses."""
    deletion = {"deletionTimestamp": "2026-11-23T03:11:19Z"} if deleted else {}
    return {
        "metadata": {"name": "p"} | deletion,
        "spec": {
            "containers": [{"name": "c"}] * len(containers),
            "initContainers": list(init_specs),
        },
        "status": {
            "phase": phase,
            "reason": reason,
            "conditions": list(conditions),
            "containerStatuses": list(containers),
            "initContainerStatuses": list(init),
        },
    }


RUNNING = container({"running": {}}, ready=True)
READY = {"type": "Ready", "status": "True"}
DONE = container({"terminated": {"exitCode": 0, "reason": "Completed"}})
FAILED = container({"terminated": {"exitCode": 1, "reason": "Error"}})
WAITING = container({"waiting": {"reason": "PodInitializing"}})
SIDECAR = {"name": "side", "restartPolicy": "Always"}


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (pod(phase="Pending"), "Pending"),
        (pod(phase="Failed", reason="Evicted"), "Evicted"),
        (
            pod(
                phase="Pending",
                conditions=({"type": "PodScheduled", "reason": "SchedulingGated"},),
            ),
            "SchedulingGated",
        ),
        (pod(RUNNING), "Running"),
        (pod(container({"waiting": {"reason": "CrashLoopBackOff"}})), "CrashLoopBackOff"),
        (pod(container({"waiting": {}}), phase="Pending"), "Pending"),
        (pod(FAILED), "Error"),
        (pod(container({"terminated": {"exitCode": 3}})), "ExitCode:3"),
        (pod(container({"terminated": {"exitCode": 137, "signal": 9}})), "Signal:9"),
        (pod(DONE, FAILED), "Error"),
        (pod(FAILED, DONE), "Error"),
        (pod(DONE, RUNNING, conditions=(READY,)), "Running"),
        (pod(DONE, RUNNING), "NotReady"),
        (pod(DONE, FAILED, RUNNING), "Error"),
        (pod(RUNNING, deleted=True), "Terminating"),
        (pod(RUNNING, deleted=True, reason="NodeLost"), "Unknown"),
        (pod(DONE, phase="Succeeded", deleted=True), "Completed"),
        (pod(FAILED, phase="Failed", deleted=True), "Error"),
        (
            pod(WAITING, phase="Pending", init=(WAITING,), init_specs=({"name": "i"},) * 2),
            "Init:0/2",
        ),
        (
            pod(WAITING, phase="Pending", init=(DONE, RUNNING), init_specs=({"name": "i"},) * 2),
            "Init:1/2",
        ),
        (pod(WAITING, phase="Pending", init=(FAILED,)), "Init:Error"),
        (
            pod(WAITING, init=(container({"terminated": {"exitCode": 2}}),)),
            "Init:ExitCode:2",
        ),
        (
            pod(WAITING, init=(container({"waiting": {"reason": "ErrImagePull"}}),)),
            "Init:ErrImagePull",
        ),
        (pod(WAITING, phase="Pending", init=(DONE,)), "PodInitializing"),
        (
            pod(
                RUNNING,
                init=(container({"running": {}}, name="side", started=True),),
                init_specs=(SIDECAR,),
            ),
            "Running",
        ),
        (
            pod(
                RUNNING,
                init=(RUNNING,),
                conditions=({"type": "Initialized", "status": "True"},),
            ),
            "Init:0/0",
        ),
    ],
)
def test_a_pods_status_follows_from_its_parts(state: Object, word: str) -> None:
    """The rules of printPod, one by one."""
    assert pod_columns(state).status == word


def test_sidecars_count_among_the_containers() -> None:
    """Ready ones of them too, and their restarts; other init containers do not."""
    side = container({"running": {}}, name="side", started=True, ready=True, restartCount=2)
    done = DONE | {"restartCount": 5}
    columns = pod_columns(pod(RUNNING, init=(side, done), init_specs=(SIDECAR, {"name": "c"})))
    assert (columns.ready, columns.total, columns.restarts) == (2, 2, 2)


def test_while_a_pod_initializes_only_init_containers_have_restarted() -> None:
    """So says RESTARTS, with the time of their last end."""
    ended = {"terminated": {"finishedAt": "2026-11-23T03:11:19Z"}}
    init = container({"running": {}}, restartCount=1, lastState=ended)
    columns = pod_columns(pod(WAITING | {"restartCount": 7}, init=(init,)))
    assert (columns.restarts, columns.restarted) == (1, timestamp("2026-11-23T03:11:19Z"))


@given(st.fixed_dictionaries({}, optional={"metadata": JSON, "spec": JSON, "status": JSON}))
def test_any_object_can_be_called_something(thing: Object) -> None:
    """Deriving a word never fails, whatever is in a pod's place."""
    assert isinstance(pod_columns(thing).status, str)


def test_a_recorded_pod_reads_as_the_table_shows_it() -> None:
    """The view that the commands use agrees with `kubectl get pods -o wide`."""
    recording = recorded.table("pods")
    for thing, row in zip(recording["objects"], recording["rows"], strict=True):
        seen = Pod.from_object(thing)
        name, ready, status, restarts, _, ip, node, *_ = row["cells"]
        shown = (seen.name, f"{seen.containers_ready}/{seen.containers}", seen.status)
        assert shown == (name, ready, status)
        assert (str(seen.restarts), seen.ip, seen.node, seen.ready) == (restarts, ip, node, True)


def test_a_recorded_replicaset_reads_as_the_table_shows_it() -> None:
    """DESIRED, CURRENT, READY and what `-o wide` adds."""
    recording = recorded.table("replicasets")
    seen = ReplicaSet.from_object(recording["objects"][0])
    name, desired, current, ready, _, containers, images, selector = recording["rows"][0]["cells"]
    assert (seen.name, seen.desired, seen.current, seen.ready) == (name, desired, current, ready)
    assert (seen.containers, seen.images, seen.selector) == ((containers,), (images,), selector)


def test_recorded_services_read_as_the_table_shows_them() -> None:
    """TYPE, CLUSTER-IP and PORT(S)."""
    recording = recorded.table("services")
    for thing, row in zip(recording["objects"], recording["rows"], strict=True):
        seen = Service.from_object(thing)
        assert [seen.name, seen.type, seen.cluster_ip, seen.ports] == [
            *row["cells"][:3],
            row["cells"][4],
        ]


@pytest.mark.parametrize(
    ("ports", "written"),
    [
        ([], "<none>"),
        ([{"port": 80, "protocol": "TCP"}], "80/TCP"),
        ([{"port": 80, "nodePort": 30080}], "80:30080/TCP"),
        ([{"port": 53, "protocol": "UDP"}, {"port": 9153}], "53/UDP,9153/TCP"),
    ],
)
def test_ports_are_written_as_kubernetes_does(ports: list[Object], written: str) -> None:
    """TCP unless said otherwise."""
    assert service_ports(ports) == written


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("1970-01-01T00:00:01Z", 1.0),
        ("1970-01-01T00:00:01", 1.0),
        ("1970-01-01T01:00:01+01:00", 1.0),
        ("1970-01-01T00:00:01.500000Z", 1.5),
        ("1970-01-01T00:00:01.500000499Z", 1.5),
    ],
)
def test_times_are_read_with_or_without_a_fraction(written: str | None, seconds: float) -> None:
    """UTC whatever the machine's zone is; nanoseconds are cut to microseconds."""
    assert timestamp(written) == seconds


@given(st.integers(0, 4_000_000_000))
def test_times_survive_writing_and_reading(seconds: int) -> None:
    """Whole seconds, as the API has them."""
    assert timestamp(rfc3339(seconds)) == seconds


def test_selector_of_a_replicaset_is_whole() -> None:
    """Labels and expressions, as a query has them: without it no pod would be found."""
    expressions = [
        {"key": "app", "operator": "In", "values": ["a", "b"]},
        {"key": "tier", "operator": "NotIn", "values": ["old"]},
        {"key": "sale", "operator": "Exists"},
        {"key": "test", "operator": "DoesNotExist"},
    ]
    spec = {"selector": {"matchLabels": {"x": "y"}, "matchExpressions": expressions}}
    found = ReplicaSet.from_object({"metadata": {"name": "shop"}, "spec": spec})
    assert found.selector == "x=y,app in (a,b),tier notin (old),sale,!test"
