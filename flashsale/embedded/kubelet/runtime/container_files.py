"""A container's files and what it sees of them: a copy of its image, volumes, paths, variables."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from flashsale.embedded.kubelet.images.image_store import NodeImage
from flashsale.embedded.kubelet.runtime.container_root import ContainerRoot
from flashsale.objects.models import Object

GUEST = Path(__file__).with_name("guest")
TERMINATION_LOG = "/dev/termination-log"
# All that a container takes over from the environment of whoever started the cluster: what text
# looks like, what time it is, and what this Python may need to start at all.
PASSED_ON = ("LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
PROGRAMS = "/usr/local/bin/"  # where a Python image has them
_PATH = re.compile(r"(?<![\w./~:-])/[\w.@%+-]+(?:/[\w.@%+-]*)*")
_PROGRAM = re.compile(re.escape(PROGRAMS) + r"([\w.-]+)")


@dataclass(slots=True)
class ContainerFiles:
    """The files of one container, below its folder."""

    folder: Path
    image: NodeImage
    pods: Path  # the folder of all pods of this node
    own_root: bool  # the container will see `rootfs` as its root
    over: dict[str, Path] = field(default_factory=dict)  # what is mounted, by place

    @property
    def rootfs(self) -> Path:
        """The copy of the image's files."""
        return self.folder / "rootfs"

    @property
    def programs(self) -> Path:
        """The folder of the Python that the container uses, with gunicorn beside it."""
        return self.image.packages / "bin" if self.image.packages else Path(sys.executable).parent

    def lay_out(self, spec: Object, volumes: Mapping[str, Path]) -> None:
        """Copy the image; what an earlier run of the container wrote is gone.

        Raises:
            OSError: the disk refuses.
        """
        shutil.rmtree(self.rootfs, ignore_errors=True)
        self.rootfs.parent.mkdir(parents=True, exist_ok=True)
        if self.image.rootfs.exists():
            shutil.copytree(
                self.image.rootfs, self.rootfs, symlinks=True, copy_function=shutil.copy
            )
        for name in ("tmp", "root"):
            (self.rootfs / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "root").mkdir(exist_ok=True)
        (self.folder / "image").write_text(self.image.id.rpartition(":")[2])
        message = self.rootfs / termination_path(spec).lstrip("/")
        message.parent.mkdir(parents=True, exist_ok=True)
        message.touch()
        environment = self.image.packages or Path(sys.prefix)
        self.over = {place: environment for place in self.image.environments} | dict(volumes)
        for place, source in self.over.items():
            self._make_place(place, source)
        self._link_programs(spec)

    def _make_place(self, place: str, source: Path) -> None:
        """Make where something is mounted: a mount point, or a link where there are no mounts."""
        path = self.rootfs / place.strip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.own_root:
            path.mkdir(exist_ok=True) if source.is_dir() else path.touch()
            return
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.symlink_to(source)

    def _link_programs(self, spec: Object) -> None:
        """Put the programs that the command names by /usr/local/bin where the image has them."""
        words = [*self.image.entrypoint, *self.image.cmd]
        words += [*(spec.get("command") or []), *(spec.get("args") or [])]
        for name in {match[1] for word in words for match in _PROGRAM.finditer(word)}:
            place = self.rootfs / PROGRAMS.strip("/") / name
            if (self.programs / name).exists() and not place.exists():
                place.parent.mkdir(parents=True, exist_ok=True)
                place.symlink_to(self.programs / name)

    def folder_for(self, workdir: str) -> str:
        """Make the working directory; returns it as the process has to be told.

        Raises:
            OSError: there is a file of that name.
            ValueError: no file can be called that.
        """
        path = self.rootfs / workdir.lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        return "/" + workdir.strip("/") if self.own_root else str(path)

    def root(self, pod_name: str, ip: str) -> ContainerRoot | None:
        """Return how to give the container its root; None where that cannot be done."""
        if not self.own_root:
            return None
        (self.folder / "hosts").write_text(f"127.0.0.1\tlocalhost\n{ip}\t{pod_name}\n")
        (self.folder / "hostname").write_text(f"{pod_name}\n")
        names = {f"/etc/{name}": self.folder / name for name in ("hosts", "hostname")}
        own = {place: source for place, source in names.items() if os.path.isfile(place)}
        needed = [Path(sys.prefix), Path(sys.base_prefix), GUEST, self.pods, self.programs]
        needed += [path.resolve() for path in needed]
        return ContainerRoot(self.folder / "root", self.rootfs, pod_name, needed, own | self.over)

    def command(self, words: Sequence[str]) -> tuple[str, ...]:
        """Return the command as the process has to be told."""
        return tuple(words) if self.own_root else tuple(map(self.translate, words))

    def translate(self, text: str) -> str:
        """Let absolute paths that the image has (/app/main.py) mean the container's own copy."""

        def inside(match: re.Match[str]) -> str:
            copy = self.rootfs / match[0].strip("/")
            return str(copy) if match[0].strip("/") and os.path.lexists(copy) else match[0]

        return text if "\0" in text else _PATH.sub(inside, text)

    def _translate_list(self, value: str) -> str:
        return ":".join(map(self.translate, value.split(":")))

    def environment(self, variables: Mapping[str, str], pod_name: str) -> dict[str, str]:
        """Return the environment; PATH begins where this Python's programs are."""
        env = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        env |= {"HOME": self._home(), "HOSTNAME": pod_name}
        for name, value in {**self.image.env, **variables}.items():
            env[name] = value if self.own_root else self._translate_list(value)
        host = os.environ.get("PATH", os.defpath)
        env["PATH"] = _join(str(self.programs), env.get("PATH", ""), host)
        if self.image.packages:  # for `uv run` and `poetry run`
            env = _tool_settings(self.image.packages) | env
        editable = "" if self.own_root else ":".join(self._editable())
        env["PYTHONPATH"] = _join(str(GUEST), env.get("PYTHONPATH", ""), editable)
        return env

    def _editable(self) -> Iterator[str]:
        """Yield the copies of the image's folders that packages installed as editable lie in."""
        packages = self.image.packages or self.folder / "none"
        for file in sorted(packages.glob("lib/python*/site-packages/*.pth")):
            for line in file.read_text().splitlines():
                if line.startswith("/") and (copy := self.translate(line)) != line:
                    yield copy

    def _home(self) -> str:
        """Return a folder that only this container has; a short one: sockets may be put there."""
        shared = any(path.is_relative_to("/root") for path in (Path(sys.prefix), self.pods,
                                                               Path(sys.base_prefix)))  # fmt: skip
        home = self.rootfs / ("root/home" if self.own_root and shared else "root")
        home.mkdir(exist_ok=True)
        return f"/{home.relative_to(self.rootfs)}" if self.own_root else str(home)


def _tool_settings(packages: Path) -> dict[str, str]:
    """Tell uv and poetry to use the image's packages as they are, and to make nothing anew."""
    return {
        "VIRTUAL_ENV": str(packages),
        "UV_PROJECT_ENVIRONMENT": str(packages),
        "UV_NO_SYNC": "1",
        "POETRY_VIRTUALENVS_CREATE": "false",
    }


def termination_path(spec: Object) -> str:
    return str(spec.get("terminationMessagePath") or TERMINATION_LOG)


def _join(*parts: str) -> str:
    return os.pathsep.join(part for part in parts if part)
