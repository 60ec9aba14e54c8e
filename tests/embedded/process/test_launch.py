"""The cluster's process: started once, found again, killed without loss, refused on bad ground."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flashsale.base.errors import ClusterUnreachableError
from flashsale.embedded.process import cluster_directory, launch
from flashsale.embedded.process.cluster_directory import ClusterDirectory
from flashsale.embedded.process.pki import Pki
from tests.embedded.processes import alive

CONFIG_MAP = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kept"}}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A folder for one cluster, stopped at the end."""
    folder = tmp_path / "embedded"
    yield folder
    if (folder / "format").exists():
        (folder / "format").write_text("1\n")
        launch.stop_cluster(folder)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a cluster that runs, for tests that leave it running."""
    folder = tmp_path_factory.mktemp("running") / "embedded"
    launch.start_cluster(folder)
    yield folder
    launch.stop_cluster(folder)


def wait_for(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Return once the condition holds.

    Raises:
        AssertionError: it did not within ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        threading.Event().wait(0.02)


def spoil(file: Path, how: str) -> None:
    """Damage a file as a full disk, a slip or a stranger does."""
    content = file.read_bytes() if file.is_file() else b""
    if how in ("gone", "folder"):
        file.unlink(missing_ok=True)
        if how == "folder":
            file.mkdir()
    else:
        file.write_bytes({"cut": content[:-40], "rubbish": b"\x00\xff{]rubbish", "empty": b""}[how])


def api(home: Path, method: str, path: str, body: object = None) -> Any:
    """Ask the API server with the client certificate of its kubeconfig."""
    return asyncio.run(_api(home, method, path, body))


async def _api(home: Path, method: str, path: str, body: object) -> Any:
    import ssl

    import aiohttp

    context = ssl.create_default_context(cafile=home / "pki" / "ca.crt")
    context.load_cert_chain(home / "pki" / "client.pem")
    running = launch.find_cluster(home)
    assert running is not None
    url = f"https://127.0.0.1:{running.port}{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, json=body, ssl=context) as response,
    ):
        return await response.json(content_type=None)


def test_two_starts_at_once_make_one_cluster(home: Path) -> None:
    """Four processes race; all report the same pid, and only one lives."""
    code = (
        "import sys; from pathlib import Path; from flashsale.embedded.process import launch;"
        "print(launch.start_cluster(Path(sys.argv[1])).pid)"
    )
    racers = [
        subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE)
        for _ in range(4)
    ]
    pids = {racer.communicate(timeout=60)[0] for racer in racers}
    assert len(pids) == 1
    assert alive(int(pids.pop()))


def test_start_finds_a_cluster_that_runs(running: Path) -> None:
    """It starts no second one, and says the same of it as `find_cluster`."""
    first = launch.find_cluster(running)
    assert first
    assert launch.start_cluster(running) == first
    assert launch.find_cluster(running) == first


def test_stop_ends_the_process_and_says_whether_there_was_one(home: Path) -> None:
    """A second stop has nothing to do."""
    running = launch.start_cluster(home)
    assert launch.stop_cluster(home)
    assert not alive(running.pid)
    assert not launch.stop_cluster(home)
    assert launch.find_cluster(home) is None


def test_stop_ends_a_cluster_of_which_nobody_says_where_it_is(home: Path) -> None:
    """Somebody has removed the file; the process lives, and is found by its lock."""
    running = launch.start_cluster(home)
    (home / "cluster.json").unlink()
    assert launch.stop_cluster(home)
    assert not alive(running.pid)


@contextmanager
def orphaned_start(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A cluster that is just starting, and whoever started it is no longer there."""
    ClusterDirectory(home).prepare()
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "flashsale.embedded.process", str(home), str(writer)],
        pass_fds=[writer],
    )
    for descriptor in (reader, writer):
        os.close(descriptor)
    try:
        wait_for(ClusterDirectory(home).is_held)
        yield process
    finally:
        process.kill()
        process.wait()


def test_stop_ends_a_cluster_that_is_only_just_starting(home: Path) -> None:
    """It does not come up a moment after `stop` said that there was none."""
    with orphaned_start(home) as process:
        assert launch.stop_cluster(home)
        process.wait(timeout=10)
        assert not ClusterDirectory(home).is_held()


def test_start_finds_a_cluster_that_is_only_just_starting(home: Path) -> None:
    """It waits until that one answers."""
    with orphaned_start(home) as process:
        assert launch.start_cluster(home).pid == process.pid


def test_a_holder_that_says_nothing_of_itself_is_told_truthfully(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not "there is no cluster": the kernel knows who holds the lock, where it can be asked."""
    monkeypatch.setattr(cluster_directory, "AGAIN_SECONDS", 0.2)
    ClusterDirectory(home).prepare()
    (home / "cluster.lock").write_text("")
    with open(home / "cluster.lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ClusterUnreachableError, match="lives in") as failure:
            launch.start_cluster(home, timeout=0.1)
    known = Path("/proc/locks").exists()
    assert (f"kill {os.getpid()}" if known else "fuser -k") in failure.value.hint


def test_a_killed_cluster_comes_back_with_its_objects_and_its_port(home: Path) -> None:
    """SIGKILL leaves no stale trace that misleads; the kubeconfig stays true."""
    running = launch.start_cluster(home)
    api(home, "POST", "/api/v1/namespaces/default/configmaps", CONFIG_MAP)
    os.kill(running.pid, signal.SIGKILL)
    wait_for(lambda: launch.find_cluster(home) is None)
    again = launch.start_cluster(home)
    assert again.pid != running.pid
    assert again.port == running.port
    found = api(home, "GET", "/api/v1/namespaces/default/configmaps/kept")
    assert found["metadata"]["name"] == "kept"


def test_a_stale_file_about_a_living_stranger_is_no_cluster(home: Path) -> None:
    """The lock decides, not a pid that another program has by now."""
    ClusterDirectory(home).prepare()
    (home / "cluster.lock").write_text(f"{os.getpid()}\n")
    record = {"pid": os.getpid(), "port": 1, "version": "0", "started": 0.0}
    (home / "cluster.json").write_text(json.dumps(record))
    assert launch.find_cluster(home) is None
    assert launch.start_cluster(home).pid != os.getpid()


def test_many_who_look_do_not_see_a_cluster_in_each_other(home: Path) -> None:
    """Nor does a starting cluster take one that only looks for a cluster."""
    place = ClusterDirectory(home)
    place.prepare()
    (home / "cluster.lock").touch()
    code = (
        "import sys; from pathlib import Path;"
        "from flashsale.embedded.process.cluster_directory import ClusterDirectory;"
        "home = ClusterDirectory(Path(sys.argv[1]));"
        "print(sum(home.is_held() for _ in range(20_000)))"
    )
    watchers = [
        subprocess.Popen([sys.executable, "-c", code, str(home)], stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        assert [watcher.communicate(timeout=60)[0] for watcher in watchers] == [b"0\n"] * 2
    finally:
        for watcher in watchers:
            watcher.kill()


def test_a_starting_cluster_outwaits_one_that_only_looks(home: Path) -> None:
    """A look at the lock takes microseconds, but may fall into just these."""
    ClusterDirectory(home).prepare()
    descriptor = os.open(home / "cluster.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    threading.Timer(0.1, os.close, [descriptor]).start()
    assert launch.start_cluster(home)


def test_a_marker_that_is_only_just_being_written_is_no_other_version(home: Path) -> None:
    """Another process has created the file, and its line is still to come."""
    home.mkdir()
    (home / "format").touch()
    assert launch.find_cluster(home) is None
    ClusterDirectory(home).prepare()
    assert (home / "format").read_text() == "1\n"


def test_another_port_is_taken_when_the_last_one_is_in_use(home: Path) -> None:
    """And the kubeconfig names the new one."""
    ClusterDirectory(home).prepare()
    with socket.socket() as foreign:
        foreign.bind(("127.0.0.1", 0))
        foreign.listen()
        port = foreign.getsockname()[1]
        (home / "port").write_text(f"{port}\n")
        running = launch.start_cluster(home)
    assert running.port != port
    assert f":{running.port}\n" in running.kubeconfig.read_text()


@pytest.mark.parametrize("name", ["ca.crt", "server.pem", "client.pem"])
@pytest.mark.parametrize("how", ["cut", "rubbish", "folder", "empty", "gone"])
def test_a_spoiled_certificate_is_noticed_and_written_anew(
    tmp_path: Path, name: str, how: str
) -> None:
    """Each of them, also where a folder stands in its place."""
    pki = Pki(tmp_path / "pki")
    pki.create()
    assert pki.is_whole()
    spoil(pki.folder / name, how)
    assert not pki.is_whole()
    pki.create()
    assert pki.is_whole()


@pytest.mark.parametrize(
    ("name", "how"), [("ca.crt", "folder"), ("server.pem", "rubbish"), ("client.pem", "cut")]
)
def test_spoiled_certificates_are_made_anew(home: Path, name: str, how: str) -> None:
    """They are derived: whoever spoiled one has not shut anybody out."""
    ClusterDirectory(home).prepare()
    Pki(home / "pki").create()
    spoil(home / "pki" / name, how)
    launch.start_cluster(home)
    assert api(home, "GET", "/version")["major"] == "1"


def test_secrets_are_for_their_owner_only(running: Path) -> None:
    """The folder lets nobody else in, and each key, kubeconfig and database says so again."""
    others = stat.S_IRWXG | stat.S_IRWXO
    kept = [*running.glob("state.db*"), *(running / "pki").iterdir()]
    secrets = [running, running / "kubeconfig", *kept]
    assert len(secrets) >= 6
    assert [path for path in secrets if path.stat().st_mode & others] == []


# As a real Kubernetes v1.36.2 answers.
@pytest.mark.parametrize(
    ("path", "headers", "code", "words"),
    [
        ("/version", {}, 200, "gitVersion"),
        ("/healthz", {}, 200, "ok"),
        (
            "/api/v1/pods",
            {},
            403,
            'pods is forbidden: User \\"system:anonymous\\" cannot list resource \\"pods\\" in API '
            'group \\"\\" at the cluster scope',
        ),
        (
            "/apis",
            {},
            403,
            'forbidden: User \\"system:anonymous\\" cannot get path \\"/apis\\"',
        ),
        ("/version", {"Authorization": "Bearer x"}, 401, "Unauthorized"),
    ],
)
def test_nobody_gets_in_without_a_certificate(
    running: Path, path: str, headers: dict[str, str], code: int, words: str
) -> None:
    """What is public is told; the rest is refused, in the words of a real server."""
    cluster = launch.start_cluster(running)
    context = ssl.create_default_context(cafile=running / "pki" / "ca.crt")
    connection = http.client.HTTPSConnection("127.0.0.1", cluster.port, context=context)
    with contextlib.closing(connection):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        assert answer.status == code
        assert words in answer.read().decode()


def test_a_certificate_of_another_authority_is_refused(running: Path, tmp_path: Path) -> None:
    """TLS itself ends it."""
    stranger = Pki(tmp_path / "pki")
    stranger.create()
    cluster = launch.start_cluster(running)
    context = ssl.create_default_context(cafile=running / "pki" / "ca.crt")
    context.load_cert_chain(stranger.folder / "client.pem")
    with (
        socket.create_connection(("127.0.0.1", cluster.port)) as plain,
        pytest.raises(OSError, match=r"certificate|reset|EOF|unknown ca"),
    ):
        talk(context, plain)


def talk(context: Any, plain: socket.socket) -> None:
    """Shake hands, ask and read: with TLS 1.3 a refusal shows at the first read."""
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as connection:
        connection.sendall(b"GET /version HTTP/1.1\r\nHost: x\r\n\r\n")
        if not connection.recv(1):
            raise ConnectionResetError("reset without an answer")


def test_a_foreign_folder_is_left_alone(home: Path) -> None:
    """Somebody's photographs are not a cluster's state."""
    home.mkdir()
    (home / "holiday.jpg").write_bytes(b"jpeg")
    with pytest.raises(ClusterUnreachableError, match=r"holiday\.jpg"):
        launch.start_cluster(home)
    assert [p.name for p in home.iterdir()] == ["holiday.jpg"]


def test_state_of_another_version_is_refused_by_every_call(home: Path) -> None:
    """Nothing is converted by guess, and nothing destroyed."""
    home.mkdir()
    (home / "format").write_text("999\n")
    for call in (launch.start_cluster, launch.find_cluster):
        with pytest.raises(ClusterUnreachableError, match="another version") as failure:
            call(home)
        assert failure.value.hint


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_corrupt_database_is_put_aside_and_named(
    home: Path, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody can read its objects any more; the cluster begins without, and can be stopped."""
    ClusterDirectory(home).prepare()
    if kind == "file":
        (home / "state.db").write_bytes(b"garbage " * 1000)
    else:
        (home / "state.db").mkdir()
    launch.start_cluster(home)
    assert (home / "state.db.broken").exists()
    if kind == "file":
        assert (home / "state.db.broken").read_bytes() == b"garbage " * 1000
        assert "It is kept as state.db.broken; the cluster begins empty." in caplog.text
    assert launch.stop_cluster(home)


def test_what_the_system_refuses_at_the_start_is_told(home: Path) -> None:
    """On a full disk no log can be written, so the reason comes with the error."""
    ClusterDirectory(home).prepare()
    (home / "pki").write_text("a file")
    with pytest.raises(ClusterUnreachableError, match=r"did not start in .*: .*pki") as failure:
        launch.start_cluster(home)
    assert str(failure.value).count("Errno") == 0
    assert f"df -h {home}" in failure.value.hint


def test_a_folder_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ClusterUnreachableError, match="cannot be used"):
        launch.start_cluster(blocked / "embedded")


@pytest.mark.skipif(sys.platform != "linux", reason="prlimit is Linux's")
def test_too_few_open_files_are_refused_at_once(home: Path) -> None:
    """With fewer the cluster would start, and then be silent."""
    start = "import pathlib, sys; from flashsale.embedded.process import launch;"
    start += " launch.start_cluster(pathlib.Path(sys.argv[1]))"
    limit = [shutil.which("prlimit") or pytest.skip("there is no prlimit"), "--nofile=16"]
    done = subprocess.run(
        [*limit, sys.executable, "-c", start, str(home)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert "may have 16 open files here, and the embedded cluster needs 32." in done.stderr


def test_a_machine_without_its_own_loopback_address_is_told(home: Path) -> None:
    """Some have IPv6 alone."""
    own = ["unshare", "--user", "--map-root-user", "--net"]
    if sys.platform != "linux" or subprocess.run([*own, "true"], check=False).returncode:
        pytest.skip("this machine gives nobody a network of their own")
    ClusterDirectory(home).prepare()
    reader, writer = os.pipe()
    with os.fdopen(reader) as printed:
        command = [
            *own,
            "sh",
            "-c",
            'ip link set lo up; ip -4 addr flush dev lo; exec "$@"',
            "sh",
            sys.executable,
        ]
        process = "flashsale.embedded.process"
        subprocess.run(
            [*command, "-m", process, str(home), str(writer)], pass_fds=[writer],
            capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        os.close(writer)
        words = "The embedded cluster cannot use 127.0.0.1: Cannot assign requested address.\n"
        assert printed.readline() == words
