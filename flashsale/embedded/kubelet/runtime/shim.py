"""Stands over one container: starts its first process, and leaves nothing of it behind.

A script of its own, with the standard library alone: `python -I -S shim.py FD`. The descriptor is
a socket whose other end the cluster's process holds. From there comes what to run, and later
signals, a byte each; back go the process's id, or why there is none, and in the end its exit code.

On Linux this process is a subreaper: whatever the container starts stays its descendant, in
whatever session or process group, however often it forks and whatever it does to its environment.
When the first process ends, all of them are killed, as in a PID namespace; and so they are when the
cluster's end of the socket closes, which it does whenever that process dies.

Where the machine lets an ordinary user do it, the container gets a root of its own: a user and a
mount namespace with the image's folders bound over the machine's. Where it can have a /proc of its
own as well, it gets a namespace for processes, in which its first one has the number 1.
"""

from __future__ import annotations

import ctypes
import marshal
import os
import select
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from typing import Any

    Request = dict[str, Any]
else:
    import _signal as signal  # built in; `signal` itself would cost an enum

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
CLONE_NEWPID = 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC = 2, 4, 8
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
KILL_ALL = 255  # instead of a signal's number
LINUX = sys.platform == "linux"


def main() -> None:
    control = int(sys.argv[1])
    os.set_inheritable(control, False)  # not for the container: who writes to it speaks for us
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # whoever stops the cluster must not stop this
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    request = receive(control)
    first, problem = start_process(request)
    if problem:
        os.write(control, problem)
        sys.exit(0)
    os.write(control, b"started %d\n" % first)
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(quiet, stream)
    code = supervise(control, first)
    kill_all(first)
    try:  # contextlib would cost as much time as all the rest
        os.write(control, b"ended %d\n" % code)
    except OSError:
        return  # nobody is left to hear it


def receive(control: int) -> Request:
    """Read the request: its length, then what marshal made of it."""
    data = b""
    while len(data) < 8 or len(data) < 8 + int(data[:8], 16):
        more = os.read(control, 65536)
        if not more:
            sys.exit(1)
        data += more
    request: Request = marshal.loads(data[8:])
    return request


def start_process(request: Request) -> tuple[int, bytes]:
    """Start the first process; returns its id, and what to say if it cannot be started."""
    top = -1
    try:
        if request["root"]:
            unshare(own_pids=request["root"]["own_pids"])
        elif request["join"]:
            top = join_outer(request["join"])
        reading, writing = os.pipe()
        pid = os.fork()  # ENOMEM: the namespace that was joined has lost its first process
    except OSError as error:
        return 0, b"failed %d\n" % (error.errno or 0)
    if pid == 0:
        try:
            os.close(reading)
            become(request, writing, top)
        except OSError as error:
            os.write(writing, b"failed %d\n" % (error.errno or 0))
        finally:
            os._exit(127)
    os.close(writing)
    problem = os.read(reading, 100)
    os.close(reading)
    if problem:
        os.waitpid(pid, 0)
    return pid, problem


def become(request: Request, writing: int, top: int) -> None:
    """Turn this child into the container's first process; the parent reads what it writes."""
    os.setsid()
    if request["terminal"]:
        import fcntl  # not for all those that have none
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    if request["root"]:
        enter_root(request["root"])
    elif request["join"]:
        join_root(request["join"], top)
    if LINUX:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        parent = select.poll()
        parent.register(writing, 0)
        if parent.poll(0):  # nobody reads any more: it ended before it could take this along
            os._exit(1)
    os.chdir(request["cwd"])
    os.execvpe(request["argv"][0], request["argv"], request["env"])


def unshare(*, own_pids: bool) -> None:
    """Leave the machine's mounts and name, and let children be the only processes they see."""
    libc = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.geteuid(), os.getegid()
    flags = CLONE_NEWNS | CLONE_NEWUTS | (CLONE_NEWPID if own_pids else 0)
    if uid or libc.unshare(flags):
        check(libc.unshare(flags | CLONE_NEWUSER))
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{uid} {uid} 1"),
            ("gid_map", f"{gid} {gid} 1"),
        ):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
    mount(libc, None, "/", None, MS_REC | MS_PRIVATE)


def enter_root(root: Request) -> None:
    """Give this process a root of its own: (what, place, source) one after the other."""
    libc = ctypes.CDLL(None, use_errno=True)
    top = root["folder"]
    mount(libc, "flashsale", top, "tmpfs", 0)
    for what, place, source in root["steps"]:
        path = top + place
        if what == "folder":
            os.makedirs(path, exist_ok=True)
        elif what == "link":
            os.symlink(source, path)
        elif what == "proc":
            os.makedirs(path, exist_ok=True)
            mount(libc, "proc", path, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        elif what == "over" or os.path.lexists(source):  # else it has gone meanwhile
            if what == "bind":
                os.makedirs(path, exist_ok=True)
            elif what == "file":
                os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
            mount(libc, source, path, None, MS_BIND | MS_REC)  # "over": the place is there
    host = root["hostname"].encode()
    check(libc.sethostname(host, len(host)))
    os.chroot(top)


def join_outer(pid: int) -> int:
    """Let children see the processes of a container; returns its root, open."""
    top = os.open(f"/proc/{pid}/root", os.O_RDONLY | os.O_DIRECTORY)
    join_spaces(pid, "user", "pid")
    return top


def join_root(pid: int, top: int) -> None:
    """See what another process of the container sees."""
    join_spaces(pid, "mnt", "uts")
    os.fchdir(top)
    os.chroot(".")


def join_spaces(pid: int, *names: str) -> None:
    """Enter namespaces of another process, where they are not those of this one."""
    libc = ctypes.CDLL(None, use_errno=True)
    spaces = []
    for name in names:
        path = f"/proc/{pid}/ns/{name}"
        if os.stat(path).st_ino != os.stat(f"/proc/self/ns/{name}").st_ino:
            spaces.append(os.open(path, os.O_RDONLY))
    for space in spaces:
        check(libc.setns(space, 0))
        os.close(space)


def mount(libc: ctypes.CDLL, source: str | None, target: str, kind: str | None, flags: int) -> None:
    """Mount, or raise OSError."""
    words = [word and os.fsencode(word) for word in (source, target, kind)]
    check(libc.mount(*words, ctypes.c_ulong(flags), None))


def check(result: int) -> None:
    """Raise what the last call of the C library set."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def supervise(control: int, first: int) -> int:
    """Wait for the end of the first process, and pass signals on; returns its exit code."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    while True:
        code = reap(first)
        if code is not None:
            return code
        ready, _, _ = select.select([control, reading], [], [])
        if reading in ready:
            os.read(reading, 4096)
        if control in ready:
            numbers = os.read(control, 64)
            if not numbers:
                return 128 + signal.SIGKILL  # the cluster is gone
            for number in numbers:
                if number == KILL_ALL:
                    return 128 + signal.SIGKILL
                send_signal(first, number)


def reap(first: int) -> int | None:
    """Collect children that have ended; returns the first one's exit code once it has."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 128 + signal.SIGKILL
        if pid == 0:
            return None
        if pid == first:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def kill_all(first: int) -> None:
    """Kill whatever descends from this process until nothing does."""
    pause = 0.0005
    while True:
        send_signal(-first, signal.SIGKILL)  # the whole group
        for pid in descendants():
            send_signal(pid, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(pause)
        pause = min(2 * pause, 0.05)


def send_signal(pid: int, number: int) -> None:
    """Send a signal, unless the process has ended by itself."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # EPERM: macOS says so of a group of zombies


def descendants() -> list[int]:
    """Return the ids of all processes below this one."""
    if not os.path.isdir("/proc/self"):
        return []  # macOS: the process group is what there is
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open("/proc/" + name + "/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            children.setdefault(parent, []).append(int(name))
    pids, todo = [], [os.getpid()]
    while todo:
        below = children.get(todo.pop(), [])
        pids += below
        todo += below
    return pids


if __name__ == "__main__":
    main()
