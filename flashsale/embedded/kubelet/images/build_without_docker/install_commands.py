"""`pip install` and its like as values: what is asked for, and whether it is there already."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from urllib.parse import unquote, urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from flashsale.embedded.kubelet.images.build_without_docker.install_words import FILES, WITH_VALUE
from flashsale.embedded.kubelet.images.image_files import ImageFiles, absolute
from flashsale.embedded.kubelet.images.install_ways import Package

_OF_INSTALL_ALONE = ("-U", "--upgrade", "--force-reinstall", "-I", "--ignore-installed",
                     "--no-warn-conflicts", "--dry-run", "-e", "--editable",
                     "--upgrade-strategy")  # fmt: skip
_BUILDS_BY_DEFAULT = ("setuptools>=40.8.0", "wheel")  # without a pyproject.toml
_TOOLS = ("pip", "setuptools", "wheel")  # brought by the base image, renewed by many a Dockerfile
_PROJECT_FILES = ("pyproject.toml", "poetry.lock", "uv.lock", "Pipfile", "Pipfile.lock",
                  "setup.py", "setup.cfg")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Install:
    """One command that installs packages, where it stands."""

    tool: str  # pip, poetry, uv, pipenv
    words: tuple[str, ...]  # after the tool's name: install -r requirements.txt
    folder: str  # of the image, where it runs
    files: ImageFiles = field(compare=False)  # as they are at that point
    env: Mapping[str, str] = field(default_factory=dict)
    place: str = ""  # Dockerfile:7, for messages

    @property
    def text(self) -> str:
        """The command as a person would type it."""
        return " ".join((self.tool, *self.words))

    def fingerprint(self) -> str:
        """Name all that the outcome depends on."""
        named = [absolute(self.folder, word) for word in self.words]
        if self.tool != "pip":
            named += [absolute(self.folder, name) for name in _PROJECT_FILES]
            named += [] if "--no-root" in self.words else [absolute(self.folder, ".")]
        contents = {name: self._digest(name) for name in named if self.files.get(name) is not None}
        described = [self.tool, self.words, self.folder, sorted(self.env.items()), contents]
        return hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()

    def _digest(self, name: str) -> str:
        digest = hashlib.sha256()
        entry = self.files.get(name)
        for path, each in [("", entry), *self.files.below(name)]:
            if each and not each.is_folder:
                digest.update(f"{path}\0{each.link}\0".encode() + each.read())
        return digest.hexdigest()

    def requirements(self) -> list[Requirement] | None:
        """Return what is asked for; None if only the tool itself can tell."""
        if self.tool != "pip":
            return None
        try:
            return list(self._requirements(self.words[1:], self.folder))
        except (InvalidRequirement, UnicodeDecodeError, OSError):
            return None

    def _requirements(self, words: Sequence[str], folder: str) -> list[Requirement]:
        result: list[Requirement] = []
        rest = iter(words)
        for word in rest:
            option, _, value = word.partition("=") if word.startswith("--") else (word, "", "")
            if word.startswith(("-r", "-c")) and len(word) > 2:
                option, value = word[:2], word[2:]
            if option in FILES:
                path = absolute(folder, value or next(rest, ""))
                lines = self._listed(path, posixpath.dirname(path))
                result += lines if option in ("-r", "--requirement") else []
            elif option in WITH_VALUE:
                value or next(rest, "")
            elif option in ("-e", "--editable"):
                raise InvalidRequirement(word)
            elif not word.startswith("-"):
                result.append(Requirement(word))
        return result

    def _listed(self, path: str, folder: str) -> list[Requirement]:
        entry = self.files.get(path)
        if entry is None:
            raise FileNotFoundError(path)
        result: list[Requirement] = []
        for line in entry.read().decode().replace("\\\n", " ").splitlines():
            text = f" {line}".split(" #")[0].strip()
            if text.startswith("-"):
                result += self._requirements(text.split(), folder)
            elif text:
                result.append(Requirement(text.split(" --hash")[0]))
        return result


def is_satisfied(install: Install) -> bool:
    """Whether all that it asks for is in flashsale's own environment, in a version that will do."""
    wanted = install.requirements()
    return wanted is not None and all(map(_is_installed, wanted))


def is_available(install: Install) -> bool:
    """The same, in whatever version."""
    wanted = install.requirements()
    return wanted is not None and all(_version(with_extra) for with_extra in _with_extras(wanted))


def _is_installed(wanted: Requirement) -> bool:
    if wanted.marker and not wanted.marker.evaluate():
        return True
    if wanted.name.lower() in _TOOLS and not wanted.specifier:
        return True
    version = _version(wanted)
    fits = bool(version) and wanted.specifier.contains(version, prereleases=True)
    return fits and not wanted.url and all(map(_is_installed, _of_extras(wanted)))


def _with_extras(wanted: Iterable[Requirement]) -> Iterator[Requirement]:
    for requirement in wanted:
        yield requirement
        yield from _of_extras(requirement)


def _of_extras(wanted: Requirement) -> Iterator[Requirement]:
    """Yield what `[extra]` asks for besides, of a package that is there."""
    for line in metadata.requires(wanted.name) or [] if _version(wanted) else []:
        requirement = Requirement(line)
        marker = requirement.marker
        if marker is None or marker.evaluate({"extra": ""}):
            continue
        if any(marker.evaluate({"extra": extra}) for extra in wanted.extras):
            requirement.marker = None
            yield requirement


def _version(wanted: Requirement) -> str:
    try:
        return metadata.version(wanted.name)
    except metadata.PackageNotFoundError:
        return ""


def split_off_collected(
    words: Sequence[str], stand_for: Callable[[str], list[Install]]
) -> tuple[list[Install], tuple[str, ...]]:
    """Split what earlier commands collected off the words of `pip install`; returns the rest, too.

    Args:
        stand_for: tells what the files stand for that a word names.
    """
    installs: list[Install] = []
    kept: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        option, sign, value = word.partition("=")
        takes = option in ("-f", "--find-links", *FILES)
        value = (value if sign else next(rest, "")) if takes else word
        collected = stand_for(value) if takes or not word.startswith("-") else []
        installs += [install for install in collected if install not in installs]
        if not collected:
            kept += [word, value] if takes and not sign else [word]
    if not installs:
        return [], tuple(words)
    if "--no-index" in kept or all(word.startswith("-") for word in kept):
        kept = []
    return installs, ("install", *kept)


def wheel_words(
    words: Sequence[str], packages: Sequence[Package], builds: Sequence[str], kept: Sequence[str]
) -> list[str]:
    """Return the words for `pip wheel` to keep what `pip install` has fetched; none if all is kept.

    Args:
        words: after `pip install`.
        builds: requirements of what builds the app.
        kept: names of the wheels that are there.
    """
    files = [
        (unquote(posixpath.basename(urlsplit(package.url).path)), package) for package in packages
    ]
    urls = [package.url for name, package in files if name.endswith(".whl") and name not in kept]
    sources = [
        f"{package.name}=={package.version}" for name, package in files if not name.endswith(".whl")
    ]
    named = [*sources, *builds]
    wanted = [requirement for requirement in named if not _is_kept(Requirement(requirement), kept)]
    if wanted:
        return [*_options(words), *urls, *wanted]
    return ["--no-deps", *_options(words, files=False), *urls] if urls else []


def _is_kept(wanted: Requirement, kept: Sequence[str]) -> bool:
    name = canonicalize_name(wanted.name)
    wheels = [parse_wheel_filename(file_name)[:2] for file_name in kept]
    return any(name == own and wanted.specifier.contains(version) for own, version in wheels)


def _options(words: Sequence[str], files: bool = True) -> Iterator[str]:
    """Yield the options of `pip install` that `pip wheel` takes as well."""
    rest = iter(words)
    for word in rest:
        option, sign, _ = word.partition("=")
        takes = option in (*WITH_VALUE, *FILES, "-e", "--editable", "--upgrade-strategy")
        value = [next(rest, "")] if takes and not sign else []
        named = () if files else FILES
        if word.startswith("-") and option not in (*_OF_INSTALL_ALONE, *named):
            yield from (word, *value)


def build_requirements(install: Install) -> list[str]:
    """Return what builds the app itself, where it is what is installed (PEP 518)."""
    if install.tool == "pip" and not any(re.fullmatch(r"\./?(\[.*\])?", w) for w in install.words):
        return []
    entry = install.files.get(absolute(install.folder, "pyproject.toml"))
    try:
        system = tomllib.loads(entry.read().decode()).get("build-system") if entry else None
        return list(map(str, (system or {}).get("requires", _BUILDS_BY_DEFAULT)))
    except (ValueError, AttributeError, TypeError, OSError):
        return []
