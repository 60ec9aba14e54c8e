"""A learner's own app that does not get ready: what is said about it, and what goes on selling."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.cli.commands.test_up_own_app import names, status
from tests.command import Flashsale, fetched, kubectl

SHORT = ("--timeout", "3s")  # nothing of what is waited for ever comes


def changed(file: Path, old: str, new: str) -> None:
    """Write what is new in the place of what was there."""
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_good_pods_stay_while_the_new_version_is_broken_and_the_bad_one_goes_first(
    own_sale: Flashsale, folder: Path
) -> None:
    """One pod is tried, and the others go on selling, however often `up` is repeated.

    Once the mistake is mended the next `up` succeeds.
    """
    app = folder / "app.py"
    good = app.read_text()
    changed(app, "import os", "import nonsense")
    done = own_sale("up", str(folder), "--timeout", "5s")
    assert (done.code, done.out) == (5, "")
    assert "1 of 2 pods is ready" in done.err
    assert "1 pod goes on with the old version." in done.err
    assert "No module named" in done.err
    before = status(own_sale)
    left = [pod["name"] for pod in before["pods"] if pod["ready"]]
    assert fetched(before["url"])["pod"] in left
    assert len(left) == 1
    assert own_sale("up", str(folder), *SHORT).code == 5
    pods = {pod["name"]: pod for pod in status(own_sale)["pods"]}
    assert pods[left[0]]["ready"]
    app.write_text(good)
    mended = own_sale("up", str(folder), "-o", "json")
    assert mended.code == 0, mended.err
    assert left[0] in names(mended.json)


def test_timeout_bounds_replacing_and_waiting_together(own_sale: Flashsale, folder: Path) -> None:
    """A version that gets ready late, pod after pod: the time is up in the middle of it."""
    manifest = folder / "flashsale-replicaset.yaml"
    changed(manifest, "initialDelaySeconds: 0", "initialDelaySeconds: 60")
    began = time.monotonic()
    done = own_sale("up", str(folder), "--timeout", "2s")
    assert done.code == 5
    assert "after 2 s" in done.err
    assert "on with the old version." in done.err
    assert time.monotonic() - began < 60  # two pods in turn take 120 s at least


def test_an_app_that_crashes_is_explained(own_sale: Flashsale, lean_folder: Path) -> None:
    """Exit code 5, what is wrong, and the app's own last words."""
    changed(lean_folder / "app.py", "import os", "import nonsense")
    words = ("-n", "crashes", "--replicas", "1", "--timeout", "5s")
    done = own_sale("up", str(lean_folder), *words)
    assert (done.code, done.out) == (5, "")
    assert "0 of 1 pod" in done.err
    assert "does not stay up" in done.err
    assert "No module named" in done.err


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence", "detail"),
    [
        ("Dockerfile", "0.0.0.0:5000", "0.0.0.0:8000", "listens on port 8000", "Listening at"),
        (
            "app.py",
            '"/health"',
            '"/healthy"',
            "GET /health on port 5000) fails: HTTP status 404",
            "",
        ),
    ],
    ids=["other-port", "never-ready"],
)
def test_app_that_does_not_get_ready_is_explained(
    request: pytest.FixtureRequest,
    own_sale: Flashsale,
    shop_folder: Path,
    *,
    file: str,
    old: str,
    new: str,
    sentence: str,
    detail: str,
) -> None:
    """The same for one that runs."""
    changed(shop_folder / file, old, new)
    words = ("-n", request.node.callspec.id, "--replicas", "1", "--timeout", "5s")
    done = own_sale("up", str(shop_folder), *words)
    assert (done.code, done.out) == (5, "")
    assert "0 of 1 pod" in done.err
    assert sentence in done.err
    assert detail in done.err


def test_dockerfile_without_a_command_is_explained(own_sale: Flashsale, lean_folder: Path) -> None:
    """Once before the pods are made, once as the reason why none gets ready."""
    dockerfile = lean_folder / "Dockerfile"
    dockerfile.write_text(dockerfile.read_text().partition("CMD")[0])
    done = own_sale("up", str(lean_folder), "-n", "commandless", *SHORT)
    assert (done.code, done.out) == (5, "")
    assert f"{dockerfile} names no command: add CMD" in done.err
    error, hint = done.err.splitlines()[-2:]
    assert "the image flashsale:1.0 names no command to run" in error
    assert hint.startswith("Hint: flashsale up")
    assert 'added CMD ["gunicorn"' in hint


def test_missing_image_is_explained(own_sale: Flashsale) -> None:
    """An image that is nowhere: exit 5, long before the time is up."""
    manifest = str(own_sale.lean_manifest())
    assert own_sale("up", "--manifest", manifest, "-n", "imageless", "--replicas", "1").code == 0
    patch = '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"no:1"}]'
    kubectl(own_sale, "patch", "rs", "flashsale-rs", "-n", "imageless", "--type=json", "-p", patch)
    done = own_sale("scale", "2", "--timeout", "60s")
    assert done.code == 5
    assert "1 of 2 pods is ready" in done.err
    assert "the image no:1" in done.err
