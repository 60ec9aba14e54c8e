"""A learner's own app on a real embedded cluster: changed, renamed, or told by a pipe."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from flashsale.sale.files.manifest import as_taught
from tests.command import PATIENCE, Flashsale, fetched, kubectl

NEW = "Everything must go"


def changed(project: Path) -> None:
    """Edit the app as a learner does."""
    app = project / "app.py"
    app.write_text(app.read_text().replace("Welcome to Big Sale!", NEW))


def answers(url: str) -> list[Any]:
    """What a dozen buyers see."""
    return [fetched(url) for _ in range(12)]


def names(told: Any) -> set[str]:
    """The pods in a status."""
    return {pod["name"] for pod in told["pods"]}


def test_changed_app_reaches_the_pods(flashsale: Flashsale, project: Path) -> None:
    """Edit app.py, type `up` again: the new version answers, from every pod."""
    assert flashsale("up", str(project)).code == 0
    changed(project)
    told = flashsale("up", str(project), "-o", "json").json
    assert told["image"]["built"] is True
    assert {answer["message"] for answer in answers(told["url"])} == {NEW}


def piped(flashsale: Flashsale, text: str) -> subprocess.CompletedProcess[str]:
    """Run `up` with a manifest that comes through a pipe."""
    return subprocess.run(
        flashsale.command("up", "--manifest", "-", "-o", "json"),
        env=flashsale.environment,
        input=text,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_manifest_may_come_through_a_pipe(flashsale: Flashsale) -> None:
    """As kubectl has it; what is wrong with it is told in the same words."""
    wanted = flashsale.quick_manifest(**{"replicas: 3": "replicas: 1"}).read_text()
    opened = piped(flashsale, wanted)
    assert opened.returncode == 0, opened.stderr
    assert json.loads(opened.stdout)["replicaset"]["desired"] == 1
    empty = piped(flashsale, "")
    assert (empty.returncode, empty.stdout) == (2, "")
    assert "Error: stdin is empty." in empty.stderr


def test_own_app_stays_until_the_sale_is_closed(flashsale: Flashsale, project: Path) -> None:
    """`up` without DIR takes the folder of last time, and says so; `down` forgets it."""
    changed(project)
    before = flashsale("up", str(project), "-o", "json").json
    again = flashsale("up", "-o", "json")
    assert f"From {project}, as last time" in again.err
    assert (names(again.json), again.json["image"]["built"]) == (names(before), False)
    assert fetched(again.json["url"])["message"] == NEW
    assert flashsale("down").code == 0
    quick = str(flashsale.quick_manifest())
    fresh = flashsale("up", "--manifest", quick, "-o", "json")
    assert "as last time" not in fresh.err
    assert fetched(fresh.json["url"])["message"] != NEW


def test_old_pods_go_one_at_a_time(flashsale: Flashsale, project: Path) -> None:
    """Three pods, and never fewer than two of them ready; the output says who does it."""
    assert flashsale("up", str(project), "--replicas", "3").code == 0
    with flashsale.start("watch", "-o", "json") as watching:
        assert watching.stdout is not None
        lines = iter(watching.stdout.readline, "")
        seen = [json.loads(next(lines))]
        while seen[-1]["type"] != "stream":  # from here on nothing is missed
            seen.append(json.loads(next(lines)))
        changed(project)
        told = flashsale("up", str(project), "-o", "json")
        watching.send_signal(signal.SIGINT)
        seen += [json.loads(line) for line in lines]
    assert told.json["rolled"] == {"replaced": 3, "left": 0}
    assert "flashsale replaces 3 pods, one at a time; a ReplicaSet does not" in told.err
    ready = [line["ready"] for line in seen if line["type"] == "replicaset"]
    assert min(ready) == 2
    assert {answer["message"] for answer in answers(told.json["url"])} == {NEW}


def test_old_pods_can_be_left_alone(flashsale: Flashsale, project: Path) -> None:
    """`--no-roll` and `--no-wait` say who still runs the old version; the next `up` mends it."""
    before = flashsale("up", str(project), "-o", "json").json
    changed(project)
    left = flashsale("up", str(project), "--no-roll", "-o", "json")
    assert "2 pods still run the old version (--no-roll)" in left.err
    assert left.json["rolled"] == {"replaced": 0, "left": 2}
    assert names(left.json) == names(before)
    again = flashsale("up", str(project), "--no-wait", "-o", "json")
    assert "2 pods still run the old version (--no-wait)" in again.err
    mended = flashsale("up", str(project), "-o", "json").json
    assert (mended["image"]["built"], mended["rolled"]["replaced"]) == (False, 2)
    assert {answer["message"] for answer in answers(mended["url"])} == {NEW}


def test_what_left_the_manifest_leaves_the_pods(flashsale: Flashsale, project: Path) -> None:
    """The exercise's own manifest after ours: pods that still have the preStop hook are old."""
    manifest = project / "flashsale-replicaset.yaml"
    ours = manifest.read_text()
    before = flashsale("up", str(project), "-o", "json").json
    manifest.write_text(as_taught(ours))
    told = flashsale("up", str(project), "-o", "json")
    assert told.json["rolled"] == {"replaced": 2, "left": 0}
    assert not names(before) & names(told.json)
    assert "preStop" not in kubectl(flashsale, "get", "pods", "-o", "json")
    again = flashsale("up", str(project), "-o", "json").json
    assert names(again) == names(told.json)


def test_what_left_the_manifest_is_made_up_for(flashsale: Flashsale, project: Path) -> None:
    """Not replaced at first (`--no-roll`), such pods are found by the next `up`."""
    manifest = project / "flashsale-replicaset.yaml"
    flashsale("up", str(project))
    manifest.write_text(as_taught(manifest.read_text()))
    left = flashsale("up", str(project), "--no-roll", "-o", "json").json
    assert left["rolled"] == {"replaced": 0, "left": 2}
    mended = flashsale("up", str(project), "-o", "json").json
    assert mended["rolled"] == {"replaced": 2, "left": 0}
    assert "preStop" not in kubectl(flashsale, "get", "pods", "-o", "json")


def test_what_the_cluster_adds_to_pods_changes_nothing(flashsale: Flashsale, project: Path) -> None:
    """Pods get requests from their limits, as the API server writes them, and are not old."""
    manifest = project / "flashsale-replicaset.yaml"
    requests = '            requests:\n              cpu: "100m"\n              memory: "128Mi"\n'
    assert requests in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(requests, ""))
    before = flashsale("up", str(project), "-o", "json").json
    assert '"requests"' in kubectl(flashsale, "get", "pods", "-o", "json")
    again = flashsale("up", str(project), "-o", "json").json
    assert again["rolled"] == {"replaced": 0, "left": 0}
    assert names(again) == names(before)


def test_renamed_replicaset_takes_the_place_of_the_old_one(
    flashsale: Flashsale, project: Path
) -> None:
    """Two would share the buyers; nothing of the old one is left, and `up` says so."""
    manifest = project / "flashsale-replicaset.yaml"
    before = flashsale("up", str(project), "-o", "json").json
    manifest.write_text(manifest.read_text().replace("name: flashsale-rs", "name: my-rs"))
    changed(project)
    assert flashsale("scale", "3", "--no-wait").code == 0
    hasty = flashsale("up", str(project), "--no-wait")
    assert "replicaset.apps/flashsale-rs stays for now (--no-wait)" in hasty.err
    assert kubectl(flashsale, "get", "rs", "-o", "name").count("replicaset") == 2
    told = flashsale("up", str(project), "-o", "json")
    assert told.code == 0
    assert told.json["replicaset"]["desired"] == 3  # as for any other change of the manifest
    assert "replicaset.apps/flashsale-rs deleted: the manifest has another name now" in told.err
    kubectl(flashsale, "wait", "--for=delete", *(f"pod/{name}" for name in names(before)))
    assert kubectl(flashsale, "get", "rs", "-o", "name") == "replicaset.apps/my-rs\n"
    assert {answer["message"] for answer in answers(told.json["url"])} == {NEW}


def test_renamed_service_cannot_take_over_a_node_port_that_is_named(
    flashsale: Flashsale, project: Path
) -> None:
    """Two cannot have it at once; the hint says what can be done, and nothing was changed."""
    manifest = project / "flashsale-replicaset.yaml"
    text = manifest.read_text().replace("port: 80\n", "port: 80\n      nodePort: 31555\n")
    manifest.write_text(text)
    assert flashsale("up", str(project), "--replicas", "1", "--no-wait").code == 0
    manifest.write_text(text.replace("flashsale-svc", "my-svc"))
    told = flashsale("up", str(project), "--no-wait")
    assert told.code == 2
    assert "31555: provided port is already allocated" in told.err
    assert "where the sale's own Service has it under its old name" in told.err
    assert flashsale("status", "-o", "json").json["service"]["name"] == "flashsale-svc"


def test_down_closes_what_a_failed_renaming_left(flashsale: Flashsale, project: Path) -> None:
    """The old pods go on selling while the new ones fail; closing the sale closes both."""
    manifest, app = project / "flashsale-replicaset.yaml", project / "app.py"
    before = flashsale("up", str(project), "-o", "json").json
    text = manifest.read_text()
    manifest.write_text(text.replace("flashsale-rs", "my-rs").replace("flashsale-svc", "my-svc"))
    app.write_text("import nonsense\n" + app.read_text())
    assert flashsale("up", str(project), "--timeout", "5s").code == 5
    assert fetched(before["url"])["pod"] in names(before)
    closed = flashsale("down", "-o", "json").json
    assert set(closed["removed"]) == {
        *("replicaset.apps/my-rs", "service/my-svc"),
        *("replicaset.apps/flashsale-rs", "service/flashsale-svc"),
    }
