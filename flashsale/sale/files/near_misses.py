"""Files that are nearly what `up` looks for: another name, another folder, another kind."""

from __future__ import annotations

import re
from pathlib import Path

from flashsale.base.errors import BadInputError
from flashsale.base.text import quoted
from flashsale.sale.files import manifest as manifests
from flashsale.sale.files.yaml_reader import yaml_documents

DOCKERFILE = "Dockerfile"
FOLDERS = (".", "k8s", "kubernetes", "manifests", "deploy", "kube")
_KIND = re.compile(r"^kind:\s*['\"]?(\w+)", re.MULTILINE)
_KIND_IN_LIST = re.compile(r"^[ -]*kind:\s*['\"]?(\w+)", re.MULTILINE)


def refuse_dockerfile(folder: Path) -> None:
    """Raise BadInputError if a Dockerfile is there under another name."""
    for path in sorted(folder.iterdir()):
        name = path.name.lower()
        if path.is_file() and name in ("dockerfile", "dockerfile.txt", "containerfile"):
            if path.name == DOCKERFILE:
                continue
            raise BadInputError(
                f"{folder} has {path.name}, but the name has to be {DOCKERFILE}.",
                hint=f"mv {quoted(path)} {quoted(folder / DOCKERFILE)}",
            )
    if variants := sorted(filter(_is_variant, [*folder.iterdir(), *folder.glob("*/*ockerfile")])):
        raise BadInputError(
            f"{folder} has no {DOCKERFILE}, but {_below(folder, variants[0])}: it is built from"
            f" {DOCKERFILE} alone.",
            hint=f"cp {quoted(variants[0])} {quoted(folder / DOCKERFILE)}",
        )


def _is_variant(path: Path) -> bool:
    """Whether it is a Dockerfile for a purpose, or in a folder for such files."""
    name = path.name.lower()
    inside = name == "dockerfile" and path.parent.name.strip(".") in ("docker", "build", "deploy")
    named = name.startswith("dockerfile.") and name != "dockerfile.dockerignore"
    return path.is_file() and (inside or named or name.endswith(".dockerfile"))


def refuse_manifests(folder: Path) -> None:
    """Raise BadInputError if a ReplicaSet or a Deployment is there, but not in our file."""
    kinds = {path: _kinds(path) for path in _yaml_files(folder)}
    sets = [path for path, kinds_there in kinds.items() if "ReplicaSet" in kinds_there]
    services = [path for path, kinds_there in kinds.items() if "Service" in kinds_there]
    if sets and sets[0] in services:
        raise BadInputError(
            f"{folder} has no {manifests.FILE}, but {_below(folder, sets[0])} holds a ReplicaSet"
            " and a Service.",
            hint=f"flashsale up {quoted(folder)} --manifest {quoted(sets[0])}",
        )
    if sets:
        parts = [sets[0], *services[:1]]
        files = " ".join(map(quoted, parts))
        names = " and ".join(_below(folder, path) for path in parts)
        raise BadInputError(
            f"{folder} has no {manifests.FILE}, but {names}: flashsale takes them in one file.",
            hint=f"awk 'FNR == 1 {{print \"---\"}} 1' {files} > {quoted(folder / manifests.FILE)}",
        )
    for path, kinds_there in kinds.items():
        if "Deployment" in kinds_there:
            near = _converted(path, folder) if {"Service"} <= kinds_there else ""
            raise BadInputError(
                f"{_below(folder, path)} holds a Deployment, but the exercise is about a"
                " ReplicaSet: write `kind: ReplicaSet`, leave out `strategy`, and save it with its"
                f" Service as {manifests.FILE}.",
                hint=near or f"flashsale manifest > {quoted(folder / manifests.FILE)}",
            )


def _converted(path: Path, folder: Path) -> str:
    """Write the command that makes our file of a Deployment; empty where that takes more."""
    try:
        text = path.read_text(encoding="utf-8")
        objects = [document for _, document in yaml_documents(text, str(path))]
    except (OSError, ValueError, BadInputError):
        return ""
    kinds = sorted(str(obj.get("kind")) for obj in objects)
    deployments = [obj for obj in objects if obj.get("kind") == "Deployment"]
    if kinds != ["Deployment", "Service"] or not manifests.is_nearly_replicaset(deployments[0]):
        return ""
    target = quoted(folder / manifests.FILE)
    return f"sed '{manifests.AS_REPLICASET}' {quoted(path)} > {target}"


def _yaml_files(folder: Path) -> list[Path]:
    places = [folder / name for name in FOLDERS if (folder / name).is_dir()]
    return [
        path
        for place in places
        for path in sorted(place.iterdir())
        if path.suffix in (".yaml", ".yml") and path.is_file() and path.name != manifests.FILE
    ]


def _kinds(path: Path) -> set[str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
        kinds = set(_KIND.findall(text))
        return set(_KIND_IN_LIST.findall(text)) if "List" in kinds else kinds
    except OSError:
        return set()


def _below(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()
