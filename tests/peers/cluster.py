"""One real cluster: started in the foreground by `serve`, detached by `start`, ended by `stop`."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.peers import programs
from tests.peers.control_plane import ControlPlane, Ports
from tests.peers.processes import PAUSE, PeerError, Processes

START_LIMIT = 180.0  # seconds for a detached start on a busy machine
STOP_LIMIT = 90.0  # seconds
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")  # so a killed supervisor leaves nothing


def default_folder() -> Path:
    """Return the folder of the cluster of a call that names none."""
    return programs.folder() / "cluster"


def start(argv: list[str]) -> int:
    """Run `tests/peers/start`."""
    options = read_options("start", argv)
    try:
        refuse_if_not_built(programs.CONTROL_PLANE)
        refuse_if_running(options.folder)
        if options.foreground:
            serve(options.folder)
        else:
            detach(options.folder)
    except PeerError as error:
        print(f"peers: {error}", file=sys.stderr)
        return 1
    return 0


def stop(argv: list[str]) -> int:
    """Run `tests/peers/stop`: end the cluster of a folder, and remove the folder."""
    folder = read_options("stop", argv).folder
    pid = supervisor(folder)
    if pid:
        os.kill(pid, signal.SIGTERM)
        wait_until_ended(folder)
    if folder.exists():
        shutil.rmtree(folder)
    print(f"peers: stopped, {folder} is removed")
    return 0


def read_options(name: str, argv: list[str]) -> argparse.Namespace:
    """Read the command line of `start` or `stop`."""
    parser = argparse.ArgumentParser(prog=f"tests/peers/{name}", description=__doc__)
    parser.add_argument("--folder", type=Path, default=default_folder(), help="its files")
    if name == "start":
        parser.add_argument(
            "--control-plane", action="store_true", help="no node, no root: pods stay Pending"
        )
        parser.add_argument("--foreground", action="store_true", help="run until Ctrl-C")
    return parser.parse_args(argv)


def refuse_if_not_built(names: tuple[str, ...]) -> None:
    """Raise PeerError if programs are missing."""
    missing = programs.missing(names)
    if missing:
        raise PeerError(f"not built: {', '.join(missing)}; run tests/peers/build")


def refuse_if_running(folder: Path) -> None:
    """Raise PeerError if the folder has a cluster that runs."""
    if supervisor(folder):
        raise PeerError(f"a cluster runs in {folder}; run tests/peers/stop --folder {folder}")


def supervisor(folder: Path) -> int:
    """Return the process that holds a folder's cluster, 0 if there is none."""
    try:
        pid = int((folder / "supervisor.pid").read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return 0
    return pid if b"start" in command and str(folder).encode() in command else 0


def detach(folder: Path) -> None:
    """Start a supervisor of its own and return when its cluster is ready."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    script = Path(__file__).with_name("start")
    with (folder / "supervisor.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, script, "--foreground", "--folder", folder],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    while not (folder / "ready").exists():
        if process.poll() is not None:
            raise PeerError((folder / "supervisor.log").read_text().strip())
        if time.monotonic() - began > START_LIMIT:
            process.terminate()
            raise PeerError(f"not ready within {START_LIMIT:.0f} s (logs: {folder})")
        time.sleep(PAUSE)
    print((folder / "supervisor.log").read_text().strip())


def wait_until_ended(folder: Path) -> None:
    """Wait until the supervisor has ended everything."""
    deadline = time.monotonic() + STOP_LIMIT
    while supervisor(folder):
        if time.monotonic() > deadline:
            raise PeerError(f"not stopped within {STOP_LIMIT:.0f} s (logs: {folder})")
        time.sleep(PAUSE)


def serve(folder: Path) -> None:
    """Run a cluster until a signal comes, then end all of it.

    Raises:
        PeerError: a program did not become ready, or ended by itself.
    """
    began = time.monotonic()
    with ended_by_signal(), marked(folder):
        processes = Processes(folder, DIES_WITH_US)
        try:
            ControlPlane(folder, Ports(*free_ports(5))).start(processes)
            announce(folder, time.monotonic() - began)
            processes.watch()
        finally:
            processes.stop()


def announce(folder: Path, seconds: float) -> None:
    """Say that the cluster is ready, and how to use it."""
    print(
        f"peers: ready after {seconds:.1f} s\nexport KUBECONFIG={folder / 'kubeconfig'}", flush=True
    )
    (folder / "ready").touch()


@contextlib.contextmanager
def marked(folder: Path) -> Iterator[None]:
    """Keep in the folder who holds it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ready").unlink(missing_ok=True)
    pid = folder / "supervisor.pid"
    pid.write_text(str(os.getpid()))
    try:
        yield
    finally:
        (folder / "ready").unlink(missing_ok=True)
        pid.unlink()


@contextlib.contextmanager
def ended_by_signal() -> Iterator[None]:
    """Turn SIGTERM into what Ctrl-C is, and end quietly at either.

    Once the end has begun, further signals are ignored: what was started must be ended.
    """

    def interrupt(number: int, frame: object) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, signal.SIG_IGN)
        raise KeyboardInterrupt

    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, interrupt)
    with contextlib.suppress(KeyboardInterrupt):
        yield


def free_ports(count: int) -> list[int]:
    """Find ports that nothing listens on; all are held until the last is found."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
