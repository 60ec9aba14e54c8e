"""The double of `minikube` held to the real one, wherever no cluster is needed.

Both get the same words on the same kind of machine. Their exit codes must be equal, and their
output must have the same shape: the same events in the same order, documents with the same fields.
Words may differ, for the double speaks German, and it leaves out fields that nobody reads.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.clusters.minikube.double_world import World
from tests.peers import programs
from tests.peers.running import skip_unless_built

NO_DOCKER = "unix:///nowhere/docker.sock"
LIMIT = 60.0  # seconds for one call
KLOG = re.compile(r"[EWI]\d{4} \d\d:\d\d:\d\d\.\d+ ")  # comes and goes with machine and version
MARKED = re.compile(r"[*X!] |Error: unknown command|false exit code \d+")
ECHO = re.compile(r"(MINIKUBE_\w+|KUBECONFIG)=")  # a start tells which variables it found
EXACT = ("name", "exitcode", "currentstep", "totalsteps")  # of an event; the rest is text
START = ("start", "-p", "shop", "--interactive=false", "--keep-context", "-o", "json")
START_NEW = (*START, "--nodes=1", "--container-runtime=docker")
CONFIG = {
    "Name": "shop",
    "Driver": "docker",
    "CPUs": 2,
    "Addons": {"storage-provisioner": True},
    "Memory": 3072,
    "KubernetesConfig": {"KubernetesVersion": "v1.35.1", "ContainerRuntime": "docker"},
    "Nodes": [{"IP": "", "Port": 8443, "KubernetesVersion": "v1.35.1", "ControlPlane": True}],
}
BROKEN, GONE = "{", json.dumps(CONFIG)  # what the real one finds in its profile's config.json


@dataclass(frozen=True, slots=True)
class Call:
    """One call on a machine in a certain state."""

    words: tuple[str, ...]
    config: str = ""  # the profile's file for the real one, empty for no profile
    docker: str = ""  # what Docker must be: "client" without a server, "server"; else not installed
    fault: tuple[int, str] = (0, "")  # code and id of the failure that is planned for the double


@dataclass(frozen=True, slots=True)
class Shape:
    """What is compared."""

    code: int
    out: list[Any] = field(default_factory=list)
    err: list[str] = field(default_factory=list)


def ask_double(command: str, config: str = "") -> Call:
    """Describe a call other than a start."""
    return Call(tuple(command.split()), config)


def failing(*options: str, code: int, reason: str, config: str = "", docker: str = "") -> Call:
    """Describe a start that fails, of a profile that is new or known."""
    words = (*(START if config else START_NEW), *options)
    return Call(words, config, docker, (code, reason))


CALLS = {
    "version": ask_double("version -p shop -o json"),
    "profile-list": ask_double("profile -p shop list -o json"),
    "profile-list-light": ask_double("profile -p shop list -o json --light"),
    "profile-list-broken": ask_double("profile -p shop list -o json", BROKEN),
    "profile-list-light-broken": ask_double("profile -p shop list -o json --light", BROKEN),
    "profile-list-gone": ask_double("profile -p shop list -o json", GONE),
    "profile-list-light-gone": ask_double("profile -p shop list -o json --light", GONE),
    "status": ask_double("status -p shop -o json"),
    "status-gone": ask_double("status -p shop -o json", GONE),
    "status-broken": ask_double("status -p shop -o json", BROKEN),
    "docker-env": ask_double("docker-env -p shop --shell none -o json"),
    "docker-env-broken": ask_double("docker-env -p shop --shell none -o json", BROKEN),
    "docker-env-gone": ask_double("docker-env -p shop --shell none -o json", GONE),
    "stop": ask_double("stop -p shop -o json"),
    "stop-gone": ask_double("stop -p shop -o json", GONE),
    "stop-broken": ask_double("stop -p shop -o json", BROKEN),
    "unpause": ask_double("unpause -p shop -o json"),
    "unpause-gone": ask_double("unpause -p shop -o json", GONE),
    "update-context": ask_double("update-context -p shop"),
    "update-context-gone": ask_double("update-context -p shop", GONE),
    "image-ls": ask_double("image -p shop ls --format json"),
    "image-ls-gone": ask_double("image -p shop ls --format json", GONE),
    "service": ask_double("service -p shop flashsale-svc -n default --url"),
    "service-gone": ask_double("service -p shop flashsale-svc -n default --url", GONE),
    "ssh": ask_double("ssh -p shop -- true"),
    "ssh-gone": ask_double("ssh -p shop -- true", GONE),
    "node-stop": ask_double("node -p shop stop shop-m02"),
    "node-stop-gone": ask_double("node -p shop stop shop-m02", GONE),
    "delete": ask_double("delete -p shop -o json"),
    "delete-gone": ask_double("delete -p shop -o json", GONE),
    "delete-broken": ask_double("delete -p shop -o json", BROKEN),
    "unknown-command": ask_double("nonsense -p shop"),
    "start-no-driver": failing(code=55, reason="DRV_NOT_DETECTED"),
    "start-no-docker": failing("--driver=docker", code=65, reason="PROVIDER_DOCKER_NOT_FOUND"),
    "start-docker-down": failing(
        "--driver=docker", code=63, reason="PROVIDER_DOCKER_NOT_RUNNING", docker="client"
    ),
    "start-as-root": failing("--driver=docker", code=57, reason="DRV_AS_ROOT", docker="server"),
    "start-unknown-driver": failing("--driver=nosuch", code=56, reason="DRV_UNSUPPORTED_OS"),
    "start-memory-no-number": failing(
        *("--driver=ssh", "--ssh-ip-address=127.0.0.1", "--memory=abc"), code=14, reason="MK_USAGE"
    ),
    "start-memory-too-small": failing(
        *("--driver=ssh", "--ssh-ip-address=127.0.0.1", "--memory=100m"),
        code=23,
        reason="RSRC_INSUFFICIENT_REQ_MEMORY",
    ),
    "start-other-driver": failing(
        "--driver=ssh", code=81, reason="GUEST_DRIVER_MISMATCH", config=GONE
    ),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_the_double_answers_like_minikube(call: Call, world: World, tmp_path: Path) -> None:
    """Exit code, both streams and all events have the real one's shape."""
    skip_unless_built(("minikube",))
    home = tmp_path / "real"
    home.mkdir()
    environment = machine(call, home)
    double, real = ask_double(call, world, environment), ask_real(call, home, environment)
    assert double.code == real.code, f"\n{double}\n{real}"
    assert fits(double.out, real.out), f"\n{double}\n{real}"
    assert double.err == real.err


def machine(call: Call, home: Path) -> dict[str, str]:
    """Return the environment of both, on a machine whose Docker is as the call wants it."""
    path, host = "/nowhere", NO_DOCKER
    if call.docker:
        client = shutil.which("docker")
        if client is None:
            pytest.skip("needs Docker's client")
        path = str(Path(client).parent)
    if call.docker == "server":
        skip_unless_root_with_docker()
        host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    return {
        "PATH": path,
        "DOCKER_HOST": host,
        "HOME": str(home),
        "TMPDIR": str(home),
        "KUBECONFIG": str(home / "kubeconfig"),
        "LC_ALL": "C",
        "LANGUAGE": "en_US",
        "MINIKUBE_IN_STYLE": "false",
        "MINIKUBE_WANTUPDATENOTIFICATION": "false",
    }


def skip_unless_root_with_docker() -> None:
    """Skip where minikube would not complain about root."""
    answered = subprocess.run(("docker", "version"), capture_output=True, check=False)
    if os.getuid() != 0 or answered.returncode != 0:
        pytest.skip("needs root and a Docker that runs")


def ask_double(call: Call, world: World, environment: dict[str, str]) -> Shape:
    """Put the double's world into the state, and call it."""
    world.set(docker_up=call.docker == "server")
    if call.config == BROKEN:
        world.set(invalid=["shop"])
    if call.config == GONE:
        world.has(host="Gone", machineless=True)
    code, reason = call.fault
    if code:
        planned = {"code": code, "id": reason, "message": "nein", "advice": "anders"}
        world.set(faults={"start": [planned]})
    return shape(
        [str(world.home / "bin" / "minikube"), *call.words],
        {**environment, "MINIKUBE_DOUBLE": str(world.home)},
    )


def ask_real(call: Call, home: Path, environment: dict[str, str]) -> Shape:
    """Put the real one's files into the state, and call it."""
    if call.config:
        folder = home / ".minikube" / "profiles" / "shop"
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(call.config)
    return shape([str(programs.path("minikube")), *call.words], environment)


def shape(command: list[str], environment: dict[str, str]) -> Shape:
    """Run a command and reduce what it printed to its shape."""
    done = subprocess.run(
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    out = [reduced(line) for line in done.stdout.splitlines() if line.strip() and not echo(line)]
    err = [mark(line) for line in without_noise(done.stderr)]
    return Shape(done.returncode, out, err[:1])  # the box with advice may follow


def without_noise(text: str) -> Iterator[str]:
    """Leave out klog's entries, each with the lines that follow it without a mark of their own."""
    noise = False
    for line in text.splitlines():
        noise = bool(KLOG.match(line)) or (noise and not MARKED.match(line))
        if line.strip() and not noise:
            yield line


def echo(line: str) -> bool:
    """Whether a line is an event that only repeats a variable of the environment."""
    document = parsed(line)
    data = document.get("data", {}) if isinstance(document, dict) else {}
    return ECHO.match(data.get("message", "")) is not None


def parsed(line: str) -> Any:
    """Read a line of JSON; anything else stays text."""
    try:
        return json.loads(line)
    except ValueError:
        return line


def reduced(line: str) -> Any:
    """Reduce a line of stdout: an event, another document, or text."""
    document = parsed(line)
    if isinstance(document, str):
        return mark(document)
    if isinstance(document, dict) and "specversion" in document:
        data = document["data"]
        kind = document["type"].removeprefix("io.k8s.sigs.minikube.")
        fields_kept = [f"{key}={data[key]}" for key in EXACT if key in data]
        return {"event": " ".join([kind, *fields_kept]), "data": skeleton(data)}
    return skeleton(document)


def skeleton(document: Any) -> Any:
    """Keep the fields of a document, and of its values only the types."""
    if isinstance(document, dict):
        return {key: skeleton(value) for key, value in document.items()}
    if isinstance(document, list):
        return [skeleton(value) for value in document]
    return type(document).__name__


def mark(line: str) -> str:
    """Keep of a line of text what no language changes: its mark, or an exit code that it tells."""
    match = MARKED.match(line)
    reason = re.search(r"\b[A-Z]+(_[A-Z]+)+\b", line)
    return (match[0] if match else "text") + (reason[0] if reason else "")


def fits(double: Any, real: Any) -> bool:
    """Whether a shape is the other's, except for fields that it leaves out."""
    if isinstance(double, dict) and isinstance(real, dict):
        return all(key in real and fits(value, real[key]) for key, value in double.items())
    if isinstance(double, list) and isinstance(real, list):
        return len(double) == len(real) and all(map(fits, double, real))
    return bool(double == real)
