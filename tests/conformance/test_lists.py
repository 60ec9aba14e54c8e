"""Looking at a sale that stands: tables, selectors, JSON, waiting for what is true already."""

from __future__ import annotations

import re

import pytest

from tests.conformance.api import Object
from tests.conformance.scene import Scene, condition, container, names

POD = re.compile(r"flashsale-rs-[bcdfghjklmnpqrstvwxz2456789]{5}")
CONDITIONS = [
    "PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled",
]  # fmt: skip
TOPOLOGY = "topology.kubernetes.io/"  # copied to pods where the nodes have such labels


def test_pods(sale: Scene) -> None:
    """H13: three rows under kubectl's five headers, named as the ReplicaSet names its pods."""
    done = sale.kubectl("get pods -l app=flashsale")
    assert done.headers == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert len(done.rows) == 3
    assert all(POD.fullmatch(row[0]) and row[1:4] == ["1/1", "Running", "0"] for row in done.rows)


def test_pods_wide(sale: Scene) -> None:
    """H14: the wide table has each pod's own address, its node, and nothing where nothing is."""
    done = sale.kubectl("get pods -o wide")
    assert done.headers[5:] == ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]
    assert all(row[-2:] == ["<none>", "<none>"] and row[-3] != "<none>" for row in done.rows)
    addresses = {row[5] for row in done.rows}
    assert len(addresses) == 3 or addresses == {"127.0.0.1"}  # macOS has no more on loopback


def test_replicasets_wide(sale: Scene) -> None:
    """H15: the ReplicaSet's wide table."""
    done = sale.kubectl("get rs -o wide")
    assert done.headers == [
        "NAME", "DESIRED", "CURRENT", "READY", "AGE", "CONTAINERS", "IMAGES", "SELECTOR",
    ]  # fmt: skip
    (row,) = done.rows
    assert row[1:4] == ["3", "3", "3"]
    assert (row[5], row[7]) == ("flashsale-container", "app=flashsale")


def test_observed_generation(sale: Scene) -> None:
    """H16: once settled, the controller has seen the newest generation."""
    path = "'{.status.observedGeneration} {.metadata.generation}'"
    observed, generation = sale.kubectl(f"get rs flashsale-rs -o jsonpath={path}").out.split()
    assert observed == generation


def test_names_are_sorted(sale: Scene) -> None:
    """H17: lists come sorted by name."""
    lines = sale.kubectl("get pods -o name").lines
    assert lines == sorted(lines)
    assert {line.removeprefix("pod/") for line in lines} == names(sale.owned())


def test_sort_by_creation(sale: Scene) -> None:
    """H18: --sort-by works, for the server puts whole objects into the table's rows."""
    done = sale.kubectl("get pods --sort-by=.metadata.creationTimestamp")
    born = {name: pod["metadata"]["creationTimestamp"] for name, pod in sale.pods.now.items()}
    ages = [born[row[0]] for row in done.rows]
    assert len(ages) == 3
    assert ages == sorted(ages)


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("app in (flashsale,x),!debug", 3),
        ("app==flashsale", 3),
        ("app notin (other)", 3),
        ("app", 3),
        ("app!=flashsale", 0),
        ("!app", 0),
        ("app=", 0),
    ],
)
def test_label_selectors(sale: Scene, selector: str, count: int) -> None:
    """H19: label selectors choose; an empty choice is no failure."""
    done = sale.kubectl(f"get pods --no-headers -l '{selector}'")
    assert len(done.lines) == count
    nothing = f"No resources found in {sale.namespace} namespace."
    assert done.err.strip() == ("" if count else nothing)


def test_bad_label_selector(sale: Scene) -> None:
    """H19: a selector that does not parse says where."""
    done = sale.kubectl("get pods -l 'app in (('", code=1)
    assert done.err.strip() == (
        'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label '
        'selector "app in ((", field selector "": unable to parse requirement: found \'(\', '
        "expected: ',', ')' or identifier"
    )


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ("status.phase=Running,spec.nodeName!=zz", 3),
        ("status.phase!=Running", 0),
        ("metadata.name=nope", 0),
        ("spec.restartPolicy==Always", 3),
        ("status.nominatedNodeName=", 3),
    ],
)
def test_field_selectors(sale: Scene, selector: str, count: int) -> None:
    """H20: field selectors choose, also by what is empty."""
    done = sale.kubectl(f"get pods -o name --field-selector {selector}")
    assert len(done.lines) == count


def test_unknown_field_selectors(sale: Scene) -> None:
    """H20: a field that cannot be selected by is refused, each kind in its own words."""
    done = sale.kubectl("get pods --field-selector spec.bogus=1", code=1)
    assert done.err.strip().endswith("field label not supported: spec.bogus")
    done = sale.kubectl("get rs --field-selector status.replicas=3", code=1)
    assert '"status.replicas" is not a known field selector' in done.err


def test_get_all(sale: Scene) -> None:
    """H21: `get all` shows pods, the Service and the ReplicaSet, an empty line between."""
    blocks = sale.kubectl("get all").out.strip().split("\n\n")
    firsts = [block.splitlines()[1].split()[0].split("/")[0] for block in blocks]
    assert firsts == ["pod", "service", "replicaset.apps"]


def test_what_is_not_there(sale: Scene) -> None:
    """H22: a missing object, a missing kind and a missing namespace each have their answer."""
    missing = sale.kubectl("get pod nope", code=1)
    assert missing.err.strip() == 'Error from server (NotFound): pods "nope" not found'
    unknown = sale.kubectl("get bogus", code=1)
    assert unknown.err.strip() == 'error: the server doesn\'t have a resource type "bogus"'
    assert sale.api.get("/api/v1/namespaces/no-such-namespace/pods")["items"] == []


def test_a_pod_belongs_to_its_replicaset(sale: Scene, a_pod: Object) -> None:
    """H23: one controller reference, a generated name, and no label that the template lacks."""
    pod = sale.kubectl.json(f"get pod {a_pod['metadata']['name']}")["metadata"]
    uid = sale.replicasets.now["flashsale-rs"]["metadata"]["uid"]
    assert pod["ownerReferences"] == [
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "name": "flashsale-rs",
            "uid": uid,
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    assert pod["generateName"] == "flashsale-rs-"
    labels = {key: value for key, value in pod["labels"].items() if TOPOLOGY not in key}
    assert labels == {"app": "flashsale"}


def test_a_ready_pods_status(a_pod: Object) -> None:
    """H24: five conditions in the kubelet's order, a started container, the right class."""
    status = a_pod["status"]
    assert [(c["type"], c["status"]) for c in status["conditions"]] == [
        (kind, "True") for kind in CONDITIONS
    ]
    one = container(a_pod)
    assert (one["started"], one["ready"], one["restartCount"]) == (True, True, 0)
    assert one["lastState"] == {}
    assert status["qosClass"] == "Burstable"
    assert re.match(r"\w[\w-]*://", one["containerID"])


def test_times_are_whole_seconds(a_pod: Object) -> None:
    """H24: times are UTC, whole seconds, with a Z."""
    shape = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
    times = [
        a_pod["metadata"]["creationTimestamp"],
        a_pod["status"]["startTime"],
        condition(a_pod, "Ready")["lastTransitionTime"],
        container(a_pod)["state"]["running"]["startedAt"],
    ]
    assert all(shape.fullmatch(time) for time in times)


def test_wait_for_ready_pods(sale: Scene) -> None:
    """H25: waiting for what is true returns, with a line for each pod."""
    done = sale.kubectl("wait --for=condition=Ready pod -l app=flashsale --timeout=30s")
    assert sorted(done.lines) == sorted(f"pod/{n} condition met" for n in names(sale.owned()))


def test_wait_for_nobody(sale: Scene) -> None:
    """H25: waiting for pods of which there are none fails at once."""
    done = sale.kubectl("wait --for=condition=Ready pod -l app=none --timeout=30s", code=1)
    assert done.err.strip() == "error: no matching resources found"


def test_wait_in_vain(sale: Scene, a_pod: Object) -> None:
    """H25: a wait that is not fulfilled ends in time and names the pod."""
    name = a_pod["metadata"]["name"]
    done = sale.kubectl(f"wait --for=condition=Gone pod/{name} --timeout=2s", code=1)
    assert done.err.strip().endswith(f"timed out waiting for the condition on pods/{name}")


def test_wait_for_a_replicaset(sale: Scene) -> None:
    """H26: a ReplicaSet is waited for by its status; it has no conditions to wait for."""
    done = sale.kubectl("wait --for=jsonpath='{.status.readyReplicas}'=3 rs/flashsale-rs")
    assert done.lines == ["replicaset.apps/flashsale-rs condition met"]
    vain = "wait --for=condition=Available rs/flashsale-rs --timeout=2s"
    assert sale.kubectl(vain, code=1).err.strip() == (
        "error: timed out waiting for the condition on replicasets/flashsale-rs"
    )


def test_json_of_a_list(sale: Scene) -> None:
    """H23: `-o json` gives a List whose items a script can read."""
    listed = sale.kubectl.json("get pods")
    assert (listed["kind"], len(listed["items"])) == ("List", 3)


def test_the_python_client_reads_all(sale: Scene) -> None:
    """H24: the official client's strict models take every object of the sale."""
    from kubernetes.client import AppsV1Api, CoreV1Api, DiscoveryV1Api

    client, namespace = sale.api.client, sale.namespace
    core = CoreV1Api(client)
    assert len(core.list_namespaced_pod(namespace).items) == 3
    assert AppsV1Api(client).read_namespaced_replica_set("flashsale-rs", namespace)
    assert core.list_namespaced_service(namespace).items[0].spec.type == "NodePort"
    assert len(core.list_namespaced_event(namespace).items) > 3
    assert DiscoveryV1Api(client).list_namespaced_endpoint_slice(namespace).items
