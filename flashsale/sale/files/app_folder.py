"""The three files of the exercise: the packaged ones, a learner's own, and handing them out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.dockerfile.stages import lineage, parse_stages
from flashsale.base.errors import BadInputError, Hint, RefusedError
from flashsale.base.text import joined, quoted
from flashsale.clusters.base import App
from flashsale.objects.fields import sections
from flashsale.objects.models import app_container
from flashsale.sale.files import manifest as manifests
from flashsale.sale.files import near_misses
from flashsale.sale.files.manifest import Manifest
from flashsale.sale.ready.diagnosis import CMD

APP, DOCKERFILE = "app.py", "Dockerfile"
NAMES = (APP, DOCKERFILE, manifests.FILE)


@dataclass(frozen=True, slots=True)
class Project:
    """What `up` puts on the cluster: the app for the image, and the manifest."""

    app: App
    manifest: Manifest
    folder: Path | None = None  # that it was read from, absolute; None for the packaged one


def packaged(manifest: Path | None = None) -> Project:
    """The shop that ships with flashsale, with its manifest or another."""
    return Project(
        packaged_app(), manifests.read_manifest(manifest) if manifest else manifests.shipped()
    )


def packaged_app() -> App:
    """The shop that ships with flashsale."""
    import flashsale

    folder = Path(flashsale.__file__).parent / "shop"
    return App(folder, packaged_dockerfile(folder))


def packaged_dockerfile(shop: Path) -> Path:
    """Find the Dockerfile: the wheel has it beside the shop, a checkout at its top."""
    beside = shop / DOCKERFILE
    return beside if beside.exists() else shop.parent.parent / DOCKERFILE


def from_folder(folder: Path, manifest: Path | None = None) -> Project:
    """A learner's own files; each that is not there is the packaged one.

    Args:
        manifest: this one instead of the folder's.

    Raises:
        BadInputError: the folder has none of the three, or one of them under another name.
    """
    present = _present(folder)
    if folder / DOCKERFILE not in present:
        near_misses.refuse_dockerfile(folder)
    if manifest is None and folder / manifests.FILE not in present:
        near_misses.refuse_manifests(folder)
    app = folder / APP in present or folder / DOCKERFILE in present
    ours = packaged_app()
    own = folder / DOCKERFILE if folder / DOCKERFILE in present else ours.dockerfile
    file = manifest or (folder / manifests.FILE if folder / manifests.FILE in present else None)
    return Project(
        App(folder, own) if app else ours,
        manifests.read_manifest(file) if file else manifests.shipped(),
        folder.absolute(),
    )


def from_last_time(before: str, manifest: Path | None = None) -> tuple[Project, str]:
    """Take the files that an open sale came from; the packaged ones if those are gone.

    Returns the project, and a line that says so.

    Args:
        before: the folder that `up` had last; empty for none.
        manifest: this one instead of the folder's.

    Raises:
        BadInputError: as :func:`from_folder` does.
    """
    if not before:
        return packaged(manifest), ""
    folder, here = Path(before), Path.cwd()
    if not folder.is_dir():
        return packaged(manifest), f"{folder}, where the app was, is gone: taking the packaged one."
    shown = folder.relative_to(here) if folder.is_relative_to(here) else folder
    return from_folder(folder, manifest), f"From {shown}, as last time; flashsale down forgets it."


def missing_command_line(project: Project) -> str:
    """Say in one line if nothing here names a command to run; empty if something does."""
    container = app_container(project.manifest.replicaset["spec"]["template"]["spec"]["containers"])
    if container.get("command") or container.get("args"):
        return ""
    file = project.app.dockerfile
    base, named = command_of(_text(file))
    if named or not base:
        return ""
    own = ": python3, which ends at once" if re.match(r"(?:\S*/)?python\b", base) else ", if any"
    return (
        f"{file} names no command: add {CMD}."
        f" Without one containers run what their base image {base} does{own}."
    )


def other_port_line(project: Project) -> str:
    """Say in one line if a Dockerfile exposes other ports than buyers are sent to; else nothing."""
    spec = project.manifest.replicaset["spec"]["template"]["spec"]
    known = sections(app_container(spec["containers"]), "ports")
    named = {port.get("name"): port.get("containerPort") for port in known}
    service = next(iter(sections(project.manifest.service, "spec", "ports")), {})
    target = service.get("targetPort") or service.get("port")
    target = named.get(target) if isinstance(target, str) else target
    try:
        line = lineage(parse_stages(_text(project.app.dockerfile)))
        words = [
            word
            for stage in line
            for instruction in stage.instructions
            if instruction.keyword == "EXPOSE"
            for word in instruction.value().split()
            if "udp" not in word
        ]
    except BadInputError:
        return ""
    exposed = [word.partition("/")[0] for word in words]
    if not exposed or not target or str(target) in exposed or any("-" in port for port in exposed):
        return ""
    source, mended = project.manifest.source, "write it there as targetPort and containerPort"
    if source == manifests.FILE and project.folder:  # the packaged one
        file = quoted(project.folder / manifests.FILE)
        mended = f"`flashsale manifest > {file}` writes one in which you can change that"
    return (
        f"{project.app.dockerfile} exposes {joined(exposed)}, but buyers are sent to port {target}"
        f" of a pod, as {source} says: {mended}."
    )


def command_of(dockerfile: str) -> tuple[str, bool]:
    """Find what a Dockerfile's last stage is based on, and whether it names a command.

    A stage that is based on an earlier one has that one's command.
    """
    try:
        line = lineage(parse_stages(dockerfile))
    except BadInputError:
        return "", False  # the builder says what is wrong
    words = [instruction.keyword for stage in line for instruction in stage.instructions]
    return line[0].base, "CMD" in words or "ENTRYPOINT" in words


def init(folder: Path) -> list[Path]:
    """Write the three files into a folder, which is created where needed.

    Raises:
        RefusedError: one of them is there already; nothing was written.
        BadInputError: the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise BadInputError(f"{folder} is a file, not a folder.", hint="flashsale init sale")
    there = [name for name in NAMES if (folder / name).exists() or (folder / name).is_symlink()]
    if there:
        whole = f"flashsale up {quoted(folder)}"
        another = f"flashsale init {quoted(folder / 'sale')}"
        raise RefusedError(
            f"{folder / there[0]} is there already, and init overwrites nothing.",
            hint=whole if len(there) == len(NAMES) else another,
        )
    app = packaged_app()
    texts = (
        (app.folder / APP).read_text(),
        app.dockerfile.read_text(),
        manifests.shipped_text(),
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(NAMES, texts, strict=True):
        with (folder / name).open("x") as file:  # x: not even a file that came just now
            file.write(text)
    return [folder / name for name in NAMES]


def _text(file: Path) -> str:
    """Read a Dockerfile; what is wrong with one is the builder's to say."""
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""


def _present(folder: Path) -> list[Path]:
    if folder.is_file():
        is_manifest = folder.suffix in (".yaml", ".yml", ".json")
        hint = f"--manifest {quoted(folder)}" if is_manifest else quoted(folder.parent)
        raise BadInputError(f"{folder} is a file, not a folder.", hint=f"flashsale up {hint}")
    if not folder.is_dir():
        raise BadInputError(f"There is no folder {folder}.", hint=_init(folder))
    present = [folder / name for name in NAMES if (folder / name).is_file()]
    if not present:
        near_misses.refuse_dockerfile(folder)
        near_misses.refuse_manifests(folder)
        raise BadInputError(f"{folder} has none of {', '.join(NAMES)}.", hint=_init(folder))
    return present


def _init(folder: Path) -> str:
    return Hint(f"flashsale init {quoted(folder)}", "writes them")
