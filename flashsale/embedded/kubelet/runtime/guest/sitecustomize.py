"""Makes a Python process believe that it is in a container; Python itself runs it at its start.

The kubelet puts this folder on the PYTHONPATH of every pod. Then, at Python level only:

- the machine's name is the pod's name;
- 0.0.0.0 is the pod's own address, and 127.0.0.1 is one that only this pod uses; a socket that is
  asked where it listens says it as it was told, so that logs read as those of a container;
- the first process of a container ignores SIGTERM until it installs a handler, as process 1 of a
  real container does.

FLASHSALE_GUEST says how: `NAME;POD IP;LOOPBACK;PORT=PORT,...;PORT=PORT,...;INIT`. The app does not
see it: it leaves os.environ, but goes on to child processes.

This file stands alone and takes about a millisecond, for it runs in *every* Python process of a
pod: only built-in modules, and `_socket` is patched, on which `socket` is built once it is loaded.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

VARIABLE = "FLASHSALE_GUEST"
FOLDER = os.path.dirname(os.path.abspath(__file__))
LONGEST = 100  # bytes of a socket's path; the limit is 103 on macOS and 107 on Linux
ANY = ("", "0.0.0.0", "::", "0", "*")
LOCAL = ("127.0.0.1", "localhost", "::1", "ip6-localhost", "localhost.localdomain")


def _ports(text: str) -> dict[int, int]:
    pairs = (pair.split("=") for pair in text.split(",") if pair)
    return {int(wanted): int(real) for wanted, real in pairs}


class GuestPod:
    """What this process is told to believe."""

    def __init__(self, text: str) -> None:
        self.name, self.ip, self.loopback, ports, private, init = text.split(";")
        self.ports, self.private = _ports(ports), _ports(private)
        self.init = init == "1"
        self.shared = self.ip == self.loopback  # all pods share 127.0.0.1 and differ by port

    def listen_on(self, host: str, port: int) -> tuple[str, int]:
        """Say where a bind to all addresses, or to localhost, goes."""
        local = host in LOCAL
        ports = self.private if local else self.ports
        # On a shared address an unknown port must not get in another pod's way: let it be any.
        other = 0 if self.shared else port
        return (self.loopback if local else self.ip), ports.get(port, other) if port else 0

    def reach(self, port: int) -> tuple[str, int]:
        """Say where a connection to localhost goes: to who listens there, or on all addresses."""
        private = self.private.get(port, port)
        if private != port or not self.shared:
            if _taken(self.loopback, private):
                return self.loopback, private
            return self.ip, self.ports.get(port, port)
        return self.loopback, port

    def told(self, host: str, port: int, *, connected: bool) -> tuple[str, int]:
        """Say as what the app knows an address of its own."""
        public = {real: wanted for wanted, real in self.ports.items()}
        private = {real: wanted for wanted, real in self.private.items()}
        if host == self.loopback and (not self.shared or port in private):
            return "127.0.0.1", private.get(port, port)
        if host == self.ip and (not self.shared or port in public):
            return host if connected else "0.0.0.0", public.get(port, port)
        return host, port


def _taken(host: str, port: int) -> bool:
    """Whether somebody listens there; asked by binding, which leaves the listener in peace."""
    probe = Plain(_socket.AF_INET, _socket.SOCK_STREAM)
    try:
        probe.bind((host, port))
    except OSError as error:
        return bool(error.errno == EADDRINUSE)
    finally:
        probe.close()
    return False


def _parts(address: Any) -> tuple[str, int] | None:
    """Read host and port of an IP address; None if it is something else."""
    if not isinstance(address, tuple) or len(address) < 2 or not isinstance(address[1], int):
        return None
    host = address[0]
    if isinstance(host, (bytes, bytearray)):
        host = host.decode("ascii", "replace")
    return (host, address[1]) if isinstance(host, str) else None


def _short(path: Any) -> Any:
    """Write a socket's path relative to where we are, where the whole would be too long.

    A container's folder lies deep; gunicorn puts its control socket there and complains.
    """
    if isinstance(path, str) and len(os.fsencode(path)) > LONGEST and path.startswith("/"):
        return os.path.relpath(path)
    return path


def _bind_to(sock: Any, address: Any) -> Any:
    if sock.family == _socket.AF_UNIX:
        return _short(address)
    parts = _parts(address)
    if parts is None or sock.family not in FAMILIES or parts[0] not in ANY + LOCAL:
        return address
    if sock.family == _socket.AF_INET:
        return pod.listen_on(*parts)
    if sock.getsockopt(_socket.IPPROTO_IPV6, _socket.IPV6_V6ONLY):
        return ("::1", 0)  # pods use IPv4: such a socket may exist, but nobody connects to it
    host, port = pod.listen_on(*parts)
    return (f"::ffff:{host}", port)


def _told_by(sock: Any, address: Any) -> Any:
    parts = _parts(address)
    if parts is None or sock.family not in FAMILIES:
        return address
    try:
        Plain.getpeername(sock)
        connected = True
    except OSError:
        connected = False
    real, (_, mapped, plain) = parts[0], parts[0].rpartition("::ffff:")
    host, port = pod.told(plain, parts[1], connected=connected)
    if mapped and host != plain:
        host = "::1" if host == "127.0.0.1" else "::"
    return (host if host != plain else real, port, *address[2:])


def _connect_to(sock: Any, address: Any) -> Any:
    if sock.family == _socket.AF_UNIX:
        return _short(address)
    parts = _parts(address)
    if parts is None or sock.family not in FAMILIES:
        return address
    host, port = parts
    if host in LOCAL or host in ANY:
        host, port = pod.reach(port)
    elif host == pod.ip and port in pod.ports:
        port = pod.ports[port]
    else:
        return address
    return (host, port) if sock.family == _socket.AF_INET else (f"::ffff:{host}", port)


def _named(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a name look-up know the pod's own name, as /etc/hosts of a container does."""

    def look_up(host: Any, *args: Any, **kwargs: Any) -> Any:
        own = host == pod.name or host == pod.name.encode()
        return function(pod.ip if own else host, *args, **kwargs)

    return look_up


def _addressed(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the pod's own address have its name: http.server asks, and DNS may take seconds."""

    def look_up(host: Any) -> Any:
        own = not pod.shared and host in (pod.ip, pod.name)
        return (pod.name, [], [pod.ip]) if own else function(host)

    return look_up


def _believing() -> Any:
    """Make the class of sockets that know addresses as a container's do."""

    class Socket(Plain):  # type: ignore[misc]
        __slots__ = ()

        def bind(self, address: Any) -> None:
            Plain.bind(self, _bind_to(self, address))

        def connect(self, address: Any) -> None:
            Plain.connect(self, _connect_to(self, address))

        def connect_ex(self, address: Any) -> int:
            return int(Plain.connect_ex(self, _connect_to(self, address)))

        def getsockname(self) -> Any:
            return _told_by(self, Plain.getsockname(self))

    return Socket


def _patch_sockets() -> None:
    Socket = _believing()
    functions: dict[str, Callable[..., Any]] = {"gethostname": lambda: pod.name}
    for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
        functions[name] = _named(getattr(_socket, name))
    functions["gethostbyaddr"] = _addressed(_socket.gethostbyaddr)
    for name, function in functions.items():
        setattr(_socket, name, function)
    _socket.socket = Socket  # type: ignore[misc]
    if loaded := sys.modules.get("socket"):  # somebody was faster (a .pth file): patch it as well
        for name in functions:
            if name != "getaddrinfo":  # socket's own asks _socket's each time
                setattr(loaded, name, functions[name])
        for name in ("bind", "connect", "connect_ex", "getsockname"):
            setattr(loaded.socket, name, Socket.__dict__[name])


def _patch_uname() -> None:
    real = os.uname

    def uname() -> os.uname_result:
        names = real()
        return os.uname_result(
            (names.sysname, pod.name, names.release, names.version, names.machine)
        )

    os.uname = uname


def _ignore_sigterm() -> None:
    """Install a handler that does nothing; unlike SIG_IGN it is not inherited by a child's exec."""
    import _signal  # type: ignore[import-not-found]  # built in; `signal` would cost an enum

    def ignore(signum: int, frame: Any) -> None:
        """Process 1 of a container has no default action for SIGTERM."""

    def forget() -> None:
        if _signal.getsignal(_signal.SIGTERM) is ignore:
            _signal.signal(_signal.SIGTERM, _signal.SIG_DFL)

    if _signal.getsignal(_signal.SIGTERM) == _signal.SIG_DFL:
        _signal.signal(_signal.SIGTERM, ignore)
        os.register_at_fork(after_in_child=forget)


def _with_guest(environ: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Hand the belief on to a child that gets an environment of its own."""
    path = environ.get(b"PYTHONPATH", b"")
    folder = os.fsencode(FOLDER)
    if folder not in path.split(b":"):
        path = folder + (b":" + path if path else b"")
    ours = {VARIABLE: GUEST, "FLASHSALE_ROOT": ROOT, "FLASHSALE_CONTAINER": CONTAINER}
    kept = {name.encode(): os.fsencode(value) for name, value in ours.items() if value}
    return {**environ, b"PYTHONPATH": path, **kept}


def _patch_children() -> None:
    """Werkzeug's reloader, gunicorn's upgrade and others start Python with a copied environment."""
    import _posixsubprocess

    fork_exec: Callable[..., int] = _posixsubprocess.fork_exec

    def forking(*args: Any) -> int:
        listed = args[5]  # KEY=VALUE as bytes; None means: the one of this process
        if listed is not None:
            pairs = dict(entry.split(b"=", 1) for entry in listed if b"=" in entry)
            listed = [key + b"=" + value for key, value in _with_guest(pairs).items()]
        return fork_exec(*args[:5], listed, *args[6:])

    _posixsubprocess.fork_exec = forking
    for name in ("execve", "posix_spawn", "posix_spawnp"):
        if function := getattr(os, name, None):
            setattr(os, name, _handing_on(function))


def _handing_on(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function whose third argument is an environment."""

    def wrapped(path: Any, argv: Any, env: Any, **options: Any) -> Any:
        if env is not None:  # None means: the one of this process
            env = {os.fsencode(key): os.fsencode(value) for key, value in env.items()}
            env = _with_guest(env)
        return function(path, argv, env, **options)

    return wrapped


def _hide() -> None:
    """Take our variables out of os.environ, but not out of what child processes inherit."""
    data: Any = getattr(os.environ, "_data", {})
    for name in (VARIABLE, "FLASHSALE_ROOT", "FLASHSALE_CONTAINER"):
        data.pop(name.encode(), None)
    rest = [part for part in os.environ.get("PYTHONPATH", "").split(":") if part != FOLDER]
    if rest and rest != [""]:
        data[b"PYTHONPATH"] = os.fsencode(":".join(rest))
    else:
        data.pop(b"PYTHONPATH", None)


def _see_own_root() -> None:
    """Let absolute paths mean the container's copy where it has no root of its own."""
    import builtins
    import io

    def real(path: Any) -> Any:
        if isinstance(path, str) and path.startswith("/") and not path.startswith(ROOT):
            first = path.split("/", 2)[1]
            if first in TOPS and (first not in SYSTEM or belongs_to_image(path)):
                return ROOT + path
        return path

    def belongs_to_image(path: str) -> bool:
        folder = os.path.dirname(path)  # of a file that is to be made
        return is_there(ROOT + path) or (is_there(ROOT + folder) and not is_there(folder))

    def is_there(path: str) -> bool:
        try:
            lstat(path)
        except (OSError, ValueError):
            return False
        return True

    def seeing(function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(path: Any, *args: Any, **kwargs: Any) -> Any:
            return function(real(path), *args, **kwargs)

        return wrapped

    lstat = os.lstat
    TOPS = set(os.listdir(ROOT))
    builtins.open = io.open = seeing(open)
    for name in (
        *("open", "stat", "lstat", "listdir", "scandir", "mkdir", "chdir", "access", "remove"),
        *("unlink", "rmdir", "chmod", "utime", "readlink", "statvfs", "truncate"),
    ):
        setattr(os, name, seeing(getattr(os, name)))


def _chain() -> None:
    """Import the sitecustomize that this one stands in front of, if there is one."""
    sys.path[:] = [entry for entry in sys.path if entry != FOLDER]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        import sitecustomize  # type: ignore[import-not-found]  # noqa: F401  (the next one)
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
    finally:
        if ours is not None:
            sys.modules.setdefault("sitecustomize", ours)


GUEST = os.environ.get(VARIABLE, "")
ROOT = os.environ.get("FLASHSALE_ROOT", "")  # where it has no root of its own
CONTAINER = os.environ.get("FLASHSALE_CONTAINER", "")  # by which its processes are known
SYSTEM = ("usr", "bin", "sbin", "lib", "lib64", "etc", "var", "dev", "tmp", "root", "home", "opt")
if GUEST:
    import _socket
    from errno import EADDRINUSE

    Plain: Any = _socket.socket
    FAMILIES = (_socket.AF_INET, getattr(_socket, "AF_INET6", None))
    pod = GuestPod(GUEST)
    _patch_sockets()
    _patch_uname()
    _patch_children()
    if pod.init and os.getpid() == os.getsid(0):  # children of the first process are not leaders
        _ignore_sigterm()
    if ROOT:
        _see_own_root()
    _hide()
_chain()
