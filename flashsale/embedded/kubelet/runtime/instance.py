"""One run of a container: its files, its environment, its process, its log."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flashsale.base.aio import finish
from flashsale.base.files import replace_file
from flashsale.embedded.kubelet.descriptors import CommandInput, container_streams
from flashsale.embedded.kubelet.images.image_store import NodeImage
from flashsale.embedded.kubelet.logs import log_file
from flashsale.embedded.kubelet.logs.container_logs import Logs
from flashsale.embedded.kubelet.logs.log_file import BLOCK, LogWriter
from flashsale.embedded.kubelet.runtime.container_env import (
    expand_references,
    guest,
    without_namespaces,
)
from flashsale.embedded.kubelet.runtime.container_files import ContainerFiles, termination_path
from flashsale.embedded.kubelet.runtime.container_root import (
    ContainerRoot,
    is_possible,
    possible_namespaces,
)
from flashsale.embedded.kubelet.runtime.pod_network import PodAddress
from flashsale.embedded.kubelet.runtime.processes import (
    MARK,
    Process,
    StandardStreams,
    StartError,
    kill_marked,
    spawn,
    why_not_started,
)
from flashsale.embedded.types.golang.go_text import os_error
from flashsale.objects.models import Object

MESSAGE_LIMIT, MESSAGE_FROM_LOG = 4096, 2048  # bytes of a termination message
OUTPUT_LIMIT = 10 * 1024  # bytes that are kept of what a probe's command says


@dataclass(frozen=True, slots=True)
class Launch:
    """What to start, and where."""

    spec: Object  # the container's
    files: ContainerFiles
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    root: ContainerRoot | None

    @property
    def pid(self) -> Path:
        """The file that names the process."""
        return self.files.folder / "pid"


class Instance:
    """One run of a container. When its process ends, so does all that it started."""

    def __init__(
        self,
        launch: Launch,
        process: Process,
        output: int,
        log: LogWriter,
        logs: Logs,
        command_input: CommandInput,
    ) -> None:
        self.process, self.input = process, command_input
        self.stdin_once = bool(launch.spec.get("stdinOnce"))
        self.terminated = False  # the signal was sent, or would have been ignored
        self.since = asyncio.get_running_loop().time()  # startedAt, on the loop's clock
        self._launch = launch
        self._output, self._log, self._logs = output, log, logs
        self._commands: set[Process] = set()
        self.listeners: set[Callable[[bytes], None]] = set()  # hear the output, nothing at its end
        asyncio.get_running_loop().add_reader(output, self._read)
        process.ended.add_done_callback(lambda _: self.close())

    @property
    def output_ended(self) -> bool:
        """Whether nothing more is heard of it; it may run on."""
        return self._output < 0

    def terminate(self) -> None:
        """Send the image's STOPSIGNAL, or SIGTERM, as a runtime sends it to process 1."""
        self.terminated = True
        self.process.stop(self._launch.files.image.stop_signal)

    async def run(self, command: Sequence[str], timeout: float | None) -> tuple[int, str]:
        """Run a command in the container; returns its exit code and the begin of its output.

        Args:
            timeout: seconds, after which the command is killed.

        Raises:
            OSError: there is no such program.
            TimeoutError: the time was up.
        """
        with tempfile.TemporaryFile() as output:
            process = await self.spawn(command, StandardStreams.only_output(output.fileno()))
            try:
                async with asyncio.timeout(timeout):
                    code = await process.wait()
            finally:
                process.kill()
            output.seek(0)
            return code, output.read(OUTPUT_LIMIT).decode(errors="replace")

    async def spawn(self, command: Sequence[str], streams: StandardStreams) -> Process:
        """Start a command in the container; it ends with the container at the latest.

        Raises:
            OSError: there is no such program, or the container has ended.
        """
        launch = self._launch
        if not self.process.running:
            raise ProcessLookupError(errno.ESRCH, "the container is not running")
        root = launch.env.get("FLASHSALE_ROOT", "")
        meant = list(command)
        if possible_namespaces() != "all":
            meant = without_namespaces(meant, self.process.pid, root)
        env = {**launch.env, "FLASHSALE_GUEST": launch.env["FLASHSALE_GUEST"][:-1]}
        process = await spawn(
            launch.files.command(meant),
            env=env | ({"TERM": "xterm"} if streams.terminal and "TERM" not in env else {}),
            cwd=launch.cwd,
            streams=streams,
            join=self.process.pid if launch.root else 0,
        )
        self._commands.add(process)
        process.ended.add_done_callback(lambda _: self._commands.discard(process))
        if not self.process.running:
            process.kill()
        return process

    def last_words(self, *, failed: bool) -> str:
        """Return the termination message, as kubectl shows it: 4 KiB of its file at most."""
        text, launch = b"", self._launch
        from_log = launch.spec.get("terminationMessagePolicy") == "FallbackToLogsOnError"
        with contextlib.suppress(OSError):
            file = launch.files.rootfs / termination_path(launch.spec).lstrip("/")
            text = file.read_bytes()[:MESSAGE_LIMIT]
        if not text and failed and from_log:
            self.close()
            text = log_file.render(_end_of(self._log.path), timestamps=False)[-MESSAGE_FROM_LOG:]
        return text.decode(errors="replace")

    def reap(self) -> None:
        """Wait for the end of what was killed, without the event loop; commands are killed here."""
        self.process.reap()
        self.close()
        for command in tuple(self._commands):
            command.reap()

    def close(self) -> None:
        """Take what is left of the output and end the log; safe to call again."""
        for command in tuple(self._commands):
            command.kill()
        if self._output >= 0:
            while self._read():
                pass
            self._close_output()
        self.input.close()
        self._logs.close(self._log)
        self._launch.pid.unlink(missing_ok=True)

    def _read(self) -> bool:
        try:
            data = os.read(self._output, BLOCK)
        except BlockingIOError:
            return False
        except OSError:  # EIO: nobody has the terminal open any more
            data = b""
        if data:
            self._log.write(data)
            self._tell(data)
        else:
            self._close_output()
        return bool(data)

    def _tell(self, data: bytes) -> None:
        for hear in tuple(self.listeners):
            hear(data)

    def _close_output(self) -> None:
        if self._output >= 0:
            asyncio.get_running_loop().remove_reader(self._output)
            os.close(self._output)
            self._output = -1
            self._tell(b"")


class Runtime:
    """Starts containers below ``root``: ``root/UID/CONTAINER/{rootfs,logs,pid}``."""

    def __init__(self, root: Path, logs: Logs) -> None:
        self._root, self._logs = root, logs

    async def start(
        self,
        pod: Object,
        spec: Object,
        image: NodeImage,
        variables: Mapping[str, str],
        address: PodAddress,
        container_id: str,
        volumes: Mapping[str, Path],
    ) -> Instance:
        """Start a container in a fresh copy of its image's files.

        Args:
            volumes: what is mounted in it, by place.
            variables: what the pod defines, service links included.

        Raises:
            StartError: its command is missing or cannot be run.
        """
        meta = pod["metadata"]
        folder = self._root / meta["uid"] / spec["name"]
        own_root = await asyncio.to_thread(is_possible)
        files = ContainerFiles(folder, image, self._root, own_root=own_root)
        try:
            # What a thread goes on to write would outlive a pod that is deleted meanwhile.
            await finish(asyncio.to_thread(files.lay_out, spec, volumes))
            cwd = files.folder_for(spec.get("workingDir") or image.workdir)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the working directory
            why = os_error(error) if isinstance(error, OSError) else error
            raise StartError(f"the container's files cannot be laid out: {why}", 128) from error
        env = files.environment(variables, meta["name"])
        env |= {"FLASHSALE_GUEST": guest(meta["name"], address), MARK: str(folder)}
        if not own_root:
            env["FLASHSALE_ROOT"] = str(files.rootfs)
        if spec.get("tty"):
            env.setdefault("TERM", "xterm")
        argv = files.command(_command(spec, image, variables))
        root = files.root(meta["name"], address.ip)
        try:
            log = self._logs.open(meta["uid"], spec["name"], container_id)
        except OSError as error:
            why = os_error(error)
            raise StartError(f"the container's log cannot be opened: {why}", 128) from error
        try:
            return await self._spawn(Launch(spec, files, argv, env, cwd, root), log)
        except BaseException as error:
            self._logs.close(log)  # also where the pod was deleted meanwhile
            if not isinstance(error, OSError):
                raise
            raise why_not_started(argv, error, files.rootfs) from error

    async def _spawn(self, launch: Launch, log: LogWriter) -> Instance:
        stdin, tty = (bool(launch.spec.get(key)) for key in ("stdin", "tty"))
        with contextlib.ExitStack() as ours, contextlib.ExitStack() as theirs:
            reading, command_input, streams = container_streams(ours, theirs, stdin=stdin, tty=tty)
            process = await spawn(
                launch.argv, env=launch.env, cwd=launch.cwd, streams=streams, root=launch.root
            )
            ours.pop_all()
        with contextlib.suppress(OSError):  # a full disk; the pod can do without
            replace_file(launch.pid, f"{process.pid}\n")
        return Instance(launch, process, reading, log, self._logs, command_input)

    def folder(self, uid: str) -> Path:
        return self._root / uid

    def forget(self, uid: str) -> None:
        """Remove all that lies here of a pod whose object is gone."""
        shutil.rmtree(self._root / uid, ignore_errors=True)

    def sweep(self, uids: set[str]) -> None:
        """Remove what lies here of pods that no longer exist, and processes of another life."""
        kill_marked(f"{self._root}/")
        with contextlib.suppress(FileNotFoundError):
            for folder in self._root.iterdir():
                if folder.name not in uids:
                    self.forget(folder.name)


def _command(spec: Object, image: NodeImage, variables: Mapping[str, str]) -> list[str]:
    """Put the command together: the pod's `command` and `args` replace ENTRYPOINT and CMD."""
    command = [expand_references(word, variables) for word in spec.get("command") or []]
    args = [expand_references(word, variables) for word in spec.get("args") or []]
    if not command:
        command, args = list(image.entrypoint), args or list(image.cmd)
    if not command + args:
        raise StartError("no command specified", 127)
    return command + args


def _end_of(path: Path) -> bytes:
    with contextlib.suppress(OSError), path.open("rb") as file:
        file.seek(log_file.find_last_records(file, 80)[0])
        return file.read()
    return b""
