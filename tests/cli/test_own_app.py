"""A learner's own app on a real embedded cluster: changed, broken, or without its image."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import Flashsale, fetched


@pytest.fixture
def project(flashsale: Flashsale) -> Path:
    """A learner's folder, with probes that do not keep a test waiting."""
    folder = flashsale.home.parent / "sale"
    assert flashsale("init", str(folder)).code == 0
    quick = flashsale.quick_manifest(**{"replicas: 3": "replicas: 2"})
    quick.replace(folder / "flashsale-replicaset.yaml")
    return folder


def test_changed_app_reaches_the_pods(flashsale: Flashsale, project: Path) -> None:
    """Edit app.py, type `up` again: the new version answers, from every pod."""
    assert flashsale("up", str(project)).code == 0
    app = project / "app.py"
    app.write_text(app.read_text().replace("Welcome to Big Sale!", "Everything must go"))
    told = flashsale("up", str(project), "-o", "json").json
    assert told["image"]["built"] is True
    answers = [fetched(told["url"]) for _ in range(12)]
    assert {answer["message"] for answer in answers} == {"Everything must go"}


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
