"""The three files of the exercise: the packaged ones, a learner's own, and handing them out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.addresses import typed_url
from flashsale.base.dockerfile.instructions import Instruction
from flashsale.base.dockerfile.stages import lineage, parse_stages
from flashsale.base.errors import BadInputError, Hint, RefusedError
from flashsale.base.text import joined, quoted
from flashsale.clusters.base import App
from flashsale.objects.fields import Section, sections
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
    return Project(packaged_app(), _manifest(manifest))


def packaged_app() -> App:
    """The shop; the wheel has its Dockerfile beside it, a checkout at its top."""
    import flashsale

    folder = Path(flashsale.__file__).parent / "shop"
    beside = folder / DOCKERFILE
    return App(folder, beside if beside.exists() else folder.parent.parent / DOCKERFILE)


def from_folder(folder: Path, manifest: Path | None = None) -> Project:
    """A learner's own files; each that is not there is the packaged one.

    Args:
        manifest: this one instead of the folder's.

    Raises:
        BadInputError: the folder has none of the three, or one of them under another name.
    """
    present = _present(folder)
    if DOCKERFILE not in present:
        near_misses.refuse_dockerfile(folder)
    if manifest is None and manifests.FILE in present:
        manifest = folder / manifests.FILE
    elif manifest is None:
        near_misses.refuse_manifests(folder)
    app = packaged_app()
    if APP in present or DOCKERFILE in present:
        app = App(folder, folder / DOCKERFILE if DOCKERFILE in present else app.dockerfile)
    return Project(app, _manifest(manifest), folder.absolute())


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


def dockerfile_notes(project: Project) -> list[str]:
    """Say in a line each where a Dockerfile has no command, or other ports than the manifest."""
    try:
        stages = lineage(parse_stages(project.app.dockerfile.read_text()))
    except (OSError, UnicodeDecodeError, BadInputError):
        return []  # the builder says what is wrong with it
    instructions = [instruction for stage in stages for instruction in stage.instructions]
    container = app_container(project.manifest.replicaset["spec"]["template"]["spec"]["containers"])
    lines = (
        _missing_command_line(project.app.dockerfile, container, stages[0].base, instructions),
        _other_port_line(project, container, instructions),
    )
    return [*filter(None, lines)]


def _missing_command_line(
    file: Path, container: Section, base: str, instructions: Sequence[Instruction]
) -> str:
    """Say if nothing names a command to run: a stage has that of the one it is based on."""
    if container.get("command") or container.get("args"):
        return ""
    if any(instruction.keyword in ("CMD", "ENTRYPOINT") for instruction in instructions):
        return ""
    own = ": python3, which ends at once" if re.match(r"(?:\S*/)?python\b", base) else ", if any"
    return (
        f"{file} names no command: add {CMD}."
        f" Without one containers run what their base image {base} does{own}."
    )


def _other_port_line(
    project: Project, container: Section, instructions: Sequence[Instruction]
) -> str:
    """Say if a Dockerfile exposes other ports than buyers are sent to."""
    ports = sections(container, "ports")
    named = {port.get("name"): port.get("containerPort") for port in ports}
    service = next(iter(sections(project.manifest.service, "spec", "ports")), {})
    target = service.get("targetPort") or service.get("port")
    target = named.get(target) if isinstance(target, str) else target
    exposed = [
        word.partition("/")[0]
        for instruction in instructions
        if instruction.keyword == "EXPOSE"
        for word in instruction.value().split()
        if "udp" not in word
    ]
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
    texts = ((app.folder / APP).read_text(), app.dockerfile.read_text(), manifests.shipped_text())
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in zip(NAMES, texts, strict=True):
        with (folder / name).open("x") as file:  # x: not even a file that came just now
            file.write(text)
    return [folder / name for name in NAMES]


def _manifest(file: Path | None) -> Manifest:
    return manifests.read_manifest(file) if file else manifests.shipped()


def _present(folder: Path) -> list[str]:
    if folder.is_file():
        is_manifest = folder.suffix in (".yaml", ".yml", ".json")
        hint = f"--manifest {quoted(folder)}" if is_manifest else quoted(folder.parent)
        raise BadInputError(f"{folder} is a file, not a folder.", hint=f"flashsale up {hint}")
    if not folder.is_dir():
        if url := typed_url(folder):
            name = folder.name.removesuffix(".git")
            clone = f"git clone {quoted(url)} && flashsale up {quoted(name)}"
            raise BadInputError(f"{url} is an address, not a folder of this machine.", hint=clone)
        raise BadInputError(f"There is no folder {folder}.", hint=_init(folder))
    present = [name for name in NAMES if (folder / name).is_file()]
    if not present:
        near_misses.refuse_dockerfile(folder)
        near_misses.refuse_manifests(folder)
        raise BadInputError(f"{folder} has none of {', '.join(NAMES)}.", hint=_init(folder))
    return present


def _init(folder: Path) -> str:
    return Hint(f"flashsale init {quoted(folder)}", "writes them")
