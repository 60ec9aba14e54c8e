"""Conditions that the API server, the scheduler and the controllers write into a pod's status."""

from flashsale.embedded.apiserver.pod_conditions import with_condition, with_disruption_target
from flashsale.objects.models import Object, rfc3339

THEN, NOW = 1_800_000_000.0, 1_800_000_060.0
GATE = {"type": "example.com/gate", "status": "True"}
WAITING = {"type": "PodScheduled", "status": "False", "lastTransitionTime": rfc3339(THEN)}


def test_a_new_condition_comes_last_with_its_fields_in_go_s_order() -> None:
    """As the real API server writes them, which a raw watch shows."""
    new = {
        "type": "PodScheduled",
        "message": "no room",
        "status": "False",
        "reason": "Unschedulable",
    }
    status = with_condition({"conditions": [GATE]}, new, NOW)
    assert status["conditions"][0] is GATE
    assert list(status["conditions"][1].items()) == [
        ("type", "PodScheduled"),
        ("status", "False"),
        ("lastProbeTime", None),
        ("lastTransitionTime", rfc3339(NOW)),
        ("reason", "Unschedulable"),
        ("message", "no room"),
    ]


def test_another_message_is_no_transition() -> None:
    """The condition keeps its place, and the time at which its status changed."""
    new = {"type": "PodScheduled", "status": "False", "message": "still no room"}
    status = with_condition({"conditions": [WAITING, GATE]}, new, NOW)
    assert [condition["type"] for condition in status["conditions"]] == [
        "PodScheduled",
        "example.com/gate",
    ]
    assert status["conditions"][0]["message"] == "still no room"
    assert status["conditions"][0]["lastTransitionTime"] == rfc3339(THEN)


def test_another_status_is_a_transition() -> None:
    """And what was said of the old one goes."""
    before = {"conditions": [WAITING | {"reason": "Unschedulable"}]}
    (bound,) = with_condition(before, {"type": "PodScheduled", "status": "True"}, NOW)["conditions"]
    assert bound["lastTransitionTime"] == rfc3339(NOW)
    assert "reason" not in bound


def test_only_the_api_server_leaves_the_generation_out_of_a_disruption() -> None:
    """addConditionAndDeletePod notes none; the controllers and the scheduler do."""
    pod: Object = {"metadata": {"generation": 3}, "status": {}}
    (noted,) = with_disruption_target(pod, "Why", "it goes", NOW)["conditions"]
    assert noted["observedGeneration"] == 3
    (bare,) = with_disruption_target(pod, "Why", "it goes", NOW, observes=False)["conditions"]
    assert "observedGeneration" not in bare
