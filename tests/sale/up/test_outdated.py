"""Which pods are old: those of another image or template, and never those of an unchanged one."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from flashsale.clusters.base import Image
from flashsale.objects.models import Object, Pod
from flashsale.sale.up.outdated import as_made, failed_to_start, find_outdated
from tests.sale.api_objects import pod_object, replicaset_object

SAME = Image("flashsale:1.0", built=False)
TOLERATED = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
MEMORY = {"requests": {"memory": "128Mi"}}


def templated(pod: Object) -> Object:
    """A ReplicaSet whose template a pod was made of."""
    replicaset = replicaset_object()
    made = {"containers": pod["spec"]["containers"], "restartPolicy": "Always"}
    replicaset["spec"]["template"] = {"spec": made}
    pod["spec"]["restartPolicy"] = "Always"
    return replicaset


def test_pod_of_today_is_not_stale() -> None:
    """What the server adds to a pod does not make it old."""
    pod = pod_object(ready=True)
    replicaset = templated(pod)
    mounts = [{**pod["spec"]["containers"][0], "volumeMounts": [{"name": "token"}]}]
    pod["spec"] |= {"containers": mounts, "volumes": [{"name": "token"}], "schedulerName": "x"}
    assert find_outdated([Pod.from_object(pod)], replicaset, SAME) == []


def test_pod_of_another_image_or_template_is_stale() -> None:
    """A new tag, a new build of the same tag, a changed probe: each makes pods old."""
    image = Image("flashsale:1.0", built=True, id="sha256:new")
    pod = pod_object(ready=True)
    replicaset = templated(pod)
    pod["status"]["containerStatuses"][0]["imageID"] = "docker://sha256:old"
    assert find_outdated([Pod.from_object(pod)], replicaset, image) == [Pod.from_object(pod)]
    pod["status"]["containerStatuses"][0]["imageID"] = "docker://sha256:new"
    assert find_outdated([Pod.from_object(pod)], replicaset, image) == []
    changed = templated(pod)
    changed["spec"]["template"]["spec"]["containers"] = [{"image": "flashsale:2.0"}]
    assert find_outdated([Pod.from_object(pod)], changed, image) == [Pod.from_object(pod)]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("lifecycle", {"preStop": {"sleep": {"seconds": 5}}}),
        ("livenessProbe", {"httpGet": {"path": "/health", "port": 5000}}),
        ("startupProbe", {"httpGet": {"path": "/health", "port": 5000}}),
        ("command", ["gunicorn"]),
        ("args", ["--workers", "2"]),
        ("ports", [{"containerPort": 5000}]),
        ("workingDir", "/srv"),
    ],
)
def test_what_left_the_template_makes_pods_old(key: str, value: Any) -> None:
    """Only a template brings these, so a pod that has one was made of another template."""
    pod = pod_object(ready=True)
    replicaset = deepcopy(templated(pod))
    assert find_outdated([Pod.from_object(pod)], replicaset, SAME) == []
    pod["spec"]["containers"][0][key] = value
    assert find_outdated([Pod.from_object(pod)], replicaset, SAME) == [Pod.from_object(pod)]


def test_init_containers_that_left_the_template_make_pods_old() -> None:
    """At the level of the pod it is the same."""
    pod = pod_object(ready=True)
    replicaset = templated(pod)
    pod["spec"]["initContainers"] = [{"name": "migrate", "image": "flashsale:1.0"}]
    assert find_outdated([Pod.from_object(pod)], replicaset, SAME) == [Pod.from_object(pod)]


def test_template_that_changed_makes_all_pods_old_that_were_there() -> None:
    """Whatever the pods look like: both templates are the server's own words."""
    pod = pod_object(ready=True)
    replicaset = templated(pod)
    pods = [Pod.from_object(one) for one in (pod, pod_object("leaving", terminating=True))]
    template = replicaset["spec"]["template"]
    before = deepcopy(template)
    assert find_outdated(pods, replicaset, SAME, before) == []
    before["metadata"] = {"annotations": {"version": "1"}}
    assert find_outdated(pods, replicaset, SAME, before) == pods[:1]


@pytest.mark.parametrize(
    ("key", "made", "there"),
    [
        ("resources", {}, {"limits": {"cpu": "500m"}, "requests": {"cpu": "100m"}}),
        ("resources", MEMORY, {"requests": {"memory": "128Mi", "cpu": "100m"}}),
        ("env", [{"name": "A", "value": "1"}], [{"name": "X"}, {"name": "A", "value": "1"}]),
        ("env", None, [{"name": "INJECTED", "value": "1"}]),
        ("securityContext", {}, {"runAsNonRoot": True}),
        ("volumeMounts", [{"name": "a"}], [{"name": "a"}, {"name": "token"}]),
    ],
)
def test_what_a_cluster_adds_to_containers_makes_no_pod_old(
    key: str, made: Any, there: Any
) -> None:
    """A LimitRanger, webhooks, the token's mount: an unchanged manifest rolls nobody."""
    template = {} if made is None else {key: made}
    for kind in ("containers", "initContainers"):
        assert as_made(
            {kind: [{"name": "shop", key: there}]}, {kind: [{"name": "shop"} | template]}
        )


@pytest.mark.parametrize(
    ("key", "made", "there"),
    [
        ("tolerations", [{"key": "gpu"}], [{"key": "gpu"}, TOLERATED]),
        ("nodeSelector", {"disk": "ssd"}, {"disk": "ssd", "pool": "a"}),
        ("imagePullSecrets", [{"name": "mine"}], [{"name": "mine"}, {"name": "theirs"}]),
        ("securityContext", {}, None),
    ],
)
def test_what_a_cluster_adds_to_pods_makes_none_old(key: str, made: Any, there: Any) -> None:
    """Admission plugins fill in tolerations and the like."""
    assert as_made({key: there}, {key: made})


@pytest.mark.parametrize(
    ("key", "made", "there"),
    [
        ("resources", MEMORY, {"requests": {"memory": "64Mi", "cpu": "100m"}}),
        ("resources", MEMORY, {}),
        ("env", [{"name": "A", "value": "2"}], [{"name": "A", "value": "1"}]),
        ("image", "flashsale:2.0", "flashsale:1.0"),
        ("args", ["-w", "2"], ["2", "-w"]),
    ],
)
def test_changed_values_make_pods_old(key: str, made: Any, there: Any) -> None:
    """More may be there, but not something else."""
    assert not as_made({"containers": [{key: there}]}, {"containers": [{key: made}]})


STARTED = {"startedAt": "2026-11-23T03:20:05Z"}


@pytest.mark.parametrize(
    ("state", "last", "failed"),
    [
        ({"waiting": {"reason": "RunContainerError"}}, {}, True),
        ({"waiting": {"reason": "ImagePullBackOff"}}, {}, True),
        ({"waiting": {"reason": "CreateContainerConfigError"}}, {}, True),
        (
            {"waiting": {"reason": "CrashLoopBackOff"}},
            {"terminated": {"reason": "ContainerCannotRun", "exitCode": 127}},
            True,
        ),
        ({"terminated": {"reason": "StartError", "exitCode": 128}}, {}, True),
        ({"waiting": {"reason": "ContainerCreating"}}, {}, False),
        ({"waiting": {"reason": "PodInitializing"}}, {}, False),
        ({"waiting": {}}, {}, False),
        ({"running": STARTED}, {}, False),
        (
            {"waiting": {"reason": "CrashLoopBackOff"}},
            {"terminated": {"reason": "Error", "exitCode": 1}},
            False,
        ),
    ],
)
def test_a_pod_that_could_not_be_started_is_outdated(
    state: Object, last: Object, failed: bool
) -> None:
    """The mistake was mended; the kubelet would try again only minutes later.

    One that is still being made, and one that ran and crashed, are judged by what they run.
    """
    pod = pod_object(state=state, last=last)
    replicaset = templated(pod)
    assert failed_to_start(Pod.from_object(pod)) is failed
    assert bool(find_outdated([Pod.from_object(pod)], replicaset, SAME)) is failed
