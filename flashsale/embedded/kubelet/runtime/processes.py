"""Processes of containers, each under a shim of its own, so that none is left behind."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import marshal
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import SourceFileLoader
from importlib.util import cache_from_source
from pathlib import Path

from flashsale.embedded.kubelet.runtime.container_root import ContainerRoot

SHIM = Path(__file__).with_name("shim.py")
MARK = "FLASHSALE_CONTAINER"  # names the container in the environment of all that it starts
KILL_ALL = 255
NOT_STARTED = "failed to create shim task: OCI runtime create failed: runc create failed: "
START_SECONDS = 30.0


class StartError(Exception):
    """The container's command cannot be run."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class StandardStreams:
    """File descriptors that a process begins with; it may share one with others."""

    stdin: int
    stdout: int
    stderr: int
    terminal: bool = False  # stdin is one, and is to control the process

    @classmethod
    def only_output(cls, descriptor: int) -> StandardStreams:
        """Let both output streams go to one descriptor, and nothing come in."""
        return cls(subprocess.DEVNULL, descriptor, descriptor)


class Process:
    """A container's first process, in a session of its own. When it ends, all that it started is
    killed, whatever session or group that is in: so a container ends with process 1."""

    def __init__(
        self, shim: subprocess.Popen[bytes], control: socket.socket, pid: int, mark: str
    ) -> None:
        self.pid, self._mark = pid, mark
        self._shim, self._control = shim, control
        self.ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._unwatch = on_exit(shim, self._finish)

    @property
    def running(self) -> bool:
        return not self.ended.done()

    def signal(self, number: int) -> None:
        """Send a signal to the first process only, as a container runtime does."""
        self._say(number)

    def stop(self, number: int) -> None:
        """Send a signal, unless it would have no effect on process 1 of a real container.

        The kernel drops signals that process 1 has no handler for, but for SIGKILL from outside.
        Python processes mimic that for SIGTERM themselves (guest/sitecustomize.py); for all others
        the kubelet looks, where it can.
        """
        if number == signal.SIGKILL or handles(self.pid, number):
            self.signal(number)

    def kill(self) -> None:
        """SIGKILL everything in the container."""
        if self.running:
            self._say(KILL_ALL)

    async def wait(self) -> int:
        """Wait for the end; returns the exit code, 128 + N after signal N."""
        return await asyncio.shield(self.ended)

    def reap(self, timeout: float = 2.0) -> None:
        """Wait for the end of a killed process without the event loop (seconds)."""
        self._unwatch()
        try:
            self._shim.wait(timeout)
        except subprocess.TimeoutExpired:
            self._shim.kill()  # somebody has stopped it; the first process dies with it
        self._finish()

    def _say(self, number: int) -> None:
        with contextlib.suppress(OSError):  # it has ended
            self._control.send(bytes([number]))

    def _finish(self) -> None:
        if not self.ended.done():
            self._shim.wait()
            words = _received(self._control).split()
            self._control.close()
            known = len(words) >= 2 and words[-2] == b"ended"
            if not known and self._mark:
                kill_marked(self._mark)  # the shim was killed, and could do no more
            self.ended.set_result(int(words[-1]) if known else 128 + signal.SIGKILL)


async def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str,
    streams: StandardStreams,
    root: ContainerRoot | None = None,
    join: int = 0,
) -> Process:
    """Start a process.

    Args:
        cwd: where it starts; in its own root, where it has one.
        root: a root to make for it.
        join: a process whose root it is to share.

    Raises:
        OSError: there is no such program, or it may not be run.
    """
    if any("\0" in word for word in (*argv, *env, *env.values(), cwd)):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    request = {
        "argv": list(argv),
        "env": dict(env),
        "cwd": cwd,
        "root": root.request() if root else None,
        "join": join,
        "terminal": streams.terminal,
    }
    ours, theirs = socket.socketpair()
    with theirs:
        shim = _start_shim(theirs, streams, env)
    try:
        data = marshal.dumps(request)
        ours.sendall(b"%08x" % len(data) + data)
        answer = await _first_line(ours)
    except BaseException:
        ours.close()  # at which it kills what it has started
        shim.wait()
        raise
    word, _, number = answer.partition(b" ")
    if word == b"started":
        return Process(shim, ours, int(number), env.get(MARK, ""))
    ours.close()
    await asyncio.to_thread(shim.wait)
    code = int(number or errno.EIO)
    raise OSError(code, os.strerror(code), argv[0])


@cache
def _compiled(script: Path) -> Path:
    """Have a script compiled, as it would else be each time it is run; returns what to run."""
    with contextlib.suppress(OSError, NotImplementedError):  # it cannot be written
        SourceFileLoader(script.stem, str(script)).get_code(script.stem)
        compiled = Path(cache_from_source(str(script)))
        if compiled.stat().st_mtime >= script.stat().st_mtime:
            return compiled
    return script


def _start_shim(
    control: socket.socket, streams: StandardStreams, env: Mapping[str, str]
) -> subprocess.Popen[bytes]:
    mark = {MARK: env[MARK]} if MARK in env else {}
    libraries = {name: env[name] for name in ("LD_LIBRARY_PATH",) if name in env}
    return subprocess.Popen(
        [sys.executable, "-I", "-S", str(_compiled(SHIM)), str(control.fileno())],
        env={**mark, **libraries},
        cwd="/",
        stdin=streams.stdin,
        stdout=streams.stdout,
        stderr=streams.stderr,
        pass_fds=[control.fileno()],
        start_new_session=True,  # no preexec_fn: with one, the whole of this process is copied
    )


async def _first_line(control: socket.socket) -> bytes:
    """Read what the shim says once it has started the process, or has not."""
    control.setblocking(False)
    loop, line = asyncio.get_running_loop(), b""
    try:
        async with asyncio.timeout(START_SECONDS):
            while not line.endswith(b"\n"):
                data = await loop.sock_recv(control, 1)
                if not data:
                    break
                line += data
    except TimeoutError:
        return b""
    return line


def _received(control: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(OSError):
        while more := control.recv(4096):
            data += more
    return data


def why_not_started(argv: Sequence[str], error: OSError, rootfs: Path) -> StartError:
    """Make an error of why a container's command cannot be run, with a shell's exit code."""
    code = 127 if isinstance(error, FileNotFoundError) else 126
    interpreter = _interpreter(argv[0], rootfs) if code == 127 else ""
    if not interpreter:
        return StartError(NOT_STARTED + oci_reason(argv[0], error), code)
    why = f'exec: "{argv[0]}": its interpreter {interpreter!r} is not there'
    return StartError(NOT_STARTED + why, code)


def _interpreter(program: str, rootfs: Path) -> str:
    """Return what a script that is there wants to be run by; `\\r` at its end is a classic."""
    file = rootfs / program.removeprefix(str(rootfs)).lstrip("/")
    with contextlib.suppress(OSError):
        line = file.read_bytes()[:200].partition(b"\n")[0]
        return line[2:].strip(b" ").decode(errors="replace") if line.startswith(b"#!") else ""
    return ""


def oci_reason(program: str, error: OSError) -> str:
    """Say as runc does why a program cannot be run."""
    if not isinstance(error, FileNotFoundError):
        why = (error.strerror or str(error)).lower()
    elif "/" in program:
        why = f"stat {program}: no such file or directory"
    else:
        why = "executable file not found in $PATH"
    return f'unable to start container process: exec: "{program}": {why}: unknown'


def handles(pid: int, number: int) -> bool:
    """Whether a process has a handler for a signal; True where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return True
    caught = next((line.split()[1] for line in lines if line.startswith("SigCgt:")), None)
    return caught is None or bool(int(caught, 16) >> (number - 1) & 1)


def kill_marked(mark: str) -> int:
    """Kill the processes whose environment names a container; returns how many.

    A mark that ends in a slash means all containers below that folder.

    For what a shim could not kill because it was itself killed. Where there is no /proc, none is
    found.
    """
    wanted = f"\0{MARK}={mark}{'' if mark.endswith('/') else chr(0)}".encode()
    killed = 0
    for name in os.listdir("/proc") if os.path.isdir("/proc") else ():
        if not name.isdecimal():
            continue
        try:
            with open(f"/proc/{name}/environ", "rb", 0) as file:
                variables = b"\0" + (file.read() or b"")
            if wanted in variables and int(name) != os.getpid():
                os.kill(int(name), signal.SIGKILL)
                killed += 1
        except OSError:
            continue  # it ended, or is another user's
    return killed


def on_exit(popen: subprocess.Popen[bytes], callback: Callable[[], None]) -> Callable[[], None]:
    """Call back on the running loop when a child has ended, before it is reaped.

    Linux tells through a pidfd. Elsewhere a thread waits (and has reaped it by then).

    Returns:
        How to stop watching; harmless after the end.
    """
    loop = asyncio.get_running_loop()
    if not hasattr(os, "pidfd_open"):
        wait = threading.Thread(
            target=_wait_in_thread, args=(popen, loop, callback), daemon=True, name="wait"
        )
        wait.start()
        return lambda: None
    descriptors = [os.pidfd_open(popen.pid)]

    def unwatch() -> None:
        while descriptors:
            descriptor = descriptors.pop()
            loop.remove_reader(descriptor)
            os.close(descriptor)

    def ended() -> None:
        unwatch()
        callback()

    loop.add_reader(descriptors[0], ended)
    return unwatch


def _wait_in_thread(
    popen: subprocess.Popen[bytes], loop: asyncio.AbstractEventLoop, callback: Callable[[], None]
) -> None:
    popen.wait()
    with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
        loop.call_soon_threadsafe(callback)
