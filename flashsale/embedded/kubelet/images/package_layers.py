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
import importlib.util
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
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.base.files import replace_file
from flashsale.base.pip_settings import read_pip_settings
from flashsale.embedded.kubelet.images.image_files import ImageFiles, absolute

if TYPE_CHECKING:
    from flashsale.embedded.kubelet.images.install_commands import Install

COMPLETE = ".complete"
WHEELS = "wheels"
TOOLS = "tools"  # a folder of environments that hold poetry, uv and pipenv, not the app's packages
NOT_THERE = 127  # exit code of a program that is not installed, as shells have it
LAST_LINES = 15  # of the output, shown when it failed
_NETWORK = (
    "name resolution", "Connection refused", "Network is unreachable", "ProxyError", "timed out",
    "client error (Connect)", "dns error", "NewConnectionError", "Temporary failure",
    "error sending request", "network connectivity is disabled", "Failed to fetch",
)  # fmt: skip
_CERTIFICATE = ("CERTIFICATE_VERIFY_FAILED", "certificate verify failed", "UnknownIssuer")
Emit = Callable[[str], None]


class InstallError(FlashsaleError):
    """A command of RUN that installs packages failed."""

    def __init__(self, install: Install, lines: Sequence[str]) -> None:
        output = "\n".join(lines)
        self.offline = any(word in output for word in _NETWORK)
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
        """Return where an environment lies."""
        return self._root / identity

    def provide(self, installs: Sequence[Install], emit: Emit) -> str:
        """Make the environment that some commands lead to, or find it; returns its identity.

        Args:
            emit: gets each line that the commands print.

        Raises:
            InstallError: a command failed; its last lines are in the details.
            OSError: the disk refuses.
        """
        named = [sys.version, sys.base_prefix, [one.fingerprint() for one in installs]]
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
            (place / COMPLETE).write_text("\n".join(one.text for one in installs) + "\n")
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
        from flashsale.embedded.kubelet.images.install_commands import Install

        with contextlib.suppress(InstallError):
            command = Install("pip", ("install", wanted), "/", ImageFiles(), place=install.place)
            identity = self._tools.provide([command], emit)
            program.symlink_to(self._tools.path(identity) / "bin" / name)

    def _install(self, install: Install, place: Path, root: Path, emit: Emit) -> None:
        emit(install.text)
        cwd = root / absolute("/", install.folder)
        cwd.mkdir(parents=True, exist_ok=True)
        words = [_located(root, word) for word in install.words]
        env = _environment(install.env, place)
        wheels = self._root / WHEELS
        if wheels.is_dir():
            env.setdefault("PIP_RETRIES", "2")  # pip's own five take 8 s, and there is another way
        code, lines = 1, deque[str](maxlen=LAST_LINES)
        failed: list[str] = []  # what the first way that is not for lack of a network printed
        for way in ways(install.tool, words, place, wheels):
            if way.offline and failed and not _lacks_network(failed):
                continue
            lines.clear()
            code = self._run(way.argv, cwd, env, emit, lines)
            if code == 0:
                if way.pip and not way.offline:  # else it was kept before
                    self._keep_wheels(install, way, cwd, env)
                return
            if not way.offline:
                failed = list(lines)
            if self._cancelled.is_set() or not _another_may_do(install.tool, way, code, lines):
                break
        raise InstallError(install, failed or list(lines) or [f"exit code {code}"])

    def _keep_wheels(self, install: Install, way: Way, cwd: Path, env: Mapping[str, str]) -> None:
        """Keep what pip has installed; the files come out of its cache. It need not succeed."""
        from flashsale.embedded.kubelet.images.install_commands import (
            build_requirements,
            wheel_words,
        )

        words = [*wheel_words(way.words), *build_requirements(install)]
        argv = [*way.pip, "wheel", "--quiet", "--wheel-dir", str(self._root / WHEELS), *words]
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
                line = raw.decode(errors="replace").rstrip()
                if line:
                    lines.append(line)
                    emit(line)
        self._running = None
        return process.returncode


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a command that installs."""

    argv: tuple[str, ...]
    offline: bool = False  # with what was fetched before
    pip: tuple[str, ...] = ()  # the pip that it runs, if it does
    words: tuple[str, ...] = ()  # what that pip is to install

    def without_index(self, wheels: Path) -> Way:
        """The same with the wheels that were kept, and no index."""
        found = ("--no-index", "--find-links", str(wheels))
        argv = (*self.pip, "install", *found, *self.words)
        return Way(argv, True, self.pip, (*found, *self.words))


def ways(tool: str, words: Sequence[str], place: Path, wheels: Path) -> Iterator[Way]:
    """Yield the ways to run a command, the best first; the next is tried where one cannot do it."""
    python = str(place / "bin" / "python")
    if tool != "pip":
        # Packages of other commands lie in the same environment: they stay.
        kept = ("--inexact",) if tool == "uv" and "--inexact" not in words else ()
        yield Way((tool, *words, *kept))
        if tool in ("poetry", "uv", "pdm"):
            yield from ways("pip", ["install", "."], place, wheels)
        return
    rest = tuple(words[1:])
    if shutil.which("uv"):
        uv = ("uv", "pip", "install")
        yield Way((*uv, "--python", python, *rest))
        yield Way((*uv, "--offline", "--python", python, *rest), offline=True)
    pip: tuple[str, ...] = (sys.executable, "-m", "pip", "--python", python)
    first = (*pip, "install", *rest)
    if not importlib.util.find_spec("pip"):
        if not importlib.util.find_spec("ensurepip"):
            return
        pip = (python, "-m", "pip")
        script = '"$0" -m ensurepip && "$0" -m pip install "$@"'
        first = ("/bin/sh", "-c", script, python, *rest)
    with_index = Way(first, pip=pip, words=rest)
    yield with_index
    if wheels.is_dir():
        yield with_index.without_index(wheels)


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


def _another_may_do(tool: str, way: Way, code: int, lines: Sequence[str]) -> bool:
    """Whether the next way to run a command is worth a try after one has failed.

    What the project's own tool says counts, where it is there. uv leaves with 2 where it does not
    know an option, which pip may know; where the network failed, what is in the cache may do.
    """
    if way.argv[0] == tool:
        return code == NOT_THERE
    return way.argv[0] != "uv" or code in (2, NOT_THERE) or _lacks_network(lines)


def _lacks_network(lines: Sequence[str]) -> bool:
    """Whether the network is what failed, so that what is in the cache may do."""
    return any(word in line for line in lines for word in _NETWORK)


def _located(root: Path, word: str) -> str:
    """Let an absolute path of the image mean the file that was laid out."""
    inside = root / word.lstrip("/")
    return str(inside) if word.startswith("/") and inside.exists() else word


def _environment(own: Mapping[str, str], place: Path) -> dict[str, str]:
    """Return this machine's environment with what the Dockerfile adds; uv learns what pip knows."""
    env = {**os.environ, **own}
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_PYTHON",
                 "PIP_REQUIRE_VIRTUALENV", "PIP_NO_CACHE_DIR", "UV_SYSTEM_PYTHON", "UV_NO_CACHE",
                 "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX"):  # fmt: skip
        env.pop(name, None)
    pip = read_pip_settings(env, os_home(env))
    for option, name, joint in (
        ("index-url", "UV_DEFAULT_INDEX", " "),
        ("extra-index-url", "UV_INDEX", " "),
        ("find-links", "UV_FIND_LINKS", ","),
        ("trusted-host", "UV_INSECURE_HOST", " "),
        ("cert", "SSL_CERT_FILE", ""),
    ):
        value = env.get(f"PIP_{option.replace('-', '_').upper()}") or pip.get(option, "")
        if value and name not in env:
            env[name] = joint.join(value.split()) if joint else value
    if env.get("PIP_NO_INDEX") or pip.get("no-index"):
        env["UV_NO_INDEX"] = "1"
    path = os.pathsep.join([str(place / "bin"), env.get("PATH", os.defpath)])
    return env | {
        "VIRTUAL_ENV": str(place), "PATH": path, "UV_PROJECT_ENVIRONMENT": str(place),
        "UV_INDEX_STRATEGY": "unsafe-best-match",  # as pip: all indexes count alike
        "UV_PYTHON_DOWNLOADS": "never", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore",
        "POETRY_VIRTUALENVS_CREATE": "false", "PDM_IGNORE_SAVED_PYTHON": "1",
        "UV_NO_PROGRESS": "1", "PIP_PROGRESS_BAR": "off",
    }  # fmt: skip


def os_home(env: Mapping[str, str]) -> Path:
    """Return the user's own folder."""
    return Path(env.get("HOME") or Path.home())


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
