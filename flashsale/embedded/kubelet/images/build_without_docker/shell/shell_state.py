"""What one RUN has changed so far for the commands after it, and why those that fail do."""

from __future__ import annotations

import errno
import os
import posixpath
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from flashsale.base.dockerfile.dockerfile_words import expand
from flashsale.base.dockerfile.instructions import Instruction
from flashsale.embedded.kubelet.images.build_without_docker.base_images import may_bring, shell_of
from flashsale.embedded.kubelet.images.build_without_docker.image_recipe import (
    ImageRecipe,
    inside,
    shorten,
)
from flashsale.embedded.kubelet.images.image_files import MAX_BYTES, ImageFile, absolute

# Variables that images of Python have, or shells, and whose values are not known here.
OF_BASE = {
    *("PYTHON_VERSION", "PYTHON_SHA256", "PYTHON_PIP_VERSION", "GPG_KEY", "LANG", "HOSTNAME"),
    *("UID", "EUID", "BASH_VERSION"),
}
BASH_ALONE = (
    'the /bin/sh of this base image is dash, which lacks it; SHELL ["/bin/bash", "-c"] above helps'
)
# What these add is no file that an app's own commands name.
_NO_FILES = ("apt", "apk ", "yum ", "dnf ", "microdnf ", "chmod ")
Status = bool | None  # whether a command succeeds; None if that cannot be told


class ExitError(Exception):
    """A script ends itself."""

    def __init__(self, status: Status) -> None:
        self.status = status


@dataclass(slots=True)
class Shell:
    """What one RUN has changed so far for the commands after it."""

    recipe: ImageRecipe
    instruction: Instruction
    folder: str
    variables: dict[str, str]
    run_script: Callable[[Shell, str], Status]
    dialect: str = "dash"  # whose rules hold: dash's, bash's, or those of a shell between them
    skipped: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)  # by echo, to nobody
    failures: list[str] = field(default_factory=list)  # why commands failed, in order
    unknown: set[str] = field(default_factory=set)  # variables whose values cannot be told
    is_tested: bool = False  # whether it fails is asked by `if`, `!`, `&&` or `||`
    ends_on_failure: bool = False  # `set -e`
    depth: int = 0  # how many scripts have called one another

    def filled(self, text: str) -> str:
        """Replace variables; quotes and escapes stay.

        Raises:
            ValueError: a shell alone could tell.
        """
        return expand(text, self.variables, has_quotes=False, keeps_escapes=True)

    def path(self, word: str) -> str:
        """Return a word as a path of the image."""
        home = self.variables["HOME"]
        path = absolute(self.folder, home + word[1:] if word.startswith("~") else word)
        return self.recipe.files.in_real_folder(path)

    def paths(self, words: Sequence[str]) -> list[str]:
        """Return the paths that words mean, wildcards included.

        Raises:
            FileNotFoundError: one of them means nothing.
        """
        result = []
        for word in words:
            found_paths = self.recipe.files.matching(self.path(word))
            if not found_paths:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), word)
            result += found_paths
        return result

    def new_path(self, word: str) -> str:
        """Return the path that a word means, for what a command puts there.

        Raises:
            OSError: there is no folder for it, or a file where that should be.
        """
        path = self.path(word)
        folder = posixpath.dirname(path)
        if not self.recipe.files.is_folder(folder) and not self.may_have(folder):
            code = errno.ENOTDIR if self.recipe.files.get(folder) else errno.ENOENT
            raise OSError(code, os.strerror(code), word)
        return path

    def may_have(self, path: str) -> bool:
        """Whether something may lie at a path that is not known of here."""
        return not self.is_certain or self.comes_with_packages(path)

    def comes_with_packages(self, path: str) -> bool:
        """Whether something may lie at a path because of the base image or what is installed."""
        recipe = self.recipe
        places = (*(each.strip("/") for each in recipe.environments), *recipe.package_folders)
        return may_bring(path) or any(inside(path, place) for place in places)

    @property
    def is_certain(self) -> bool:
        """Whether all files are known, apart from those that Python's base images have."""
        return not self.recipe.has_unknown_files and bool(shell_of(self.recipe.base))

    def remember(self, status: Status) -> None:
        """Set `$?` to how a command ended."""
        self.variables["?"] = str(int(status is False))
        self.unknown -= {"?"}
        self.unknown |= {"?"} if status is None else set()

    def skip(self, raw: str) -> Status:
        """Remember a command that is not followed."""
        self.skipped.append(" ".join(raw.split()))
        self.recipe.has_unknown_files |= not raw.startswith(_NO_FILES)
        return None

    def fail(self, command: str, why: str = "") -> Status:
        """Note that a command fails, and why."""
        self.failures.append(f"{shorten(' '.join(command.split()))} fails{why and f': {why}'}")
        return False


def positional(words: Sequence[str]) -> dict[str, str]:
    """Return `$0`, `$1`, `$@` and `$#` for the name of a script and its arguments."""
    numbered = {str(number): word for number, word in enumerate(words)}
    rest = " ".join(words[1:])
    return {**numbered, "@": rest, "*": rest, "#": str(max(len(words) - 1, 0))}


def own_dialect(recipe: ImageRecipe) -> str:
    """Return whose rules hold in an image's /bin/sh."""
    return shell_of(recipe.base) or "ash"


def write_text(shell: Shell, text: bytes, target: str, *, appends: bool) -> None:
    """Write what a command prints into a file.

    Raises:
        OSError: it cannot be written: a folder is missing, or it is one itself.
    """
    path = shell.recipe.files.real(shell.new_path(target))
    before = shell.recipe.files.get(path)
    content = (before.read() if before and appends else b"") + text
    if len(content) > MAX_BYTES:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), f"/{path}")
    new = replace(before, source=content) if before and not before.is_folder else None
    shell.recipe.files.put(path, new or ImageFile(content))
