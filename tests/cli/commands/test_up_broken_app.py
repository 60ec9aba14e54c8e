"""A learner's own app that does not get ready: what is said about it, and what goes on selling."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.commands.test_up_own_app import names
from tests.command import Flashsale, fetched, kubectl


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


def test_good_pods_stay_while_the_new_version_is_broken_and_the_bad_one_goes_first(
    flashsale: Flashsale, project: Path
) -> None:
    """However often `up` is repeated; once the mistake is mended the next `up` succeeds."""
    flashsale("up", str(project))
    dockerfile = project / "Dockerfile"
    good = dockerfile.read_text()
    dockerfile.write_text(good.replace('CMD ["gunicorn"', 'CMD ["gunicornn"'))
    assert flashsale("up", str(project), "--timeout", "30s").code == 5
    left = [pod["name"] for pod in flashsale("status", "-o", "json").json["pods"] if pod["ready"]]
    assert len(left) == 1
    assert flashsale("up", str(project), "--timeout", "30s").code == 5
    pods = {pod["name"]: pod for pod in flashsale("status", "-o", "json").json["pods"]}
    assert pods[left[0]]["ready"]
    dockerfile.write_text(good)
    mended = flashsale("up", str(project), "-o", "json")
    assert mended.code == 0, mended.err
    assert left[0] in names(mended.json)


def test_timeout_bounds_replacing_and_waiting_together(flashsale: Flashsale, project: Path) -> None:
    """A version that gets ready late, pod after pod: the time is up in the middle of it."""
    flashsale("up", str(project), "--replicas", "3")
    manifest = project / "flashsale-replicaset.yaml"
    late = manifest.read_text().replace("initialDelaySeconds: 0", "initialDelaySeconds: 30", 1)
    manifest.write_text(late)
    began = time.monotonic()
    told = flashsale("up", str(project), "--timeout", "2s")
    assert told.code == 5
    assert "after 2 s" in told.err
    assert "on with the old version." in told.err
    assert time.monotonic() - began < 60  # three pods in turn take 90 s at least


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


def test_dockerfile_without_a_command_is_explained(flashsale: Flashsale, project: Path) -> None:
    """Once before the pods are made, once as the reason why none gets ready."""
    dockerfile = project / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().partition("CMD")[0])
    told = flashsale("up", str(project), "--timeout", "20s")
    assert (told.code, told.out) == (5, "")
    assert f"{dockerfile} names no command: add CMD" in told.err
    error, hint = told.err.splitlines()[-2:]
    assert "the image flashsale:1.0 names no command to run" in error
    assert hint.startswith("Hint: flashsale up")
    assert 'added CMD ["gunicorn"' in hint


def test_missing_image_is_explained(flashsale: Flashsale) -> None:
    """An image that is nowhere: exit 5, long before the time is up."""
    flashsale("up", "--manifest", str(flashsale.lean_manifest()), "--replicas", "1")
    patch = '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"no:1"}]'
    kubectl(flashsale, "patch", "rs", "flashsale-rs", "--type=json", "-p", patch)
    told = flashsale("scale", "2", "--timeout", "60s")
    assert told.code == 5
    assert "1 of 2 pods is ready" in told.err
    assert "the image no:1" in told.err
