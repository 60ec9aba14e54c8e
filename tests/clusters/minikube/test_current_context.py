"""The user's kubeconfig: what `update-context` does to the current context is undone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from flashsale.clusters.minikube.current_context import keep_current_context, read_current_context
from tests.clusters.minikube.double_world import World

WORK = {"contexts": [{"context": {}, "name": "work"}], "current-context": "work"}
CONTEXTS = 'contexts:\n- {"context": {}, "name": "work"}\n'


@pytest.mark.parametrize(
    ("before", "name"),
    [
        (f"{CONTEXTS}current-context: work\n", "work"),
        (f"current-context: 'work' # not shop\n{CONTEXTS}", "work"),
        (json.dumps(WORK), "work"),
        (json.dumps(WORK, indent=2), "work"),
        (f'{CONTEXTS}current-context: ""\n', ""),
        (CONTEXTS, ""),
    ],
)
async def test_current_context_is_what_it_was_in_whatever_shape(
    world: World, before: str, name: str
) -> None:
    """kubectl writes YAML, other programs JSON; minikube reads both, and names its own context."""
    (world.home / "kubeconfig").write_text(before)
    world.has(kubeconfig="Misconfigured")
    await world.start()
    assert world.acts() == ["update-context"]
    document = yaml.safe_load((world.home / "kubeconfig").read_text())
    assert document["current-context"] == name
    assert [entry["name"] for entry in document["contexts"]] == ["shop", "work"]


@pytest.mark.parametrize(
    "text",
    [
        "# mine\r\ncurrent-context: work # ours\r\ncontexts: []\r\n",
        '{"current-context": "work",\n "name": "wörk"}',
        "users: []\ncurrent-context:   'work'",
        "",
    ],
)
def test_nothing_else_in_the_file_changes(world: World, text: str) -> None:
    """Comments, line ends, other people's letters: not one byte."""
    file = world.home / "kubeconfig"
    file.write_bytes(text.encode())
    with keep_current_context("shop"):
        file.write_bytes(text.replace("work", "shop", 1).encode())
    assert file.read_bytes() == text.encode()


def test_file_behind_a_link_stays_there(world: World, tmp_path: Path) -> None:
    """Many keep theirs among their other settings."""
    file, real = world.home / "kubeconfig", tmp_path / "real"
    file.rename(real)
    file.symlink_to(real)
    with keep_current_context("shop"):
        file.write_text("current-context: shop\n")
    assert file.is_symlink()
    assert real.read_text() == "current-context: work\n"


@pytest.mark.parametrize("text", ["", "a: [", "- work", "\x00", "current-context:", "{}", "work"])
def test_files_without_a_current_context_are_borne(text: str) -> None:
    """Damaged ones are minikube's to complain about."""
    assert read_current_context(text) is None
