"""An operator written with kopf, as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.api import Object
from tests.conformance.scene import Scene

pytest.importorskip("kopf")
OPERATOR = Path(__file__).with_name("operator_for_kopf.py")


@pytest.fixture
def operator(place: Scene, kubeconfig: Path, tmp_path: Path) -> Iterator[None]:
    """The operator, for one namespace."""
    where = ["--standalone", "--namespace", place.namespace]
    with (
        (tmp_path / "output").open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", "kopf", "run", *where, str(OPERATOR)],
            env={**os.environ, "KUBECONFIG": str(kubeconfig)},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        yield
        process.terminate()


@pytest.mark.usefixtures("operator")
def test_an_operator_reacts(place: Scene, replicaset: Object) -> None:
    """To a creation, to a scaling, and to a deletion, which its finalizer holds back."""
    replicaset["metadata"]["labels"] = {"watched": "yes"}
    place.create(replicaset)

    def notes() -> Object:
        path = place.path("replicasets", "one")
        return place.api.get(path)["metadata"].get("annotations") or {}

    place.until(lambda: notes().get("operator/created") == "one", "it saw the creation")
    place.scale("one", 2)
    place.until(lambda: notes().get("operator/scaled") == "1 to 2", "it saw the scaling")
    place.delete("replicasets", "one")
    place.until_event("one", "Seen")
    gone = place.path("replicasets", "one")
    place.until(lambda: place.api.send("GET", gone).status == 404, "it let the object go")
