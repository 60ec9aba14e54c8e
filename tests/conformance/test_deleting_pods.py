"""Self-healing: pods that are deleted, gently and by force, and what takes their place."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import pytest

from tests.conformance.api import Object
from tests.conformance.kubectl import Followed
from tests.conformance.manifests import QUICK, Maker, service
from tests.conformance.scene import Scene, container, leaving, names, uids

pytestmark = pytest.mark.running_pods

GENTLE = 2  # seconds that the app takes to stop
STUBBORN = {"IGNORE_SIGTERM": "1"}
LATER = {**QUICK, "initialDelaySeconds": 2}  # so that a pod is seen running before it is ready


@pytest.fixture(scope="module")
def healed(stage: Scene, maker: Maker) -> tuple[Object, list[str], list[str]]:
    """Delete a pod that stops slowly, under two `get pods -w`; the victim and what they printed."""
    gentle = maker.replicaset(replicas=2, env={"STOP_DELAY": GENTLE}, readinessProbe=LATER)
    stage.create(gentle, service())
    stage.until_ready(2)
    before, victim = names(stage.owned()), stage.owned()[0]
    name = victim["metadata"]["name"]
    with (
        stage.kubectl.following("get pods -w") as plain,
        stage.kubectl.following("get pods -w --output-watch-events") as typed,
    ):
        stage.until(lambda: len(plain.lines) >= 3 and len(typed.lines) >= 3, "kubectl watches")
        done = stage.kubectl(f"delete pod {name}")
        assert done.lines[0].startswith(f'pod "{name}" deleted')
        assert stage.api.send("GET", stage.path("pods", name)).status == 404
        (new,) = names(stage.until_ready(2)) - before
        stage.until(lambda: any("DELETED" in line for line in typed.lines), "kubectl saw it go")
        stage.until(lambda: [name, "0/1", "Completed"] in cells(plain), "the other saw it, too")
        stage.until(lambda: [new, "1/1", "Running"] in cells(plain), "it saw what came instead")
    return victim, plain.lines, typed.lines


def cells(followed: Followed) -> list[list[str]]:
    """Return NAME, READY and STATUS of the rows that a watching kubectl has printed."""
    return [line.split()[:3] for line in list(followed.lines)[1:]]


def test_a_replacement_takes_its_place(stage: Scene, healed: tuple[Object, ...]) -> None:
    """H35: another pod with another name and uid; the one beside it lives on."""
    victim = healed[0]
    assert victim["metadata"]["uid"] not in uids(stage.owned())
    assert len(names(stage.owned())) == 2


def test_the_replacement_does_not_wait(stage: Scene, healed: tuple[Object, ...]) -> None:
    """H36: the replacement is there while the old pod still ends."""
    gone = stage.pods.of(healed[0]["metadata"]["name"])[-1]
    born = max(change.at for change in stage.pods.changes if change.type == "ADDED")
    assert gone.type == "DELETED"
    assert born < gone.at - 0.5


def test_rows_of_the_victim(healed: tuple[Object, list[str], list[str]]) -> None:
    """H36: the victim is Terminating while still ready, and Completed at the end."""
    victim, rows, _ = healed
    mine = [row.split()[1:3] for row in rows if row.startswith(victim["metadata"]["name"])]
    assert mine[0] == ["1/1", "Running"]
    assert ["1/1", "Terminating"] in mine
    assert mine[-1] == ["0/1", "Completed"]


def test_rows_of_the_replacement(stage: Scene, healed: tuple[Object, list[str], list[str]]) -> None:
    """H36: the replacement goes through Pending, ContainerCreating and Running to ready."""
    _, rows, _ = healed
    old = {row.split()[0] for row in rows[1:3]}
    (new,) = names(stage.owned()) - old
    seen = [tuple(row.split()[1:3]) for row in rows if row.startswith(new)]
    assert list(dict.fromkeys(seen)) == [
        ("0/1", "Pending"),
        ("0/1", "ContainerCreating"),
        ("0/1", "Running"),
        ("1/1", "Running"),
    ]


def test_watch_events_of_the_victim(healed: tuple[Object, list[str], list[str]]) -> None:
    """H36: with --output-watch-events its last row is DELETED."""
    victim, _, rows = healed
    mine = [row for row in rows if victim["metadata"]["name"] in row]
    assert mine[0].startswith("ADDED")
    assert mine[-1].startswith("DELETED")
    assert sum("EVENT" in row for row in rows) == 1


def test_the_endpoint_goes_at_once(stage: Scene, healed: tuple[Object, ...]) -> None:
    """H36: its endpoint is terminating, not ready, and serving until the app stops."""
    name = healed[0]["metadata"]["name"]
    seen = [
        (
            endpoint["conditions"]["ready"],
            endpoint["conditions"]["serving"],
            endpoint["conditions"]["terminating"],
        )
        for change in stage.slices.changes
        for endpoint in change.object.get("endpoints") or []
        if endpoint["targetRef"]["name"] == name
    ]
    assert (True, True, False) in seen
    assert (False, True, True) in seen
    assert name not in stage.endpoints()


def test_the_count_dips(stage: Scene, healed: tuple[Object, ...]) -> None:
    """H41: readyReplicas falls at the request, though the pod's own condition still holds."""
    name = healed[0]["metadata"]["name"]
    marked = next(c for c in stage.pods.of(name) if "deletionTimestamp" in c.object["metadata"])
    states = {c["type"]: c["status"] for c in marked.object["status"]["conditions"]}
    assert states["Ready"] == "True"
    later = [c.object["status"] for c in stage.replicasets.changes if c.version > marked.version]
    assert 1 in [status.get("readyReplicas", 0) for status in later]


def test_a_user_deletes_without_a_word(stage: Scene, healed: tuple[Object, ...]) -> None:
    """H35: the ReplicaSet tells what it created; what a user deleted is not its doing."""
    reasons = stage.reasons("flashsale-rs")
    assert "SuccessfulCreate" in reasons
    assert "SuccessfulDelete" not in reasons
    assert "Killing" in stage.reasons(healed[0]["metadata"]["name"])


@pytest.fixture(scope="module")
def stubborn(stage: Scene, maker: Maker) -> dict[str, float]:
    """Pods that ignore SIGTERM, deleted together; when each was asked to go."""
    wanted = {"own": 3, "one": 30, "two": 30, "forced": 30, "asked": 30}
    stage.create(*(maker.pod(name, grace=grace, env=STUBBORN) for name, grace in wanted.items()))
    stage.until(lambda: all(map(running, map(stage.pods.now.get, wanted))), "all five run")
    for name in wanted:
        stage.until(partial(listens, stage, name), f"{name} handles signals")
    options: dict[str, dict[str, int]] = {
        "own": {},
        "one": {"gracePeriodSeconds": 1},
        "two": {"gracePeriodSeconds": 2},
    }
    for name, grace in options.items():
        stage.delete("pods", name, **grace)
    return {name: marked(stage, name) for name in options}


def running(pod: Object | None) -> bool:
    """Whether a pod's container runs."""
    return bool(pod) and "running" in container(pod or {}).get("state", {})


def listens(scene: Scene, name: str) -> bool:
    """Whether the app is as far as to serve: by then it has its signal handler."""
    answer = scene.api.send("GET", scene.path("pods", name, "log"), accept="*/*")
    return b"listening" in answer.body


def marked(scene: Scene, name: str) -> float:
    """Wait until a pod is marked as deleted; returns when that was seen (monotonic seconds)."""

    def found() -> float:
        changes = scene.pods.of(name)
        return next((c.at for c in changes if "deletionTimestamp" in c.object["metadata"]), 0.0)

    return scene.until(found, f"{name} is marked")


@pytest.mark.parametrize(
    ("name", "least", "most"), [("own", 2.5, 15), ("one", 1.0, 15), ("two", 1.5, 15)]
)
def test_sigkill_after_the_grace_period(
    stage: Scene, stubborn: dict[str, float], name: str, least: float, most: float
) -> None:
    """H38: an app that ignores SIGTERM is killed when its time is up, and the pod ends Failed."""
    stage.until(lambda: name not in stage.pods.now, f"{name} is gone")
    changes = stage.pods.of(name)
    ended = next(c for c in changes if c.object["status"].get("phase") == "Failed")
    assert least < ended.at - stubborn[name] < most
    state = container(ended.object)["state"]["terminated"]
    assert (state["exitCode"], state["reason"]) == (137, "Error")
    ready = next(c for c in ended.object["status"]["conditions"] if c["type"] == "Ready")
    assert (ready["status"], ready["reason"]) == ("False", "PodFailed")


def test_force(stage: Scene, stubborn: dict[str, float]) -> None:
    """H39: by force the object is gone at once, with kubectl's warning."""
    done = stage.kubectl("delete pod forced --grace-period=0 --force")
    assert done.lines[0].startswith('pod "forced" force deleted')
    assert "Immediate deletion does not wait for confirmation" in done.err
    stage.until(lambda: "forced" not in stage.pods.now, "it is gone")
    last = stage.pods.of("forced")[-1]
    assert last.type == "DELETED"
    assert last.object["metadata"]["deletionGracePeriodSeconds"] == 0


def test_a_grace_period_can_only_shrink(stage: Scene, stubborn: dict[str, float]) -> None:
    """H37: a later DELETE may shorten the time counted from the first; a longer one is ignored."""
    assert stage.kubectl("delete pod asked --wait=false").code == 0
    first = stage.api.get(stage.path("pods", "asked"))["metadata"]
    assert first["deletionGracePeriodSeconds"] == 30
    assert stage.kubectl("delete pod asked --wait=false --grace-period=12").code == 0
    second = stage.api.get(stage.path("pods", "asked"))["metadata"]
    assert second["deletionGracePeriodSeconds"] == 12
    times = [datetime.fromisoformat(row["deletionTimestamp"]) for row in (first, second)]
    assert (times[0] - times[1]).total_seconds() == pytest.approx(18, abs=1)
    assert stage.kubectl("delete pod asked --wait=false --grace-period=20").code == 0
    third = stage.api.get(stage.path("pods", "asked"))
    assert third["metadata"]["deletionTimestamp"] == second["deletionTimestamp"]
    assert third["metadata"].get("generation") == first.get("generation")
    assert third["status"]["phase"] == "Running"
    stage.delete("pods", "asked", gracePeriodSeconds=0)


def test_deleting_by_label(stage: Scene, healed: tuple[Object, ...]) -> None:
    """H40: one line for each pod, and as many new ones."""
    before = names(stage.owned())
    done = stage.kubectl("delete pods -l app=flashsale --wait=false")
    assert len(done.lines) == 2
    assert all(any(f'pod "{name}" deleted' in line for line in done.lines) for name in before)
    stage.until(lambda: before.isdisjoint(names(stage.owned())), "both are on their way out")
    stage.until_ready(2)
    assert all(leaving(stage.pods.now[name]) for name in before if name in stage.pods.now)


def test_deleting_what_is_not_there(stage: Scene) -> None:
    """H35: a pod that is not there cannot be deleted, unless that is fine."""
    done = stage.kubectl("delete pod nope", code=1)
    assert done.err.strip() == 'Error from server (NotFound): pods "nope" not found'
    assert stage.kubectl("delete pod nope --ignore-not-found").out == ""
