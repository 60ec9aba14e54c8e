"""What a Python process in a pod is made to believe."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.kubelet.runtime.container_env import guest
from flashsale.embedded.kubelet.runtime.container_files import GUEST
from flashsale.embedded.kubelet.runtime.pod_network import PodAddress

POD = PodAddress("127.77.4.9", "127.77.5.9")
REALLY = "really = socket.socket.__mro__[-2].getsockname"  # past the belief


def run(code: str, address: PodAddress = POD, *, path: str = "", **options: Any) -> Any:
    """Run Python in a pod called web-1; returns what it prints, read as JSON."""
    env = {"FLASHSALE_GUEST": guest("web-1", address), "HOME": "/tmp"}
    env["PYTHONPATH"] = f"{GUEST}:{path}" if path else str(GUEST)
    command = [sys.executable, "-c", "import json, os, socket, sys\n" + code]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=20, **options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_way_to_ask_for_the_machines_name_gives_the_pods() -> None:
    """socket, os, platform, and looking up one's own name as examples do."""
    code = """
import platform
names = [socket.gethostname(), os.uname().nodename, platform.node(), socket.getfqdn()]
print(json.dumps([names, socket.gethostbyname(socket.gethostname())]))"""
    assert run(code) == [["web-1"] * 4, POD.ip]


@pytest.mark.parametrize(("host", "known"), [("0.0.0.0", "0.0.0.0"), ("", "0.0.0.0"), ("::", "::")])
def test_all_addresses_are_the_pods_own(host: str, known: str) -> None:
    """A server on 0.0.0.0 can be there once per pod, on the same port; its log says 0.0.0.0."""
    code = f"""
{REALLY}
s = socket.socket(socket.AF_INET6 if {host!r} == "::" else socket.AF_INET)
s.bind(({host!r}, 5000))
print(json.dumps([really(s)[0], really(s)[1], *s.getsockname()[:2]]))"""
    done = run(code)
    assert done[0].removeprefix("::ffff:") == POD.ip
    assert done[1:] == [5000, known, 5000]


def test_a_connection_knows_the_pods_address() -> None:
    """Only who listens on all addresses says so; who was found at one says which."""
    code = """
s = socket.socket()
s.bind(("0.0.0.0", 5000))
s.listen()
with socket.create_connection((%r, 5000)):
    accepted, _ = s.accept()
print(json.dumps(accepted.getsockname()))"""
    assert run(code % POD.ip) == [POD.ip, 5000]


def test_localhost_is_not_the_pods_address() -> None:
    """Who listens on 127.0.0.1 only is not reached from outside, as in a real pod."""
    code = (
        REALLY
        + """
s = socket.socket()
s.bind(("127.0.0.1", 5000))
s.listen()
with socket.create_connection(("localhost", 5000)) as own:
    inside = own.getpeername()
outside = socket.socket().connect_ex((%r, 5000))
print(json.dumps([really(s), s.getsockname(), inside, outside != 0]))"""
    )
    real = [POD.loopback, 5000]
    assert run(code % POD.ip) == [real, ["127.0.0.1", 5000], real, True]


def test_localhost_reaches_a_server_on_all_addresses() -> None:
    """Inside the pod 127.0.0.1 is the pod, whoever listens, blocking or not."""
    code = """
import asyncio
s = socket.socket()
s.bind(("0.0.0.0", 5000))
s.listen()
socket.create_connection(("127.0.0.1", 5000)).close()
async def ask():
    reader, writer = await asyncio.open_connection("localhost", 5000)
    name = writer.get_extra_info("peername")
    writer.close()
    return name
print(json.dumps(asyncio.run(ask())))"""
    assert run(code) == [POD.ip, 5000]


def test_a_server_on_every_family_starts() -> None:
    """asyncio binds 0.0.0.0 and an IPv6-only ::; the second must not spoil the first."""
    code = """
import asyncio
async def serve():
    server = await asyncio.start_server(lambda r, w: None, None, 5000)
    return [s.getsockname()[:2] for s in server.sockets]
print(json.dumps(asyncio.run(serve())))"""
    assert ["0.0.0.0", 5000] in run(code)


def test_ports_are_mapped_where_all_pods_share_an_address() -> None:
    """As on macOS: a declared port is another one in truth; an unknown one is any."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        ports = one.getsockname()[1], other.getsockname()[1]
    shared = PodAddress("127.0.0.1", "127.0.0.1", {5000: ports[0]}, {5000: ports[1]})
    code = (
        REALLY
        + """
def bound(host, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((host, port))
    return really(s)[1], *s.getsockname()
print(json.dumps([bound("0.0.0.0", 5000), bound("127.0.0.1", 5000), bound("0.0.0.0", 8000)]))"""
    )
    first, private, unknown = run(code, shared)
    assert first == [ports[0], "0.0.0.0", 5000]
    assert private == [ports[1], "127.0.0.1", 5000]
    assert unknown[0] != 8000


def test_the_app_does_not_see_how_it_is_done() -> None:
    """Its own PYTHONPATH is whole, ours is gone from os.environ and sys.path."""
    code = """
print(json.dumps([os.environ.get("PYTHONPATH"), "FLASHSALE_GUEST" in os.environ,
                  [p for p in sys.path if "guest" in p]]))"""
    assert run(code, path="/opt/own") == ["/opt/own", False, []]
    assert run(code)[0] is None


@pytest.mark.parametrize("env", ["None", "dict(os.environ)", "{}"])
def test_child_processes_believe_it_too(env: str) -> None:
    """Also with a copied environment, as Werkzeug's reloader starts its child."""
    code = f"""
import subprocess
code = "import socket; print(socket.gethostname())"
print(json.dumps(subprocess.check_output([sys.executable, "-c", code], env={env}, text=True)))"""
    assert run(code) == "web-1\n"


def test_exec_with_an_environment_keeps_the_belief() -> None:
    """gunicorn's upgrade replaces itself with os.execve."""
    code = """
inner = "import socket, json; print(json.dumps(socket.gethostname()))"
os.execve(sys.executable, [sys.executable, "-c", inner], {})"""
    assert run(code) == "web-1"


def test_only_the_containers_first_process_ignores_sigterm() -> None:
    """It survives SIGTERM without a handler, as process 1 does; its children do not."""
    code = """
import signal, subprocess
os.kill(os.getpid(), signal.SIGTERM)
child = subprocess.Popen([sys.executable, "-c", "import time; print(1, flush=True); time.sleep(9)"],
                         stdout=subprocess.PIPE)
child.stdout.read(1)
child.terminate()
forked = os.fork()
if not forked:
    os.kill(os.getpid(), signal.SIGTERM)
    os._exit(0)
print(json.dumps([child.wait(), os.waitpid(forked, 0)[1]]))"""
    assert run(code, start_new_session=True) == [-15, 15]


def test_a_sitecustomize_that_is_there_runs_as_well(tmp_path: Path) -> None:
    """Distributions and coverage tools have one; ours stands in front of it."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.customized = True\n")
    code = 'print(json.dumps([sys.customized, sys.modules["sitecustomize"].__file__]))'
    assert run(code, path=str(tmp_path)) == [True, str(tmp_path / "sitecustomize.py")]


def test_it_does_nothing_outside_a_pod() -> None:
    """Without its variable it changes nothing."""
    env = {"PYTHONPATH": str(GUEST)}
    code = "import socket, _socket; print(_socket.socket.__name__, socket.gethostname())"
    out = subprocess.check_output([sys.executable, "-c", code], env=env, text=True)
    assert out.split() == ["socket", os.uname().nodename]


def test_a_socket_path_that_is_too_long_still_works(tmp_path: Path) -> None:
    """gunicorn puts a control socket into the container's folder, which lies deep."""
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    code = f"""
s = socket.socket(socket.AF_UNIX)
s.bind({str(deep / "x.ctl")!r})
s.listen()
c = socket.socket(socket.AF_UNIX)
c.connect({str(deep / "x.ctl")!r})
print(json.dumps(True))"""
    assert run(code, cwd=deep)
    assert (deep / "x.ctl").exists()
