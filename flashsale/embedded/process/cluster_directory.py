"""The folder of one embedded cluster: what lies where, who runs on it, and whether it is ours.

=================  =================================================================================
`format`           marks the folder as ours; another number is refused, never converted by guess
`cluster.lock`     held by the running cluster for as long as it lives, with its pid inside: a stale
                   pid cannot mislead
`start.lock`       held by whoever starts or stops it, so that two at once make one cluster
`cluster.json`     pid, port and version of the running cluster
`state.db`         its objects
`pki/`             certificates; `kubeconfig` is made of them
`images/`, `pods/` what the first node runs, `nodes/` the others; `pod-network` their addresses
`cluster.log`      what went wrong
`port`             of the API server, taken again at the next start
=================  =================================================================================
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import logging
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from flashsale.base.errors import ClusterUnreachableError, Hint
from flashsale.base.files import put_aside, replace_file, writable_home_hint
from flashsale.base.text import quoted

FORMAT = "1"
ANNOUNCE_AGAIN = signal.SIGURG  # a living cluster writes these files again; others ignore it
AGAIN_SECONDS = 3.0  # it does so at once, unless it is stopped or starved
PROBE_SECONDS = 0.5  # somebody who only looks at the lock has let go of it long before
OURS = (
    "format", "cluster.lock", "start.lock", "cluster.json", "state.db", "state.db-wal",
    "state.db-shm", "pki", "kubeconfig", "images", "pods", "cluster.log", "cluster.log.1", "port",
    "pod-network", "nodes", "cluster.lock.broken", "cluster.json.broken", "kubeconfig.broken",
    "format.broken", "port.broken", "start.lock.broken", "state.db.broken",
    "state.db.broken-wal", "state.db.broken-shm",
)  # fmt: skip
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RunningCluster:
    """A cluster that lives now."""

    pid: int
    port: int  # of the API server, on 127.0.0.1
    kubeconfig: Path
    version: str  # of the flashsale that started it
    started: float  # unix seconds


@dataclass(frozen=True, slots=True)
class ClusterDirectory:
    """The folder, and what may be asked of it without starting anything."""

    path: Path

    def prepare(self) -> None:
        """Create the folder, or check that it is ours.

        Raises:
            ClusterUnreachableError: it holds other things, another format, or cannot be written.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            put_aside(self.path / "format")
            if not self._marked():
                if strangers := sorted(p.name for p in self.path.iterdir() if p.name not in OURS):
                    raise ClusterUnreachableError(
                        f"The folder {self.path} holds things that are not flashsale's"
                        f" ({', '.join(strangers[:3])}); nothing was touched.",
                        hint=writable_home_hint(),
                    )
                (self.path / "format").write_text(FORMAT + "\n")
            self.path.chmod(0o700)
            self._check_format()
        except OSError as error:
            raise ClusterUnreachableError(
                f"The state folder {self.path} cannot be used: {error.strerror or error}.",
                hint=writable_home_hint(),
            ) from error

    def _marked(self) -> str:
        """Return the number that marks the folder; empty if there is none, or it was spoiled."""
        try:
            version = (self.path / "format").read_text(errors="replace").strip()
        except OSError:
            return ""
        return version if version.isdecimal() and len(version) < 10 else ""

    def _check_format(self) -> None:
        version, old = self._marked(), quoted(self.path)
        if version not in ("", FORMAT):
            raise ClusterUnreachableError(
                f"The state in {self.path} is from another version of flashsale"
                f" (format {version!r}, this one reads {FORMAT!r}); nothing was touched.",
                hint=Hint(f"mv {old} {old}.old && flashsale up", "keeps it aside"),
            )

    def find(self) -> RunningCluster | None:
        """Return the running cluster, None if none lives here.

        Raises:
            ClusterUnreachableError: the state is from another version.
        """
        self._check_format()
        if not self.is_held():
            return None
        return self._announced() or (None if self._is_starting() else self.ask_again())

    def _announced(self) -> RunningCluster | None:
        """Read what the cluster says of itself; None if a file of it is missing or broken."""
        try:
            known = json.loads((self.path / "cluster.json").read_text())
            running = RunningCluster(**known | {"kubeconfig": self.path / "kubeconfig"})
            whole = is_whole(running.kubeconfig.read_text()) and self._marked()
            return running if whole else None
        except (OSError, ValueError, TypeError):
            return None

    def ask_again(self) -> RunningCluster | None:
        """Let the living cluster write again what it says of itself; None if it does not."""
        pid = self.holder()
        with contextlib.suppress(OSError):
            if pid:
                os.kill(pid, ANNOUNCE_AGAIN)
        deadline = time.monotonic() + AGAIN_SECONDS
        while pid and self.is_held() and time.monotonic() < deadline:
            if running := self._announced():
                log.warning("A file of the embedded cluster in %s was broken: mended.", self.path)
                return running
            time.sleep(0.02)
        return None

    def is_held(self) -> bool:
        """Whether a cluster process lives here, ready or not."""
        return _is_locked(self.path / "cluster.lock")

    def _is_starting(self) -> bool:
        """Whether somebody is starting or stopping a cluster here just now."""
        return _is_locked(self.path / "start.lock")

    def hold(self) -> int | None:
        """Take the cluster's lock for the life of this process; None if another has it.

        Returns:
            The descriptor that holds it, for :meth:`is_lost`. It stays open on purpose.
        """
        put_aside(self.path / "cluster.lock")
        descriptor = os.open(self.path / "cluster.lock", os.O_RDWR | os.O_CREAT, 0o600)
        if _lock(descriptor, PROBE_SECONDS):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            return descriptor
        os.close(descriptor)
        return None

    def is_lost(self, descriptor: int) -> bool:
        """Whether the lock that a process holds is not this folder's any more.

        Somebody removed the folder, or the file: nobody finds that process again.
        """
        try:
            return not os.path.samestat(os.fstat(descriptor), os.stat(self.path / "cluster.lock"))
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError:  # it cannot be looked into just now
            return False

    def holder(self) -> int:
        """Return the pid of the cluster process that lives here; 0 if none does, or says so yet."""
        if not self.is_held():
            return 0
        try:
            return int((self.path / "cluster.lock").read_text())
        except (OSError, ValueError):
            return _locked_by(self.path / "cluster.lock")

    def forget(self) -> None:
        """Remove what a cluster that was killed said of itself; only where none lives."""
        self.forget_announcement()
        if (self.path / "cluster.lock").is_file():
            os.truncate(self.path / "cluster.lock", 0)

    def forget_announcement(self) -> None:
        """Remove what says where the cluster can be asked."""
        put_aside(self.path / "cluster.json")
        (self.path / "cluster.json").unlink(missing_ok=True)

    @contextlib.contextmanager
    def starting(self, timeout: float) -> Iterator[None]:
        """Keep others from starting or stopping the cluster meanwhile.

        Raises:
            ClusterUnreachableError: somebody else has been at it for ``timeout`` seconds.
        """
        file = self.path / "start.lock"
        put_aside(file)
        try:
            descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        except PermissionError as error:
            raise _forbidden(file) from error
        try:
            if not _lock(descriptor, timeout):
                raise ClusterUnreachableError(
                    f"Another flashsale has been starting or stopping the cluster in {self.path}"
                    f" for {timeout:.0f} s.",
                    hint=Hint("pgrep -af flashsale", "shows it; wait until it is done"),
                )
            yield
        finally:
            os.close(descriptor)

    def announce(self, running: RunningCluster) -> None:
        """Say who runs here, and where it can be asked."""
        lock, pid = self.path / "cluster.lock", f"{running.pid}\n"
        if lock.read_bytes() != pid.encode():
            lock.write_text(pid)  # not replaced: this very file is locked
        for name in ("format", "port", "cluster.json"):
            put_aside(self.path / name)
        if self._marked() != FORMAT:
            replace_file(self.path / "format", f"{FORMAT}\n")
        replace_file(self.path / "port", f"{running.port}\n")
        known = asdict(running)
        del known["kubeconfig"]
        replace_file(self.path / "cluster.json", json.dumps(known) + "\n")


def is_whole(kubeconfig: str) -> bool:
    """Whether a kubeconfig has its three parts, with certificates and a key that end as they do."""
    data = re.findall(
        r"(?:certificate-authority|client-certificate|client-key)-data: (\S+)", kubeconfig
    )
    try:
        ends = [base64.b64decode(text).rstrip().endswith(b"-----") for text in data]
    except ValueError:
        return False
    return len(ends) >= 3 and all(ends) and "current-context:" in kubeconfig


def _is_locked(file: Path) -> bool:
    """Whether another process holds a file's lock.

    Asked with a shared lock: two who ask at once must not take each other for its holder.

    Raises:
        ClusterUnreachableError: this user may not look.
    """
    try:
        descriptor = os.open(file, os.O_RDWR)
    except PermissionError as error:
        raise _forbidden(file) from error
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _forbidden(file: Path) -> ClusterUnreachableError:
    """Say that this user may not look at a lock, and so cannot know whether a cluster lives."""
    return ClusterUnreachableError(
        f"{file} cannot be opened: permission denied.",
        hint=Hint(f"chmod -R u+rwX {quoted(file.parent)}", "if the folder is yours"),
    )


def _locked_by(file: Path) -> int:
    """Ask Linux which process holds a file's lock (proc_locks(5)); 0 if that is unknown."""
    try:
        inode = f":{file.stat().st_ino}"
        rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return 0
    held = (row for row in rows if row[1:4] == ["FLOCK", "ADVISORY", "WRITE"])
    return next((int(row[4]) for row in held if row[5].endswith(inode)), 0)


def _lock(descriptor: int, timeout: float) -> bool:
    """Take a lock for ourselves; False if somebody else has it for so many seconds."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)
        else:
            return True
