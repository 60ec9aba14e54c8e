"""Files that are nearly right are named, with the command that puts them right."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from flashsale.base.errors import BadInputError
from flashsale.sale.files import app_folder
from flashsale.sale.files import manifest as manifests

REPLICASET, SERVICE = manifests.shipped_text().split("\n---\n", 1)


def refusal(folder: Path) -> BadInputError:
    """Return why a folder is refused."""
    with pytest.raises(BadInputError) as caught:
        app_folder.from_folder(folder)
    return caught.value


def test_any_dockerfile_will_do(tmp_path: Path) -> None:
    """The app may have any name, and any shape."""
    (tmp_path / "Dockerfile").write_text("FROM python:3.11-slim\nCOPY . .\nCMD x\n")
    (tmp_path / "shop.py").write_text("")
    assert app_folder.from_folder(tmp_path).app.folder == tmp_path


@pytest.mark.parametrize("name", ["dockerfile", "Dockerfile.txt", "Containerfile"])
def test_dockerfile_of_another_name_is_named(tmp_path: Path, name: str) -> None:
    """The hint renames it."""
    (tmp_path / name).write_text("FROM python:3.11-slim\nCMD x\n")
    error = refusal(tmp_path)
    assert name in str(error)
    subprocess.run(error.hint, shell=True, check=True)
    app_folder.from_folder(tmp_path)


def test_two_files_are_joined_by_the_hint(tmp_path: Path) -> None:
    """A ReplicaSet and a Service, each in a file of its own."""
    (tmp_path / "app.py").write_text("")
    (tmp_path / "k8s").mkdir()
    (tmp_path / "k8s" / "replicaset.yaml").write_text(REPLICASET + "\n")
    (tmp_path / "k8s" / "service.yml").write_text(SERVICE)
    error = refusal(tmp_path)
    assert "k8s/replicaset.yaml and k8s/service.yml" in str(error)
    subprocess.run(error.hint, shell=True, check=True)
    folder_found = app_folder.from_folder(tmp_path).manifest
    assert folder_found.replicaset == manifests.shipped().replicaset


def test_one_file_of_another_name_is_given_to_manifest(tmp_path: Path) -> None:
    """`--manifest` takes it as it is."""
    (tmp_path / "sale.yml").write_text(manifests.shipped_text())
    assert refusal(tmp_path).hint == f"flashsale up {tmp_path} --manifest {tmp_path / 'sale.yml'}"


def test_list_of_another_name_is_given_to_manifest(tmp_path: Path) -> None:
    """`kubectl get -o yaml` writes `kind: List`; the shipped manifest must not take its place."""
    parts = [yaml.safe_load(part) for part in (REPLICASET, SERVICE)]
    (tmp_path / "app.py").write_text("")
    whole = {"apiVersion": "v1", "items": parts, "kind": "List"}
    (tmp_path / "all.yaml").write_text(yaml.safe_dump(whole))
    assert refusal(tmp_path).hint == f"flashsale up {tmp_path} --manifest {tmp_path / 'all.yaml'}"


def test_deployment_is_told_what_to_change(tmp_path: Path) -> None:
    """The exercise is about ReplicaSets."""
    (tmp_path / "app.py").write_text("")
    (tmp_path / "deployment.yaml").write_text("apiVersion: apps/v1\nkind: Deployment\n")
    assert "write `kind: ReplicaSet`" in str(refusal(tmp_path))


@pytest.mark.parametrize("name", ["docker/Dockerfile", "Dockerfile.prod", "web.dockerfile"])
def test_dockerfile_for_a_purpose_is_named(tmp_path: Path, name: str) -> None:
    """The packaged one must not take its place unsaid; the hint copies it."""
    (tmp_path / "app.py").write_text("")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("FROM python:3.11-slim\nCMD x\n")
    error = refusal(tmp_path)
    assert name in str(error)
    subprocess.run(error.hint, shell=True, check=True)
    assert app_folder.from_folder(tmp_path).app.dockerfile == tmp_path / "Dockerfile"


@pytest.mark.parametrize("name", ["k8s/deployment.yaml", manifests.FILE])
def test_deployment_that_is_nearly_a_replicaset_becomes_one_by_the_hint(
    tmp_path: Path, name: str
) -> None:
    """Its kind alone has to change."""
    (tmp_path / "app.py").write_text("")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    text = manifests.shipped_text()
    (tmp_path / name).write_text(text.replace("kind: ReplicaSet", "kind: Deployment"))
    subprocess.run(refusal(tmp_path).hint, shell=True, check=True)
    assert app_folder.from_folder(tmp_path).manifest.text == text


@pytest.mark.parametrize("kind", ["ReplicaSet", "Service"])
def test_an_api_version_is_mended_where_it_is_wrong_and_nowhere_else(
    tmp_path: Path, kind: str
) -> None:
    """The wrong one of the ReplicaSet is the right one of the Service, and the other way round."""
    (tmp_path / "app.py").write_text("")
    text = manifests.shipped_text()
    wrong = {"ReplicaSet": "v1", "Service": "apps/v1"}[kind]
    right = f"apiVersion: {manifests.VERSIONS[kind]}\nkind: {kind}\n"
    assert right in text
    (tmp_path / manifests.FILE).write_text(
        text.replace(right, f"apiVersion: {wrong}\nkind: {kind}\n")
    )
    subprocess.run(refusal(tmp_path).hint, shell=True, check=True)
    assert app_folder.from_folder(tmp_path).manifest.text == text


@pytest.mark.parametrize(
    ("kind", "beside", "words"),
    [
        ("StatefulSet", SERVICE, "prints a ReplicaSet"),
        ("Deployment", f"{REPLICASET}\n---\n{SERVICE}", "put the Deployment into a file"),
        ("Ingress", SERVICE, "put the Ingress into a file"),
    ],
)
def test_what_another_kind_asks_for_depends_on_what_is_there(
    kind: str, beside: str, words: str
) -> None:
    """One that makes pods takes the ReplicaSet's place, where there is none beside it."""
    other = REPLICASET.replace("kind: ReplicaSet", f"kind: {kind}")
    with pytest.raises(BadInputError) as caught:
        manifests.parse_manifest(f"{other}\n---\n{beside}", "my.yaml")
    assert words in caught.value.hint
