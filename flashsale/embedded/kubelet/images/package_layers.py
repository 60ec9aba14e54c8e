"""The packages of images: virtual environments, each named by what was installed into it.

    root/HEX/...   root/HEX/.complete   root/HEX.lock   root/wheels/*.whl

Two images that install the same have the same environment. It is made where it stays, for the
programs in it name the interpreter by its path; the file that is written last says that it is
whole.

uv installs without a network what is in its cache. pip asks the index even for what it has cached,
so what it has installed is kept as wheels, for when the index does not answer.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import venv
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.files import replace_file
from flashsale.embedded.kubelet.images.image_files import ImageFiles, absolute
from flashsale.embedded.kubelet.images.install_ways import (
    NOT_THERE,
    Way,
    another_may_do,
    install_environment,
    installed,
    lacks_network,
    located,
    ways,
)

if TYPE_CHECKING:
    from flashsale.embedded.kubelet.images.build_without_docker.install_commands import Install

COMPLETE = ".complete"
WHEELS = "wheels"
TOOLS = "tools"  # a folder of environments that hold poetry, uv and pipenv, not the app's packages
LAST_LINES = 15  # of the output, shown when it failed
_CERTIFICATE = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "UnknownIssuer")
Emit = Callable[[str], None]


class InstallError(FlashsaleError):
    """A command of RUN that installs packages failed."""

    def __init__(self, install: Install, lines: Sequence[str]) -> None:
        output = "\n".join(lines)
        self.offline = lacks_network(lines)
        hint = Hint("flashsale up", "after you mended what it names")
        if any(word in output for word in _CERTIFICATE):
            hint = Hint(
                "export PIP_CERT=FILE && flashsale up", "with your network's CA certificate"
            )
        elif self.offline:
            hint = Hint("flashsale up", "once the package index can be reached (see PIP_INDEX_URL)")
        super().__init__(f"{install.place}: {install.text} failed.", hint=hint, details=output)


class PackageLayers:
    """The environments in a folder. Any number of processes may use the same one."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._running: subprocess.Popen[bytes] | None = None
        self._cancelled = threading.Event()
        self._tools: PackageLayers | None = None  # made when a tool is missing

    def path(self, identity: str) -> Path:
        return self._root / identity

    def provide(self, installs: Sequence[Install], emit: Emit) -> str:
        """Make the environment that some commands lead to, or find it; returns its identity.

        Args:
            emit: gets each line that the commands print.

        Raises:
            InstallError: a command failed; its last lines are in the details.
            OSError: the disk refuses.
        """
        named = [sys.version, sys.base_prefix, [install.fingerprint() for install in installs]]
        identity = hashlib.sha256(json.dumps(named).encode()).hexdigest()
        place = self.path(identity)
        if not (place / COMPLETE).exists():
            self._root.mkdir(parents=True, exist_ok=True)
            with _locked(self._root / f"{identity}.lock"):
                if not (place / COMPLETE).exists():
                    self._make(place, installs, emit)
        return identity

    def collect(self, used: set[str]) -> int:
        """Remove the environments that are not in use; returns the bytes that this freed."""
        freed = 0
        with contextlib.suppress(FileNotFoundError):
            for entry in self._root.iterdir():
                if entry.is_dir() and entry.name not in used and (entry / COMPLETE).exists():
                    freed += disk_usage(entry)
                    (entry / COMPLETE).unlink(missing_ok=True)
                    shutil.rmtree(entry, ignore_errors=True)
                    (self._root / f"{entry.name}.lock").unlink(missing_ok=True)
        return freed

    def cancel(self) -> None:
        """End the command that runs, from another thread."""
        self._cancelled.set()
        if self._tools:
            self._tools.cancel()
        if self._running:
            self._running.terminate()

    def _make(self, place: Path, installs: Sequence[Install], emit: Emit) -> None:
        shutil.rmtree(place, ignore_errors=True)
        try:
            venv.EnvBuilder(symlinks=True).create(place)
            for install in installs:
                with tempfile.TemporaryDirectory(prefix="flashsale-install-") as folder:
                    install.files.lay_out(Path(folder))
                    if not _is_found(install.tool, place):
                        self._provide_tool(install, place, emit)
                    self._install(install, place, Path(folder), emit)
                    _point_into_image(place, Path(folder))
            for install in installs:
                self._provide_tool(install, place, emit)
            (place / COMPLETE).write_text(
                "\n".join(wanted_install.text for wanted_install in installs) + "\n"
            )
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise

    def _provide_tool(self, install: Install, place: Path, emit: Emit) -> None:
        """Link poetry or uv beside the packages, for this machine's one is none that containers
        see. Without an index it is left out: there may be another way."""
        name, program = install.tool, place / "bin" / install.tool
        if name == "pip" or program.exists() or (shutil.which(name) or "").startswith("/usr/"):
            return
        version = install.env.get(f"{name.upper()}_VERSION", "")
        wanted = f"{name}=={version}" if version else name
        self._tools = self._tools or PackageLayers(self._root / TOOLS)
        from flashsale.embedded.kubelet.images.build_without_docker.install_commands import Install

        with contextlib.suppress(InstallError):
            command = Install("pip", ("install", wanted), "/", ImageFiles(), place=install.place)
            identity = self._tools.provide([command], emit)
            program.symlink_to(self._tools.path(identity) / "bin" / name)

    def _install(self, install: Install, place: Path, root: Path, emit: Emit) -> None:
        emit(install.text)
        cwd = root / absolute("/", install.folder)
        cwd.mkdir(parents=True, exist_ok=True)
        words = [located(root, word) for word in install.words]
        env = install_environment(install.env, place)
        wheels = self._root / WHEELS
        if wheels.is_dir():
            env.setdefault("PIP_RETRIES", "2")  # pip's own five take 8 s, and there is another way
        code, lines = 1, deque[str](maxlen=LAST_LINES)
        failed: list[str] = []  # what the first way that is not for lack of a network printed
        for way in ways(install.tool, words, place, wheels):
            if way.offline and failed and not lacks_network(failed):
                continue
            lines.clear()
            code = self._run(way.argv, cwd, env, emit, lines)
            if code == 0:
                if way.pip and not way.offline:  # else it was kept before
                    self._keep_wheels(install, way, place, cwd, env)
                return
            if not way.offline:
                failed = list(lines)
            if self._cancelled.is_set() or not another_may_do(install.tool, way, code, lines):
                break
        raise InstallError(install, failed or list(lines) or [f"exit code {code}"])

    def _keep_wheels(
        self, install: Install, way: Way, place: Path, cwd: Path, env: Mapping[str, str]
    ) -> None:
        """Keep what pip has installed; the files come out of its cache. It need not succeed."""
        from flashsale.embedded.kubelet.images.build_without_docker.install_commands import (
            build_requirements,
            wheel_words,
        )

        wheels = self._root / WHEELS
        kept = [file.name for file in wheels.glob("*.whl")]
        with contextlib.suppress(ValueError):  # a name or a version that only pip can read
            if words := wheel_words(way.words, installed(place), build_requirements(install), kept):
                argv = [*way.pip, "wheel", "--quiet", "--wheel-dir", str(wheels), *words]
                self._run(argv, cwd, env, lambda line: None, deque(maxlen=0))

    def _run(
        self, argv: Sequence[str], cwd: Path, env: Mapping[str, str], emit: Emit,
        lines: deque[str],
    ) -> int:  # fmt: skip
        if self._cancelled.is_set():
            return 1
        try:
            process = subprocess.Popen(
                argv, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            lines.append(f"{argv[0]}: {error.strerror}")
            return NOT_THERE
        self._running = process
        with process:
            assert process.stdout is not None
            for raw in process.stdout:
                if line := raw.decode(errors="replace").rstrip():
                    lines.append(line)
                    emit(line)
        self._running = None
        return process.returncode


def _is_found(tool: str, place: Path) -> bool:
    return tool == "pip" or (place / "bin" / tool).exists() or bool(shutil.which(tool))


def _point_into_image(place: Path, root: Path) -> None:
    """Let what was installed as editable mean the image's files, not those laid out to install."""
    packages = next(place.glob("lib/python*/site-packages"), place)
    for pattern in ("*.pth", "__editable__*.py", "*.dist-info/direct_url.json"):
        for file in packages.glob(pattern):
            text = before = file.read_text()
            for name in {str(root.resolve()), str(root)}:
                text = text.replace(f"{name}/", "/")
            if text != before:
                replace_file(file, text)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def disk_usage(folder: Path) -> int:
    """Return the bytes of all files in a folder, each counted once however it is linked."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                status = os.lstat(os.path.join(where, name))
                if (key := (status.st_dev, status.st_ino)) not in seen:
                    seen.add(key)
                    total += status.st_size
    return total
