"""What admission adds to new pods, and what it refuses."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from flashsale.embedded.apiserver.registry.admission import admit_pod
from flashsale.embedded.storage.store import Store
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.defaults import apply_defaults
from flashsale.embedded.types.resources import PODS
from flashsale.objects.models import Object
from tests.embedded import recorded

NOW = 1795403999.0  # 2026-11-23T03:19:59Z
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def admitted(spec: Object, folder: Path) -> Object:
    """Admit a pod of a spec."""
    pod = {"metadata": {"name": "p", "namespace": "default"}, "spec": spec}
    return admit_pod(pod, Store(folder / "state.db"), NOW)


def test_a_pod_of_a_replicaset_is_as_a_real_one(tmp_path: Path) -> None:
    """All that a real pod has, except for the node and the token volume."""
    stored = recorded.objects("pods")["items"][0]
    wanted = copy.deepcopy(stored["spec"])
    del wanted["nodeName"]
    owner = recorded.objects("replicasets")["items"][0]
    template = json.loads(owner["metadata"]["annotations"][APPLIED])["spec"]["template"]
    pod = admitted(apply_defaults(PODS, template, now=NOW)["spec"], tmp_path)
    assert pod["spec"] == wanted
    assert pod["status"] == {"phase": "Pending", "qosClass": stored["status"]["qosClass"]}


def test_a_pod_keeps_its_own_tolerations(tmp_path: Path) -> None:
    """The two usual ones are added only where nothing of the pod's own covers them."""
    own = {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"}
    added = admitted({"tolerations": [own]}, tmp_path)["spec"]["tolerations"]
    assert [toleration["key"] for toleration in added] == [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]
    assert "tolerationSeconds" not in added[0]
    bears_all = {"tolerations": [{"operator": "Exists"}]}
    assert admitted(bears_all, tmp_path)["spec"]["tolerations"] == bears_all["tolerations"]


# From a real Kubernetes v1.36.2.
@pytest.mark.parametrize(
    ("spec", "why"),
    [
        (
            {"serviceAccountName": "nope"},
            'error looking up service account default/nope: serviceaccount "nope" not found',
        ),
        ({"priorityClassName": "nope"}, "no PriorityClass with name nope was found"),
        (
            {"priority": 5},
            "the integer value of priority (5) must not be provided in pod spec; priority "
            "admission controller computed 0 from the given PriorityClass name",
        ),
        ({"runtimeClassName": "x"}, 'pod rejected: RuntimeClass "x" not found'),
    ],
)
def test_what_no_client_may_set_is_forbidden(spec: Object, why: str, tmp_path: Path) -> None:
    """403, in the words of the plugin that refuses."""
    with pytest.raises(StatusError) as refused:
        admitted(spec, tmp_path)
    assert (refused.value.code, refused.value.message) == (403, f'pods "p" is forbidden: {why}')


def test_a_gated_pod_says_why_it_waits(tmp_path: Path) -> None:
    """From its first moment on."""
    pod = admitted({"schedulingGates": [{"name": "example.com/wait"}]}, tmp_path)
    (condition,) = pod["status"]["conditions"]
    assert (condition["type"], condition["reason"]) == ("PodScheduled", "SchedulingGated")
