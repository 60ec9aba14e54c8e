"""A manifest whose objects have other names than last time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.commands.test_up_own_app import NEW, answers, changed, names, status
from tests.command import Flashsale, fetched, kubectl


@pytest.fixture
def small_folder(own_sale: Flashsale, lean_folder: Path) -> Path:
    """A learner's own folder, and a sale of one pod was opened from it."""
    opened = own_sale("up", str(lean_folder), "--replicas", "1")
    assert opened.code == 0, opened.err
    return lean_folder


def test_renamed_replicaset_takes_the_place_of_the_old_one(
    own_sale: Flashsale, small_folder: Path
) -> None:
    """Two would share the buyers; nothing of the old one is left, and `up` says so."""
    manifest = small_folder / "flashsale-replicaset.yaml"
    before = status(own_sale)
    manifest.write_text(manifest.read_text().replace("name: flashsale-rs", "name: my-rs"))
    changed(small_folder)
    assert own_sale("scale", "3", "--no-wait").code == 0
    hasty = own_sale("up", str(small_folder), "--no-wait")
    assert "replicaset.apps/flashsale-rs stays for now (--no-wait)" in hasty.err
    assert kubectl(own_sale, "get", "rs", "-o", "name").count("replicaset") == 2
    done = own_sale("up", str(small_folder), "-o", "json")
    assert done.code == 0
    assert done.json["replicaset"]["desired"] == 3  # as for any other change of the manifest
    assert "replicaset.apps/flashsale-rs deleted: the manifest has another name now" in done.err
    kubectl(own_sale, "wait", "--for=delete", *(f"pod/{name}" for name in names(before)))
    assert kubectl(own_sale, "get", "rs", "-o", "name") == "replicaset.apps/my-rs\n"
    assert {answer["message"] for answer in answers(done.json["url"])} == {NEW}


def test_down_closes_what_a_failed_renaming_left(own_sale: Flashsale, small_folder: Path) -> None:
    """The old pods go on selling while the new ones fail; closing the sale closes both."""
    manifest, app = small_folder / "flashsale-replicaset.yaml", small_folder / "app.py"
    before = status(own_sale)
    text = manifest.read_text()
    manifest.write_text(text.replace("flashsale-rs", "my-rs").replace("flashsale-svc", "my-svc"))
    app.write_text("import nonsense\n" + app.read_text())
    assert own_sale("up", str(small_folder), "--timeout", "2s").code == 5
    assert fetched(before["url"])["pod"] in names(before)
    closed = own_sale("down", "-o", "json").json
    assert set(closed["removed"]) == {
        *("replicaset.apps/my-rs", "service/my-svc"),
        *("replicaset.apps/flashsale-rs", "service/flashsale-svc"),
    }


def test_renamed_service_cannot_take_over_a_node_port_that_is_named(
    own_sale: Flashsale, lean_folder: Path
) -> None:
    """Two cannot have it at once; the hint says what can be done, and nothing was changed."""
    manifest = lean_folder / "flashsale-replicaset.yaml"
    text = manifest.read_text().replace("port: 80\n", "port: 80\n      nodePort: 31555\n")
    manifest.write_text(text)
    assert own_sale("up", str(lean_folder), "--replicas", "1", "--no-wait").code == 0
    manifest.write_text(text.replace("flashsale-svc", "my-svc"))
    done = own_sale("up", str(lean_folder), "--no-wait")
    assert done.code == 2
    assert "31555: provided port is already allocated" in done.err
    assert "where the sale's own Service has it under its old name" in done.err
    assert status(own_sale)["service"]["name"] == "flashsale-svc"
