"""How a command that installs packages is run on this machine: by which tool, and with what set.

uv where it is there, else pip; without a network, with what was fetched before. Pure, but for what
this machine has.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.pip_settings import read_pip_settings
from flashsale.embedded.kubelet.images import pip_for_another

REPORT = ".installed.json"  # in the environment: what pip says that it has installed
NOT_THERE = 127  # exit code of a program that is not installed, as shells have it
_NETWORK = (
    "name resolution", "Connection refused", "Network is unreachable", "ProxyError", "timed out",
    "client error (Connect)", "dns error", "NewConnectionError", "Temporary failure",
    "error sending request", "network connectivity is disabled", "Failed to fetch",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Package:
    """What pip has installed, and from where."""

    name: str
    version: str
    url: str  # with the digest of the file as its fragment


@dataclass(frozen=True, slots=True)
class Way:
    """One way to run a command that installs."""

    argv: tuple[str, ...]
    offline: bool = False  # with what was fetched before
    pip: tuple[str, ...] = ()  # the pip that it runs, if it does
    words: tuple[str, ...] = ()  # what that pip is to install

    def without_index(self, wheels: Path) -> Way:
        """The same with the wheels that were kept, and no index."""
        options = ("--no-index", "--find-links", str(wheels))
        argv = (*self.pip, "install", *options, *self.words)
        return Way(argv, True, self.pip, (*options, *self.words))


def ways(tool: str, words: Sequence[str], place: Path, wheels: Path) -> Iterator[Way]:
    """Yield the ways to run a command, the best first; the next is tried where one cannot do it."""
    python = str(place / "bin" / "python")
    if tool != "pip":
        # Packages of other commands lie in the same environment: they stay.
        kept = ("--inexact",) if tool == "uv" and "--inexact" not in words else ()
        yield Way((tool, *words, *kept))
        if tool in ("poetry", "uv"):
            yield from ways("pip", ["install", "."], place, wheels)
        return
    rest = tuple(words[1:])
    if shutil.which("uv"):
        uv = ("uv", "pip", "install")
        yield Way((*uv, "--python", python, *rest))
        yield Way((*uv, "--offline", "--python", python, *rest), offline=True)
    ours = _folder_of("pip")
    pip: tuple[str, ...] = (python, "-P", pip_for_another.__file__, ours)
    reported = ("--report", str(place / REPORT), *rest)
    first = (*pip, "install", *reported)
    if not ours:
        if not importlib.util.find_spec("ensurepip"):
            return
        pip = (python, "-m", "pip")
        script = '"$0" -m ensurepip && "$0" -m pip install "$@"'
        first = ("/bin/sh", "-c", script, python, *reported)
    with_index = Way(first, pip=pip, words=rest)
    yield with_index
    if wheels.is_dir():
        yield with_index.without_index(wheels)


def _folder_of(package: str) -> str:
    """Return where a package of this environment lies; empty if it is not there."""
    spec = importlib.util.find_spec(package)
    return str(Path(spec.origin).parents[1]) if spec and spec.origin else ""


def installed(place: Path) -> list[Package]:
    """Return what pip has found and installed in an environment, the last time that it ran.

    Source: https://pip.pypa.io/en/stable/reference/installation-report/
    """
    try:
        packages = []
        for entry in json.loads((place / REPORT).read_bytes())["install"]:
            source, metadata = entry["download_info"], entry["metadata"]
            if "archive_info" in source and not entry["is_direct"]:
                url = f"{source['url']}#{source['archive_info'].get('hash', '')}"
                packages.append(Package(metadata["name"], metadata["version"], url))
        return packages
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return []


def another_may_do(tool: str, way: Way, code: int, lines: Sequence[str]) -> bool:
    """Whether the next way to run a command is worth a try after one has failed.

    What the project's own tool says counts, where it is there. uv leaves with 2 where it does not
    know an option, which pip may know; where the network failed, what is in the cache may do.
    """
    if way.argv[0] == tool:
        return code == NOT_THERE
    return way.argv[0] != "uv" or code in (2, NOT_THERE) or lacks_network(lines)


def lacks_network(lines: Sequence[str]) -> bool:
    """Whether the network is what failed, so that what is in the cache may do."""
    return any(word in line for line in lines for word in _NETWORK)


def located(root: Path, word: str) -> str:
    """Let an absolute path of the image mean the file that was laid out."""
    inside = root / word.lstrip("/")
    return str(inside) if word.startswith("/") and inside.exists() else word


def install_environment(own: Mapping[str, str], place: Path) -> dict[str, str]:
    """Return this machine's environment with what the Dockerfile adds; uv learns what pip knows."""
    env = {**os.environ, **own}
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_PYTHON",
                 "PIP_REQUIRE_VIRTUALENV", "PIP_NO_CACHE_DIR", "UV_SYSTEM_PYTHON", "UV_NO_CACHE",
                 "UV_PROJECT_ENVIRONMENT", "CONDA_PREFIX"):  # fmt: skip
        env.pop(name, None)
    pip = read_pip_settings(env, Path(env.get("HOME") or Path.home()))
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
        "POETRY_VIRTUALENVS_CREATE": "false", "UV_NO_PROGRESS": "1", "PIP_PROGRESS_BAR": "off",
    }  # fmt: skip
