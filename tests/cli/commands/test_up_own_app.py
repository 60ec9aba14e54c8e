"""A learner's own app on a real embedded cluster: changed, or told by a pipe."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from flashsale.sale.files.manifest import as_taught
from tests.command import Flashsale, fetched, kubectl

NEW = "Everything must go"


def changed(project: Path) -> None:
    """Edit the app as a learner does."""
    app = project / "app.py"
    app.write_text(app.read_text().replace("Welcome to Big Sale!", NEW))


def answers(url: str) -> list[Any]:
    """What a dozen buyers see."""
    return [fetched(url) for _ in range(12)]


def names(progress: Any) -> set[str]:
    """The pods in a status."""
    return {pod["name"] for pod in progress["pods"]}


def status(sale: Flashsale) -> Any:
    """What is there now."""
    return sale("status", "-o", "json").json


def test_changed_app_reaches_the_pods(own_sale: Flashsale, shop_folder: Path) -> None:
    """Edit app.py, type `up` again: the new version answers. The app is the exercise's own."""
    assert own_sale("up", str(shop_folder), "--replicas", "1").code == 0
    changed(shop_folder)
    document = own_sale("up", str(shop_folder), "-o", "json").json
    assert document["image"]["built"] is True
    assert fetched(document["url"])["message"] == NEW


def test_manifest_may_come_through_a_pipe(own_sale: Flashsale) -> None:
    """As kubectl has it; what is wrong with it is told in the same words."""
    words = ("up", "--manifest", "-", "-o", "json")
    wanted = own_sale.lean_manifest(**{"replicas: 3": "replicas: 1"}).read_text()
    opened = own_sale.piped(wanted, *words)
    assert opened.code == 0, opened.err
    assert opened.json["replicaset"]["desired"] == 1
    empty = own_sale.piped("", *words)
    assert (empty.code, empty.out) == (2, "")
    assert "Error: stdin is empty." in empty.err


def test_own_app_stays_until_the_sale_is_closed(own_sale: Flashsale, lean_folder: Path) -> None:
    """`up` without DIR takes the folder of last time, and says so; `down` forgets it."""
    changed(lean_folder)
    before = own_sale("up", str(lean_folder), "--replicas", "1", "-o", "json").json
    again = own_sale("up", "-o", "json")
    assert f"From {lean_folder}, as last time" in again.err
    assert (names(again.json), again.json["image"]["built"]) == (names(before), False)
    assert fetched(again.json["url"])["message"] == NEW
    assert own_sale("down").code == 0
    lean = str(own_sale.lean_manifest())
    fresh = own_sale("up", "--manifest", lean, "--replicas", "1", "-o", "json")
    assert "as last time" not in fresh.err
    assert fetched(fresh.json["url"])["message"] != NEW


def test_old_pods_go_one_at_a_time(own_sale: Flashsale, folder: Path) -> None:
    """Two pods, and never fewer than one of them ready; the output says who does it."""
    with own_sale.start("watch", "-o", "json") as watching:
        assert watching.stdout is not None
        lines = iter(watching.stdout.readline, "")
        seen = [json.loads(next(lines))]
        while seen[-1]["type"] != "stream":  # from here on nothing is missed
            seen.append(json.loads(next(lines)))
        changed(folder)
        done = own_sale("up", str(folder), "-o", "json")
        watching.send_signal(signal.SIGINT)
        seen += [json.loads(line) for line in lines]
    assert done.json["rolled"] == {"replaced": 2, "left": 0}
    assert "flashsale replaces 2 pods, one at a time; a ReplicaSet does not" in done.err
    ready = [line["ready"] for line in seen if line["type"] == "replicaset"]
    assert min(ready) == 1
    assert {answer["message"] for answer in answers(done.json["url"])} == {NEW}


def test_old_pods_can_be_left_alone(own_sale: Flashsale, folder: Path) -> None:
    """`--no-roll` and `--no-wait` say who still runs the old version; the next `up` mends it."""
    before = status(own_sale)
    changed(folder)
    left = own_sale("up", str(folder), "--no-roll", "-o", "json")
    assert "2 pods still run the old version (--no-roll)" in left.err
    assert left.json["rolled"] == {"replaced": 0, "left": 2}
    assert names(left.json) == names(before)
    again = own_sale("up", str(folder), "--no-wait", "-o", "json")
    assert "2 pods still run the old version (--no-wait)" in again.err
    mended = own_sale("up", str(folder), "-o", "json").json
    assert (mended["image"]["built"], mended["rolled"]["replaced"]) == (False, 2)
    assert {answer["message"] for answer in answers(mended["url"])} == {NEW}


def test_what_left_the_manifest_leaves_the_pods(own_sale: Flashsale, folder: Path) -> None:
    """The exercise's own manifest after ours: pods that still have the preStop hook are old.

    Not replaced at first (`--no-roll`), they are found by the next `up`.
    """
    manifest = folder / "flashsale-replicaset.yaml"
    manifest.write_text(as_taught(manifest.read_text()))
    left = own_sale("up", str(folder), "--no-roll", "-o", "json").json
    assert left["rolled"] == {"replaced": 0, "left": 2}
    done = own_sale("up", str(folder), "-o", "json").json
    assert done["rolled"] == {"replaced": 2, "left": 0}
    assert not names(left) & names(done)
    assert "preStop" not in kubectl(own_sale, "get", "pods", "-o", "json")
    again = own_sale("up", str(folder), "-o", "json").json
    assert names(again) == names(done)


def test_what_the_cluster_adds_to_pods_changes_nothing(
    own_sale: Flashsale, lean_folder: Path
) -> None:
    """Pods get requests from their limits, as the API server writes them, and are not old."""
    manifest = lean_folder / "flashsale-replicaset.yaml"
    requests = '            requests:\n              cpu: "100m"\n              memory: "128Mi"\n'
    assert requests in manifest.read_text()
    manifest.write_text(manifest.read_text().replace(requests, ""))
    words = ("up", str(lean_folder), "--replicas", "1", "-o", "json")
    before = own_sale(*words).json
    assert '"requests"' in kubectl(own_sale, "get", "pods", "-o", "json")
    again = own_sale(*words).json
    assert again["rolled"] == {"replaced": 0, "left": 0}
    assert names(again) == names(before)
