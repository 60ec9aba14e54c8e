"""The program as tests run it: as a process of its own, on a state folder of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.forking.client import ForkedCommand, forked

PATIENCE = 90.0  # seconds for one command on a busy machine
AT_START = ("PYTHON", "LC_", "LANG")  # variables that Python looks at once, when it starts
FRUGAL_KUBECTL = {"GOGC": "400", "GOMAXPROCS": "1"}  # its start takes a third less of CPU time
LEAN_SHOP = Path(__file__).with_name("lean_shop.py")
LEAN_DOCKERFILE = """FROM python:3.11-slim
WORKDIR /app
COPY app.py .
CMD ["python", "-S", "app.py"]
"""
QUICK = (
    ("initialDelaySeconds: 3", "initialDelaySeconds: 0"),
    ("periodSeconds: 5", "periodSeconds: 1"),
    ("seconds: 5 #", "seconds: 0 #"),
)


@dataclass(frozen=True, slots=True)
class Result:
    """What one command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        assert self.out, self.err
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Flashsale:
    """The program on one state folder, without anything else that this machine has."""

    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment that it runs in."""
        return {
            "PATH": "/usr/bin:/bin",  # no minikube
            "HOME": str(self.home.parent),
            "FLASHSALE_HOME": str(self.home),
            "FLASHSALE_POD_NETWORK": os.environ.get("FLASHSALE_POD_NETWORK", ""),
            "KUBECONFIG": str(self.home.parent / "no-kubeconfig"),
        }

    def __call__(self, *words: str, **extra: str) -> Result:
        """Run one command to its end; keywords are variables of its environment."""
        return self.piped("", *words, **extra)

    def piped(self, text: str, *words: str, **extra: str) -> Result:
        """Run one command to its end, with a text in the pipe that is its stdin."""
        if can_be_forked(extra):
            return Result(*forked(words, self.environment | extra, PATIENCE, piped=text))
        return self.apart(*words, piped=text, **extra)

    def apart(self, *words: str, piped: str = "", **extra: str) -> Result:
        """Run one command as whoever types it does: Python itself is started, too."""
        done = subprocess.run(
            self.command(*words),
            env=self.environment | extra,
            input=piped,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, *words: str) -> subprocess.Popen[str] | ForkedCommand:
        """Start one command that will be stopped."""
        if can_be_forked({}):
            return ForkedCommand(words, self.environment)
        return subprocess.Popen(
            self.command(*words),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def command(self, *words: str) -> list[str]:
        """The words that start it."""
        return [sys.executable, "-c", "from flashsale.cli.main import main; main()", *words]

    def quick_manifest(self, **changes: str) -> Path:
        """Write the shipped manifest with probes and goodbyes that do not keep a test waiting.

        Args:
            changes: further replacements, the text to replace as the name of the keyword.
        """
        from flashsale.sale.files.manifest import shipped_text

        text = shipped_text()
        for old, new in (*QUICK, *changes.items()):
            assert old in text, f"the manifest has no '{old}' any more"
            text = text.replace(old, new)
        file = self.home.parent / "quick.yaml"
        file.write_text(text)
        return file

    def lean_manifest(self, starts_after: float = 0.0, **changes: str) -> Path:
        """Write the quick manifest for pods that run `lean_shop` in place of the image's app.

        Args:
            starts_after: seconds that each process needs until it sells.
        """
        slow = ("STARTS_AFTER = 0.0", f"STARTS_AFTER = {starts_after}")
        command = json.dumps(["python", "-S", "-c", LEAN_SHOP.read_text().replace(*slow)])
        image = "image: flashsale:1.0"
        return self.quick_manifest(**{image: f"{image}\n          command: {command}"}, **changes)

    def cluster_pid(self) -> int:
        """The embedded cluster's process; 0 if none runs."""
        from flashsale.embedded.process import launch

        running = launch.find_cluster(self.home / "embedded")
        return running.pid if running else 0

    def stop_cluster(self) -> None:
        """End the embedded cluster, however it was left."""
        from flashsale.embedded.process import launch

        if (self.home / "embedded").exists():
            launch.stop_cluster(self.home / "embedded")

    @property
    def record(self) -> Path:
        """The file that remembers the sale."""
        return self.home / "sale.json"


@contextmanager
def opened_sale(program: Flashsale, manifest: Path, *words: str) -> Iterator[Flashsale]:
    """A sale that is open, on a cluster that is ended afterwards."""
    try:
        done = program("up", "--manifest", str(manifest), *words)
        assert done.code == 0, done.err
        yield program
    finally:
        program.stop_cluster()


def make_lean(folder: Path) -> None:
    """Put `lean_shop` in the place of the app in a learner's folder."""
    (folder / "app.py").write_text(LEAN_SHOP.read_text())
    (folder / "Dockerfile").write_text(LEAN_DOCKERFILE)


def can_be_forked(variables: Mapping[str, str]) -> bool:
    """Whether a command with these variables need not start a Python of its own."""
    return sys.platform == "linux" and not any(name.startswith(AT_START) for name in variables)


def fetched(address: str) -> Any:
    """What a buyer gets."""
    with urllib.request.urlopen(address, timeout=5) as answer:
        return json.load(answer)


def kubectl(program: Flashsale, *words: str) -> str:
    """What stock kubectl prints about the cluster of the sale."""
    done = run_kubectl(program, *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_kubectl(program: Flashsale, *words: str) -> subprocess.CompletedProcess[str]:
    """Run stock kubectl on the embedded cluster, whatever comes of it."""
    config = str(program.home / "embedded" / "kubeconfig")
    return subprocess.run(
        [str(Path(sys.executable).parent / "kubectl"), "--kubeconfig", config, *words],
        env={**os.environ, **FRUGAL_KUBECTL},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
