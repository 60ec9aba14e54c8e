"""Start, find and stop the embedded cluster's process. Synchronous, and quick when it runs."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.base.text import quoted
from flashsale.embedded.process.cluster_directory import ClusterDirectory, RunningCluster

CONTEXT = "flashsale-embedded"
LOG_LINES = 5  # of the cluster's log, shown when it does not start
LOG = logging.getLogger(__name__)
LARGEST_LOG = 1024 * 1024  # bytes
POLL_SECONDS = 0.02


def find_cluster(home: Path) -> RunningCluster | None:
    """Return the cluster that runs on this folder, None if there is none.

    Raises:
        ClusterUnreachableError: the state is from another version.
    """
    return ClusterDirectory(home).find()


def start_cluster(home: Path, *, timeout: float = 20.0) -> RunningCluster:
    """Start the cluster, or find it running; its API answers on return.

    ``timeout`` is in seconds. Two callers at once get the same cluster.

    Raises:
        ClusterUnreachableError: it did not start; the message ends with what its log says.
    """
    place = ClusterDirectory(home)
    running = place.find()
    if running is not None:
        return running
    place.prepare()
    with place.starting(timeout):
        running = _living(place, timeout)
        if running is None:
            place.forget()
            _spawn(place, timeout)
            running = place.find()
    if running is None:
        raise _failed(place, "The embedded cluster ended right after it had started.")
    return running


def stopped_process(home: Path) -> int:
    """Return the pid of the cluster's process if a signal has stopped it (SIGSTOP), else 0."""
    place = ClusterDirectory(home)
    pid = place.holder() if place.path.exists() and place.is_held() else 0
    return pid if pid and _state(pid) == "T" else 0


def _state(pid: int) -> str:
    """Return the letter of a process's state; empty if it is not there."""
    with contextlib.suppress(OSError):
        if sys.platform == "linux":
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        words = ["ps", "-o", "state=", "-p", str(pid)]
        return subprocess.run(words, capture_output=True, text=True, check=False).stdout[:1]
    return ""


def answers(running: RunningCluster, timeout: float) -> bool:
    """Whether the cluster still talks: of a stuck process the kernel takes connections, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without the machine's authorities
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # nothing is sent
    try:
        address = ("127.0.0.1", running.port)
        with socket.create_connection(address, timeout) as plain, context.wrap_socket(plain):
            return True
    except ssl.SSLError:
        return True
    except OSError:
        return False


def stop_cluster(home: Path, *, timeout: float = 10.0) -> bool:
    """End the cluster and its pods; its objects stay on disk. Returns whether there was one.

    Raises:
        ClusterUnreachableError: a process holds the folder, and nothing says which one.
    """
    place = ClusterDirectory(home)
    if not place.path.exists() or not place.is_held():
        return False
    with place.starting(timeout):
        pid = _holder(place, timeout)
        if not pid:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)  # a stopped process hears nothing else
        deadline = time.monotonic() + timeout
        while place.is_held():
            if time.monotonic() > deadline:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                deadline += timeout
            time.sleep(POLL_SECONDS)
    return True


def _living(place: ClusterDirectory, timeout: float) -> RunningCluster | None:
    """Return the cluster that lives here, once it can be asked; None if there is none.

    Whoever starts one keeps others out until then. So this waits only where that one was killed.
    """
    deadline = time.monotonic() + timeout
    while place.is_held():
        running = place.find() or place.ask_again()
        if running is not None:
            return running
        if time.monotonic() > deadline:
            pid = place.holder()
            raise ClusterUnreachableError(
                f"A cluster process{f' ({pid})' if pid else ''} lives in {place.path}, but there is"
                " no cluster.json that says where it can be asked.",
                hint=Hint(_ending(place), "ends it; then try again"),
            )
        time.sleep(POLL_SECONDS)
    return None


def _holder(place: ClusterDirectory, timeout: float) -> int:
    """Return the pid of the cluster's process, 0 if it has ended."""
    deadline = time.monotonic() + timeout
    while place.is_held():
        running = place.find()
        if pid := place.holder() or (running.pid if running else 0):
            return pid
        if time.monotonic() > deadline:
            raise ClusterUnreachableError(
                f"A process holds {place.path / 'cluster.lock'}, but nothing says which one.",
                hint=Hint(_ending(place), "ends it"),
            )
        time.sleep(POLL_SECONDS)
    return 0


def _ending(place: ClusterDirectory) -> str:
    """Return the command that ends whoever holds the folder."""
    pid = place.holder()
    return f"kill {pid}" if pid else f"fuser -k {quoted(place.path / 'cluster.lock')}"


def _spawn(place: ClusterDirectory, timeout: float) -> None:
    """Run `python -m flashsale.embedded` apart from this terminal, and wait until it is ready."""
    _turn_log(place.path / "cluster.log")
    LOG.info("starting the embedded cluster in %s", place.path)
    reader, writer = os.pipe()
    with open(place.path / "cluster.log", "ab") as log, os.fdopen(reader, "rb", 0) as ready:
        process = subprocess.Popen(
            [sys.executable, "-m", "flashsale.embedded.process", str(place.path), str(writer)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=[writer],
            start_new_session=True,  # Ctrl-C here must not end it
            cwd=place.path,
        )
        os.close(writer)
        readable, _, _ = select.select([ready], [], [], timeout)
        message = ready.read(1024) if readable else b""
    first, _, note = message.decode(errors="replace").partition("\n")
    if first == "ready":
        if note:
            LOG.warning("%s", note)
        process.returncode = 0  # it lives on; do not warn that it was not waited for
        return
    if not readable:
        process.kill()
        process.wait()
        raise _failed(place, f"The embedded cluster did not answer within {timeout:.0f} s.")
    process.wait(timeout)
    raise _failed(place, "The embedded cluster did not start.", message.decode(errors="replace"))


def _turn_log(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LARGEST_LOG:
            path.replace(path.with_suffix(".log.1"))


def _failed(place: ClusterDirectory, sentence: str, details: str = "") -> ClusterUnreachableError:
    """Make an error of what the cluster said, else of the end of its log."""
    message, _, hint = details.partition("\n")
    log = place.path / "cluster.log"
    if message:
        return ClusterUnreachableError(message, hint=hint.strip())
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    return ClusterUnreachableError(
        sentence,
        hint=Hint(f"less {quoted(log)}", "is its log"),
        details="\n".join(lines[-LOG_LINES:]),
    )
