"""COPY and ADD, as BuildKit does them: from the app folder, from another stage, from a document."""

from __future__ import annotations

import os
import posixpath
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from flashsale.base.dockerfile.dockerignore import Ignore, compile_pattern
from flashsale.base.dockerfile.instructions import Instruction
from flashsale.base.errors import Hint
from flashsale.base.known_images import foreign_language
from flashsale.base.text import quoted
from flashsale.embedded.kubelet.images.build_without_docker.base_images import may_bring
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import (
    ForeignFile,
    ImageRecipe,
    skip,
)
from flashsale.embedded.kubelet.images.build_without_docker.install_words import TOOL_SCRIPTS
from flashsale.embedded.kubelet.images.image_files import (
    FILE_MODE,
    FOLDER_MODE,
    MAX_BYTES,
    PROGRAM_MODE,
    ImageFile,
    ImageFiles,
    absolute,
    new_mode,
)

NEVER_THERE = "is part of no image unless .dockerignore says so"
_MOUNT = re.compile(r"(?:^|\s)--mount=(\S+)")


@dataclass(slots=True)
class AppFolder:
    """The build context."""

    folder: Path
    _files: ImageFiles | None = field(default=None)

    @property
    def files(self) -> ImageFiles:
        """All that may be copied; read when it is first needed."""
        if self._files is None:
            self._files = _read(self.folder)
        return self._files


def _read(folder: Path) -> ImageFiles:
    files = ImageFiles()
    for name in Ignore.of(folder).walk(folder):
        path = folder / name
        if path.is_symlink():
            files.entries[name] = ImageFile(mode=0o777, link=os.readlink(path))
        elif path.is_dir():
            files.entries[name] = ImageFile(mode=FOLDER_MODE)
        elif path.is_file():
            mode = PROGRAM_MODE if path.stat().st_mode & 0o100 else FILE_MODE
            files.entries[name] = ImageFile(path, mode)
    return files


def copy(
    recipe: ImageRecipe, instruction: Instruction, app: AppFolder, stage: ImageRecipe | None
) -> None:
    """Follow COPY or ADD.

    Args:
        stage: where `--from` points, if that is a stage.

    Raises:
        BadInputError: a source is not there, or cannot be had here.
    """
    flags = instruction.flags()[0]
    if "from" in flags and stage is None:
        if "astral-sh/uv" in flags["from"]:  # uv is used as far as this machine has it
            place = absolute(recipe.workdir, (instruction.words() or [""])[-1])
            recipe.has_unknown_files |= not may_bring(place)
        else:
            skip(recipe, instruction, f"files of the image {flags['from']} cannot be had here")
        return
    recipe.has_unknown_files |= stage is not None and stage.has_unknown_files
    *sources, target = instruction.words() or [""]
    if not sources:
        raise instruction.wrong(f"{instruction.keyword} needs a source and a destination")
    if len(sources) > 1 and posixpath.basename(target) not in ("", ".", ".."):
        raise instruction.wrong(
            f"with several sources the destination has to be a folder: {target}/"
        )
    origin = stage.files if stage else app.files
    place = recipe.files.in_real_folder(absolute(recipe.workdir, target))
    if recipe.files.is_folder(recipe.files.real(place)):
        place = recipe.files.real(place)
    for source in sources:
        if held := _held(instruction, source):
            name = held[0] if _is_folder(recipe, target, place) else ""
            path = posixpath.join(place, name) if name else place
            recipe.files.put(path, _changed(held[1], instruction))
            continue
        matching = _find(recipe, instruction, source, place, origin, stage, app)
        keeps_folders = flags.get("parents", "false") != "false"
        into = _is_folder(recipe, target, place) or len(matching) > 1 or keeps_folders
        for path in matching:
            if archive := _archive(instruction, origin.get(path)):
                _unpack(recipe, instruction, archive, place)
                continue
            kept = _kept_folders(source, path, origin) if keeps_folders else ""
            below = posixpath.join(place, kept) if kept else place
            _place(recipe, instruction, origin, path, below, into)


def bind_mounts(
    recipe: ImageRecipe,
    instruction: Instruction,
    app: AppFolder,
    stage_of: Callable[[str], ImageRecipe | None],
) -> dict[str, ImageFile]:
    """Return what `RUN --mount` lays out, by its path in the image: files, or an empty folder."""
    mounts: dict[str, ImageFile] = {}
    for options in _MOUNT.findall(instruction.text):
        given = dict(part.partition("=")[::2] for part in options.split(","))
        target = given.get("target") or given.get("dst") or given.get("destination") or ""
        place = absolute(recipe.workdir, target)
        if given.get("type", "bind") != "bind":
            mounts |= {place: ImageFile(mode=FOLDER_MODE)} if given["type"] != "secret" else {}
            continue
        stage = stage_of(given["from"]) if "from" in given else None
        if "from" in given and stage is None:
            continue  # another image's files
        origin = stage.files if stage else app.files
        source = absolute("/", given.get("source") or given.get("src") or ".")
        entry = origin.get(source) if source else None
        if entry and not entry.is_folder:
            mounts[place] = entry
            continue
        for name, each in origin.below(source):
            if not each.is_folder:
                mounts[posixpath.join(place, name)] = each
    return mounts


def _held(instruction: Instruction, source: str) -> tuple[str, ImageFile] | None:
    """Return name and content of what is no file: a here-document, or a tool's installer, which
    has nothing to do here."""
    for document in instruction.documents:
        if f"<<{document.name}" == _plain(source):
            return document.name, ImageFile(document.body.encode())
    if instruction.keyword == "ADD" and any(tool in source for tool in TOOL_SCRIPTS):
        return posixpath.basename(source), ImageFile(b"#!/bin/sh\n", PROGRAM_MODE)
    return None


def _plain(source: str) -> str:
    return source.replace("<<-", "<<").replace("'", "").replace('"', "")


def _is_folder(recipe: ImageRecipe, target: str, place: str) -> bool:
    return posixpath.basename(target) in ("", ".", "..") or recipe.files.is_folder(place)


def _find(
    recipe: ImageRecipe,
    instruction: Instruction,
    source: str,
    place: str,
    origin: ImageFiles,
    stage: ImageRecipe | None,
    app: AppFolder,
) -> list[str]:
    """Find what a source names. A pattern may match nothing, as it may for BuildKit."""
    if instruction.keyword == "ADD" and "://" in source:
        raise instruction.wrong(
            f"ADD {source} would have to be fetched, which the embedded cluster does not do",
            hint=Hint(f"curl -fLO {quoted(source)}", "in the app folder, and COPY instead of ADD"),
        )
    path = absolute("/", source)
    brings_packages = stage is not None and recipe.take_packages(stage, path, place)
    if entries := origin.matching(origin.in_real_folder(path)):
        named = origin.get(entries[0])
        if named and named.link and not stage and origin.follow(entries[0]) is None:
            raise instruction.wrong(
                f"{instruction.keyword} names {source}, a link to {named.link}, which is not in"
                f" {app.folder}"
            )
        return entries
    if brings_packages or any(char in source for char in "*?["):
        return []
    if stage:
        if stage.skipped or stage.installs:
            skip(
                recipe,
                instruction,
                "an earlier stage would make it with a command that is not run here",
            )
            if other := foreign_language(stage.base):
                recipe.foreign += (ForeignFile(place, other, instruction),)
            return []
        raise instruction.wrong(f"{instruction.keyword} names {source}, which is not in that stage")
    if source.startswith("../"):
        raise instruction.wrong(f"{source} lies outside the app folder {app.folder}")
    why = _why_not(path, app.folder)
    hint = f"echo {quoted(f'!{path}')} >> {quoted(app.folder / '.dockerignore')}"
    hint = hint if why == NEVER_THERE and not any(map(str.isspace, path)) else ""
    raise instruction.wrong(f"{instruction.keyword} names {source}, which {why}", hint=hint)


def _why_not(path: str, folder: Path) -> str:
    """Say why the build context has no such file."""
    if not os.path.lexists(folder / path):
        return f"is not in {folder}"
    if Ignore.of(None).leaves_out(path):
        return NEVER_THERE
    return f"{folder / '.dockerignore'} leaves out"


def _archive(instruction: Instruction, entry: ImageFile | None) -> Path | None:
    """Return the file of an entry if ADD unpacks it: a tar archive of the app folder."""
    source = entry.source if entry else None
    wanted = instruction.keyword == "ADD" and instruction.flags()[0].get("unpack") != "false"
    return source if wanted and isinstance(source, Path) and tarfile.is_tarfile(source) else None


def _unpack(recipe: ImageRecipe, instruction: Instruction, archive: Path, place: str) -> None:
    """Unpack an archive into a folder of the image; nothing in it leads out of the image."""
    recipe.files.make_folder(place)
    left = MAX_BYTES
    with tarfile.open(archive) as members:
        for member in members:
            path, mode = absolute(f"/{place}", member.name), member.mode & 0o777
            left -= member.size
            if left < 0:
                raise instruction.wrong(
                    f"{archive.name} holds more than {MAX_BYTES // 1024 // 1024} MiB"
                )
            if member.isdir():
                recipe.files.make_folder(path)
            elif member.issym():
                recipe.files.put(path, ImageFile(mode=0o777, link=member.linkname))
            elif data := members.extractfile(member):  # of a hard link, too
                recipe.files.put(path, _changed(ImageFile(data.read(), mode), instruction))


def _kept_folders(source: str, path: str, origin: ImageFiles) -> str:
    """Return the folder below the destination in which `--parents` puts a path that was found:
    its own, from the root of the context or from `/./` on."""
    pivot = absolute("/", source.partition("/./")[0]) if "/./" in source else ""
    below = path.split("/")[pivot.count("/") + 1 if pivot else 0 :]
    return "/".join(below if origin.is_folder(path) else below[:-1])


def _place(
    recipe: ImageRecipe,
    instruction: Instruction,
    origin: ImageFiles,
    path: str,
    place: str,
    into: bool,
) -> None:
    entry = origin.follow(path) or origin.get(path)  # a source that is a link is what it leads to
    assert entry is not None, "it was found just now"
    patterns = instruction.flags()[0].get("exclude", "").splitlines()
    excluded = [*map(compile_pattern, patterns)]
    if not entry.is_folder:
        target = posixpath.join(place, posixpath.basename(path)) if into else place
        recipe.files.put(target, _changed(entry, instruction))
        return
    recipe.files.make_folder(place)
    for name, each in list(origin.below(origin.real(path))):
        if not any(pattern.fullmatch(name) for pattern in excluded):
            recipe.files.put(posixpath.join(place, name), _changed(each, instruction))


def _changed(entry: ImageFile, instruction: Instruction) -> ImageFile:
    """Give an entry the mode of `--chmod`; a folder keeps what lets one enter it."""
    wanted = instruction.flags()[0].get("chmod")
    if not wanted or entry.link:
        return entry
    try:
        return replace(entry, mode=new_mode(entry.mode, wanted))
    except ValueError as error:
        raise instruction.wrong(f"--chmod={wanted} is not a mode") from error
