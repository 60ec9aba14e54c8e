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
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.peers import images, programs
from tests.peers.control_plane import ControlPlane, Ports
from tests.peers.namespaces import (
    CableEnd,
    Link,
    apart,
    first_process,
    free_link,
    join,
    resource_groups,
)
from tests.peers.node import Node, missing_tools
from tests.peers.processes import PAUSE, PeerError, Processes

START_LIMIT = 180.0  # seconds for a detached start on a busy machine
STOP_LIMIT = 90.0  # seconds
DIES_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")  # so a killed supervisor leaves nothing


def default_folder() -> Path:
    """Return the folder of the cluster of a call that names none."""
    return programs.FOLDER / "cluster"


def start(argv: list[str]) -> int:
    """Run `tests/peers/start`."""
    options = read_options("start", argv)
    folder: Path = options.folder.absolute()
    try:
        if options.inside:
            serve_inside(Node(folder, Link(options.inside), options.number))
            return 0
        refuse_if_not_possible(control_plane=options.control_plane)
        refuse_if_running(folder)
        if options.foreground:
            serve(folder, options)
        else:
            detach(folder, argv)
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
        parser.add_argument(
            "--no-controllers", action="store_true", help="a control plane without controllers"
        )
        parser.add_argument(
            "--node-seconds", type=int, default=0,
            help="of a control plane: until a silent node is not ready, and until its pods leave",
        )  # fmt: skip
        parser.add_argument("--foreground", action="store_true", help="run until Ctrl-C")
        parser.add_argument(
            "--image", action="append", default=[], help="an image of Docker's that the node gets"
        )
        parser.add_argument("--nodes", type=int, default=1, help="how many nodes")
        parser.add_argument("--inside", type=int, help=argparse.SUPPRESS)
        parser.add_argument("--number", type=int, default=0, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def refuse_if_not_possible(*, control_plane: bool) -> None:
    """Raise PeerError if programs are not built, or the machine lacks what a node needs."""
    missing = programs.missing(programs.CONTROL_PLANE if control_plane else programs.NODE)
    if missing:
        raise PeerError(f"not built: {', '.join(missing)}; run tests/peers/build")
    tools = [] if control_plane else missing_tools()
    if tools:
        raise PeerError(f"a node needs {', '.join(tools)}; --control-plane does not")


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


def detach(folder: Path, argv: list[str]) -> None:
    """Start a supervisor of its own and return when its cluster is ready."""
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    script = Path(__file__).with_name("start")
    with (folder / "supervisor.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, script, *argv, "--foreground", "--folder", folder],
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


def serve(folder: Path, options: argparse.Namespace) -> None:
    """Run a cluster until a signal comes, then end all of it.

    Raises:
        PeerError: a program did not become ready, or ended by itself.
    """
    with ended_by_signal(), marked(folder):
        if options.control_plane:
            serve_control_plane(
                folder, controllers=not options.no_controllers, node_seconds=options.node_seconds
            )
        else:
            serve_nodes(folder, options.image, options.nodes)


def serve_control_plane(folder: Path, *, controllers: bool, node_seconds: int) -> None:
    """Run the control plane alone."""
    began = time.monotonic()
    processes = Processes(folder, DIES_WITH_US)
    ports = Ports(*free_ports(5))
    try:
        ControlPlane(folder, ports, controllers=controllers, node_seconds=node_seconds).start(
            processes
        )
        announce(folder, time.monotonic() - began)
        processes.watch()
    finally:
        processes.stop()


def serve_nodes(folder: Path, wanted: list[str], count: int) -> None:
    """Run a cluster with nodes, each in namespaces of its own."""
    archives = folder / "images"
    archives.mkdir(exist_ok=True)
    for number, name in enumerate(wanted):
        images.save(name, archives / f"{number}.tar")
    began = time.monotonic()
    with contextlib.ExitStack() as stack:
        nodes: list[tuple[Node, subprocess.Popen[bytes]]] = []
        for number in range(count):
            node = Node(folder, free_link(), number)
            node.logs.mkdir(exist_ok=True)
            (node.logs / "name").write_text(node.link.name)
            process = stack.enter_context(namespaces_of(node))
            for other, others in nodes:
                join(end_of(node, process), end_of(other, others))
            nodes.append((node, process))
            watch(nodes, until=node.inside.exists)
        announce(folder, time.monotonic() - began)
        watch(nodes)


@contextlib.contextmanager
def namespaces_of(node: Node) -> Iterator[subprocess.Popen[bytes]]:
    """Start a node's first process; nothing of the node is left after the block."""
    node.inside.unlink(missing_ok=True)
    script = str(Path(__file__).with_name("start"))
    number = (f"--inside={node.link.number}", f"--number={node.number}")
    command = [sys.executable, script, "--folder", str(node.folder), *number]
    with (
        resource_groups(node.link.name),
        apart(command, node.logs / "node.log", node.link) as process,
    ):
        yield process


def end_of(node: Node, process: subprocess.Popen[bytes]) -> CableEnd:
    """Describe a node for a cable between its network and another one's."""
    return CableEnd(node.link, first_process(process.pid)[0], node.pods)


def watch(
    nodes: list[tuple[Node, subprocess.Popen[bytes]]], until: Callable[[], bool] = lambda: False
) -> None:
    """Look after the nodes until something is so, or this process is interrupted.

    Raises:
        PeerError: one of them ended by itself.
    """
    while not until():
        for node, process in nodes:
            if process.poll() is not None:
                log = (node.logs / "node.log").read_text()[-2000:].strip()
                raise PeerError(f"the node {node.name} ended by itself:\n{log}")
        time.sleep(PAUSE)


def serve_inside(node: Node) -> None:
    """Run the programs of a node, as the first process of its namespaces."""
    with ended_by_signal():  # nothing more to do then: everything ends with this process
        processes = Processes(node.logs)
        node.start(processes)
        node.inside.touch()
        processes.watch()


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
