"""Server-side tables, held against those of a real cluster (Kubernetes v1.36.2)."""

import copy
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashsale.embedded.printers.tables import print_table
from flashsale.embedded.types.resources import (
    ALL,
    CONFIG_MAPS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    EVENTS,
    LEASES,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    Resource,
    Subresource,
)
from flashsale.objects.models import Object, timestamp
from tests import recorded

SCALE = next(
    subresource for subresource in REPLICA_SETS.subresources if subresource.name == "scale"
)
KINDS: tuple[Resource | Subresource, ...] = (*(one for one in ALL if "list" in one.verbs), SCALE)
RECORDED = (EVENTS, ENDPOINT_SLICES, NAMESPACES, NODES, PODS, REPLICA_SETS, SERVICES)
BORN = "2026-11-23T03:11:19Z"
NOW = timestamp(BORN) + 90


def cells(resource: Resource | Subresource, thing: Object, now: float = NOW) -> list[Any]:
    """The one row of an object."""
    found: list[Any] = print_table(resource, [thing], now=now, revision="1")["rows"][0]["cells"]
    return found


def named(resource: Resource | Subresource, **parts: Any) -> dict[str, Any]:
    """An object's row by column names; it was born ninety seconds ago."""
    thing = {"metadata": {"name": "x", "creationTimestamp": BORN} | parts.pop("metadata", {})}
    columns = print_table(resource, [], now=NOW, revision="1")["columnDefinitions"]
    names = [column["name"] for column in columns]
    return dict(zip(names, cells(resource, thing | parts), strict=True))


@pytest.mark.parametrize("resource", RECORDED, ids=lambda resource: resource.plural)
def test_recorded_objects_print_as_recorded(resource: Resource) -> None:
    """Every column and every cell, at the time of the recording."""
    recording = recorded.table(resource.plural)
    now, revision = timestamp(recording["now"]), recording["resourceVersion"]
    before = copy.deepcopy(recording["objects"])
    printed = print_table(resource, recording["objects"], now=now, revision=revision)
    assert recording["objects"] == before
    columns = printed.pop("columnDefinitions")
    assert all(column.pop("description") for column in columns)
    assert columns == recording["columns"]
    assert printed == {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": revision},
        "rows": recording["rows"],
    }


def test_what_kubectl_printed_of_pods_can_be_printed_here() -> None:
    """Some recorded state of each pod gives exactly its row, at the age that it shows."""
    states: dict[str, list[Object]] = defaultdict(list)
    for state in recorded.pod_states():
        states[state["metadata"]["name"]].append(state)
    rows = [
        [word.strip() for word in row.split("  ") if word.strip()] for row in recorded.get_pods()
    ]
    assert len(rows) > 50
    assert [words for words in rows if not is_printed(words, states[words[0]])] == []


def is_printed(words: list[str], states: list[Object]) -> bool:
    """Whether one of a pod's states gives a row."""
    ages = (timestamp(obj["metadata"]["creationTimestamp"]) + seconds(words[4]) for obj in states)
    found = (cells(PODS, one, age + 0.5) for one, age in zip(states, ages, strict=True))
    return any(row[: len(words)] == words for row in found)


def seconds(age: str) -> int:
    """Read an age of minutes and seconds."""
    minutes, _, rest = age.rpartition("m")
    return int(minutes or 0) * 60 + int(rest.rstrip("s") or 0)


@pytest.mark.parametrize("resource", KINDS, ids=lambda resource: resource.kind)
def test_every_kind_has_as_many_cells_as_columns(resource: Resource | Subresource) -> None:
    """Also for an object of which nothing is known but its name."""
    row = named(resource)
    assert row["Name"] == "x"
    assert row.get("Age", "90s") == "90s"


def test_later_events_of_a_watch_carry_no_columns() -> None:
    """null, as kubectl expects it."""
    printed = print_table(PODS, [], now=NOW, revision="7", headers=False)
    assert printed["columnDefinitions"] is None
    assert printed["metadata"] == {"resourceVersion": "7"}


def test_rows_carry_as_much_of_the_object_as_was_asked_for() -> None:
    """Its metadata, all of it (for --sort-by), or nothing."""
    thing = {"kind": "Pod", "metadata": {"name": "x", "labels": {"a": "b"}}, "spec": {}}
    objects = [
        print_table(PODS, [thing], now=NOW, revision="1", include=include)["rows"][0].get("object")
        for include in ("Metadata", "Object", "None")
    ]
    assert objects == [
        {
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": thing["metadata"],
        },
        thing,
        None,
    ]


def test_rows_of_ended_pods_say_so() -> None:
    """A condition of the row, beside its cells."""
    pods = [{"status": {"phase": phase}} for phase in ("Running", "Succeeded", "Failed")]
    rows = print_table(PODS, pods, now=NOW, revision="1")["rows"]
    reasons = [row["conditions"][0]["reason"] if "conditions" in row else None for row in rows]
    assert reasons == [None, "Succeeded", "Failed"]


def test_a_bookmarks_dummy_row_can_be_printed() -> None:
    """Its object is nothing but a resourceVersion."""
    assert cells(PODS, {"metadata": {"name": "", "creationTimestamp": None}})[4] == "<unknown>"


def test_restarts_tell_when_the_last_one_was() -> None:
    """The newest end of any container, and only if there were restarts."""
    ends = ("2026-11-23T03:12:00Z", "2026-11-23T03:12:44Z")
    statuses = [
        {"restartCount": 1, "lastState": {"terminated": {"finishedAt": end}}} for end in ends
    ]
    assert named(PODS, status={"containerStatuses": statuses})["Restarts"] == "2 (5s ago)"
    assert named(PODS, status={"containerStatuses": [{"restartCount": 3}]})["Restarts"] == "3"
    never = [statuses[0] | {"restartCount": 0}]
    assert named(PODS, status={"containerStatuses": never})["Restarts"] == "0"


def test_readiness_gates_count_those_that_hold() -> None:
    """Of all the gates."""
    gates = [{"conditionType": "a"}, {"conditionType": "b"}]
    conditions = [{"type": "a", "status": "True"}, {"type": "b", "status": "False"}]
    row = named(PODS, spec={"readinessGates": gates}, status={"conditions": conditions})
    assert row["Readiness Gates"] == "1/2"


@pytest.mark.parametrize(
    ("spec", "status", "shown"),
    [
        ({"type": "ClusterIP"}, {}, "<none>"),
        ({"type": "NodePort", "externalIPs": ["1.1.1.1", "2.2.2.2"]}, {}, "1.1.1.1,2.2.2.2"),
        ({"type": "LoadBalancer"}, {}, "<pending>"),
        (
            {"type": "LoadBalancer", "externalIPs": ["9.9.9.9"]},
            {"loadBalancer": {"ingress": [{"hostname": "lb"}, {"ip": "1.2.3.4"}]}},
            "1.2.3.4,lb,9.9.9.9",
        ),
        ({"type": "ExternalName", "externalName": "example.com"}, {}, "example.com"),
        ({}, {}, "<unknown>"),
    ],
)
def test_a_services_external_address_depends_on_its_type(
    spec: Object, status: Object, shown: str
) -> None:
    """As getServiceExternalIP has it."""
    assert named(SERVICES, spec=spec, status=status)["External-IP"] == shown


def test_a_headless_service_shows_none_as_its_address() -> None:
    """`None` is what was said, `<none>` that nothing was."""
    assert named(SERVICES, spec={"clusterIPs": ["None"]})["Cluster-IP"] == "None"
    assert named(SERVICES, spec={})["Cluster-IP"] == "<none>"


def test_a_node_shows_its_state_roles_and_architecture() -> None:
    """Not ready, closed for pods, two roles, and the architecture after the kernel."""
    row = named(
        NODES,
        metadata={
            "labels": {"node-role.kubernetes.io/control-plane": "", "kubernetes.io/role": "all"}
        },
        spec={"unschedulable": True},
        status={
            "conditions": [{"type": "Ready", "status": "Unknown"}],
            "nodeInfo": {"kernelVersion": "6.12.0", "architecture": "arm64"},
        },
    )
    assert (row["Status"], row["Roles"]) == ("NotReady,SchedulingDisabled", "all,control-plane")
    assert (row["Kernel-Version"], row["OS-Image"]) == ("6.12.0 (arm64)", "<unknown>")
    assert named(NODES)["Status"] == "Unknown"


def test_an_event_of_the_newer_kind_shows_its_time_and_count() -> None:
    """eventTime alone; or a series with its last time and its count."""
    event = {"eventTime": "2026-11-23T03:11:19.900000Z", "reportingComponent": "scheduler"}
    row = named(EVENTS, **event)
    assert (row["Last Seen"], row["First Seen"], row["Count"]) == ("89s", "89s", 1)
    assert row["Source"] == "scheduler"
    series = {"lastObservedTime": "2026-11-23T03:12:29.000000Z", "count": 4}
    row = named(EVENTS, **event, series=series)
    assert (row["Last Seen"], row["First Seen"], row["Count"]) == ("20s", "89s", 4)


def test_a_repeated_event_shows_its_first_and_last_time() -> None:
    """And where in the object it happened, in one line of text."""
    row = named(
        EVENTS,
        involvedObject={"kind": "Pod", "name": "p", "fieldPath": "spec.containers{c}"},
        firstTimestamp=BORN,
        lastTimestamp="2026-11-23T03:12:44Z",
        count=3,
        message=" text\n",
        source={"component": "kubelet", "host": "minikube"},
    )
    assert row | {"Type": "", "Reason": "", "Name": ""} == {
        "Last Seen": "5s",
        "Type": "",
        "Reason": "",
        "Object": "pod/p",
        "Subobject": "spec.containers{c}",
        "Source": "kubelet, minikube",
        "Message": "text",
        "First Seen": "90s",
        "Count": 3,
        "Name": "",
    }


def test_long_lists_of_addresses_are_cut_to_three() -> None:
    """With the number of those that are left out."""
    endpoints = [{"addresses": [f"10.0.0.{number}"]} for number in range(5)]
    row = named(ENDPOINT_SLICES, endpoints=endpoints, ports=[{"port": 5000}, {"name": "any"}, {}])
    assert row["Endpoints"] == "10.0.0.0,10.0.0.1,10.0.0.2 + 2 more..."
    assert row["Ports"] == "5000,any,*"
    empty = named(ENDPOINT_SLICES, endpoints=None, ports=None)
    assert (empty["Endpoints"], empty["Ports"]) == ("<unset>", "<unset>")


def test_endpoints_join_addresses_and_ports() -> None:
    """Without ports only the addresses; without subsets none."""
    addresses = [{"ip": "10.0.0.1"}, {"ip": "fd00::1"}]
    both = named(ENDPOINTS, subsets=[{"addresses": addresses, "ports": [{"port": 80}]}])
    assert both["Endpoints"] == "10.0.0.1:80,[fd00::1]:80"
    assert named(ENDPOINTS, subsets=[{"addresses": addresses[:1]}])["Endpoints"] == "10.0.0.1"
    assert named(ENDPOINTS, subsets=[])["Endpoints"] == "<none>"


def test_the_small_kinds_count_and_name() -> None:
    """ConfigMap, ServiceAccount, Lease and Scale."""
    assert named(CONFIG_MAPS, data={"a": "1"}, binaryData={"b": "Yg=="})["Data"] == 2
    assert list(named(SERVICE_ACCOUNTS)) == ["Name", "Age"]
    assert named(LEASES, spec={"holderIdentity": "minikube"})["Holder"] == "minikube"
    row = named(SCALE, spec={"replicas": 3}, status={"replicas": 2})
    assert (row["Desired"], row["Available"]) == (3, 2)


NAMES = (
    *("metadata", "spec", "status", "name", "creationTimestamp", "labels", "template", "type"),
    *("containers", "containerStatuses", "lastState", "terminated", "finishedAt", "ports", "ip"),
    *("conditions", "endpoints", "addresses", "subsets", "selector", "matchLabels", "source"),
    *("firstTimestamp", "eventTime", "series", "count", "nodeInfo", "data", "secrets", "podIPs"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | st.just(BORN),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(NAMES), JSON))
def test_any_object_can_be_printed(resource: Resource | Subresource, thing: Object) -> None:
    """Printing never fails, and its cells are texts and whole numbers."""
    assert all(isinstance(cell, str | int) for cell in cells(resource, thing))
