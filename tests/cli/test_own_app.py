"""A learner's own app on a real embedded cluster: changed, broken, or without its image."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import Flashsale, fetched

NEW = "Everything must go"


@pytest.fixture
def project(flashsale: Flashsale) -> Path:
    """A learner's folder, with probes that do not keep a test waiting."""
    folder = flashsale.home.parent / "sale"
    assert flashsale("init", str(folder)).code == 0
    quick = flashsale.quick_manifest(**{"replicas: 3": "replicas: 2"})
    quick.replace(folder / "flashsale-replicaset.yaml")
    return folder


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


def test_broken_new_version_leaves_the_old_one_selling(flashsale: Flashsale, project: Path) -> None:
    """One pod is tried; the others go on."""
    before = flashsale("up", str(project), "-o", "json").json
    app = project / "app.py"
    app.write_text("import nonsense\n" + app.read_text())
    told = flashsale("up", str(project), "--timeout", "6s")
    assert (told.code, told.out) == (5, "")
    assert "1 of 2 pods is ready" in told.err
    assert "1 pod goes on with the old version." in told.err
    assert "No module named" in told.err
    assert fetched(before["url"])["pod"] in names(before)


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence", "detail"),
    [
        ("app.py", "import random", "import nonsense", "does not stay up", "No module named"),
        ("Dockerfile", "0.0.0.0:5000", "0.0.0.0:8000", "listens on port 8000", "Listening at"),
        (
            "app.py",
            '"/health"',
            '"/healthy"',
            "GET /health on port 5000) fails: HTTP status 404",
            "",
        ),
    ],
    ids=["crashes", "other-port", "never-ready"],
)
def test_app_that_does_not_get_ready_is_explained(
    flashsale: Flashsale, project: Path, file: str, old: str, new: str, sentence: str, detail: str
) -> None:
    """Exit code 5, what is wrong, and the app's own last words."""
    broken = project / file
    assert old in broken.read_text()
    broken.write_text(broken.read_text().replace(old, new))
    told = flashsale("up", str(project), "--timeout", "8s")
    assert (told.code, told.out) == (5, "")
    assert "0 of 2 pods are ready" in told.err
    assert sentence in told.err
    assert detail in told.err


def test_missing_image_is_explained(flashsale: Flashsale) -> None:
    """An image that is nowhere: exit 5, long before the time is up."""
    flashsale("up", "--manifest", str(flashsale.quick_manifest()), "--replicas", "1")
    kubectl = Path(sys.executable).parent / "kubectl"
    config = flashsale("kubeconfig").out.strip()
    patch = '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"no:1"}]'
    words = [str(kubectl), "--kubeconfig", config, "patch", "rs", "flashsale-rs"]
    done = subprocess.run(
        [*words, "--type=json", "-p", patch], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    told = flashsale("scale", "2", "--timeout", "60s")
    assert told.code == 5
    assert "1 of 2 pods is ready" in told.err
    assert "the image no:1" in told.err
