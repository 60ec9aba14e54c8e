"""A command with streams in a running container."""

import asyncio
import os
import signal
import sys
import threading

import pytest

from flashsale.embedded.kubelet.runtime import container_root, instance
from flashsale.embedded.kubelet.runtime.container_env import without_namespaces
from flashsale.embedded.kubelet.runtime.instance import Instance
from flashsale.embedded.kubelet.streaming.exec_session import (
    STDERR,
    STDOUT,
    ExecSession,
    StreamOptions,
    UnstartedCommand,
    exec_session,
)
from flashsale.embedded.types.api_errors import NodeError
from tests.embedded.kubelet.cluster import NAME, Cluster, spec
from tests.embedded.processes import alive, below, parent_of

BOTH = StreamOptions(stdin=True, stdout=True, stderr=True)
TERMINAL = StreamOptions(stdin=True, stdout=True, tty=True)
IN_TERMINAL = """\
import os, signal
signal.signal(signal.SIGINT, signal.SIG_DFL)
while os.get_terminal_size() != (91, 17):
    pass
print(os.environ["TERM"], flush=True)
input()
"""


@pytest.fixture
def no_namespaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose containers have none of their own."""
    monkeypatch.setattr(container_root, "possible_namespaces", lambda: "")
    monkeypatch.setattr(instance, "possible_namespaces", lambda: "")
    monkeypatch.setattr(instance, "is_possible", lambda: False)


async def running(cluster: Cluster) -> Instance:
    """Start a pod; returns the run of its container."""
    cluster.api.create("p", spec("toggle:1.0", command=["sleep", "1000"]))
    await cluster.running("p")
    return cluster.kubelet.running(cluster.api.pod("p")["metadata"]["uid"], NAME)


async def whole(session: ExecSession | UnstartedCommand, stream: int) -> bytes:
    """Read one output to its end."""
    data = b""
    while more := await session.read(stream):
        data += more
    return data


async def test_a_large_input_passes_through_pipes(cluster: Cluster) -> None:
    """Who writes waits for who reads, and nothing is lost or joined."""
    sent = os.urandom(1 << 20)
    async with exec_session(await running(cluster), ["cat"], BOTH) as session:

        async def send() -> None:
            await session.write(sent)
            session.close_stdin()

        _, received = await asyncio.gather(send(), whole(session, STDOUT))
        assert received == sent
        assert (await whole(session, STDERR), await session.wait()) == (b"", 0)


async def test_output_that_came_before_the_end_is_not_lost(cluster: Cluster) -> None:
    """Although what the command has started still holds the stream open."""
    there, script = await running(cluster), "sleep 60 & echo last"
    async with exec_session(there, ["sh", "-c", script], BOTH) as session:
        assert await whole(session, STDOUT) == b"last\n"
        assert await session.wait() == 0


async def test_a_terminal_has_a_size_and_a_name_and_passes_signals_on(cluster: Cluster) -> None:
    """What runs in it sees both, and Ctrl-C ends it."""
    command = ["python", "-c", IN_TERMINAL]  # who handles Ctrl-C may miss it just before it waits
    async with exec_session(await running(cluster), command, TERMINAL) as session:
        session.resize(91, 17)
        seen = b""
        while b"xterm" not in seen:
            seen += await session.read(STDOUT)
        await session.write(b"\x03")
        assert await session.wait() == 130


async def test_who_leaves_ends_the_command(cluster: Cluster) -> None:
    """And all that it has started."""
    there = await running(cluster)
    async with exec_session(there, ["sh", "-c", "sleep 99; true"], BOTH) as session:
        assert isinstance(session, ExecSession)
        pids = [session.process.pid]
        while sys.platform == "linux" and len(pids) < 2:
            pids = [session.process.pid, *below(session.process.pid)]
            await asyncio.sleep(0.01)
    await cluster.until(lambda: not any(map(alive, pids)))


async def test_the_end_of_the_container_ends_the_command(cluster: Cluster) -> None:
    """As if it had been killed."""
    there = await running(cluster)
    async with exec_session(there, ["sleep", "99"], BOTH) as session:
        there.process.kill()
        assert await session.wait() == 137


@pytest.mark.skipif(sys.platform != "linux", reason="which process is the shim is not known")
@pytest.mark.usefixtures("no_namespaces")  # with them the container's end waits for all of it
async def test_the_end_of_the_kubelet_waits_for_that_of_commands(cluster: Cluster) -> None:
    """However long their shims take: nobody else would."""
    async with exec_session(await running(cluster), ["sleep", "99"], BOTH) as session:
        assert isinstance(session, ExecSession)
        shim = parent_of(session.process.pid)
        os.kill(shim, signal.SIGSTOP)
        threading.Timer(0.1, os.kill, (shim, signal.SIGCONT)).start()
        await cluster.end()
        assert not session.process.running


@pytest.mark.parametrize(
    ("program", "code", "words"),
    [
        ("nope", 127, b'exec: "nope": executable file not found in $PATH: unknown'),
        ("/no/pe", 127, b"stat /no/pe: no such file or directory"),
        ("/etc", 126, b"permission denied"),
    ],
)
async def test_a_program_that_cannot_be_run(
    cluster: Cluster, program: str, code: int, words: bytes
) -> None:
    """It says why as its output, with a shell's exit code."""
    async with exec_session(await running(cluster), [program], BOTH) as session:
        assert words in await whole(session, STDOUT)
        assert await session.wait() == code


async def test_what_does_not_run_cannot_be_entered(cluster: Cluster) -> None:
    """A pod that is not there, and a container that has ended."""
    there = await running(cluster)
    with pytest.raises(NodeError, match="pod does not exist"):
        cluster.kubelet.running("another", NAME)
    with pytest.raises(NodeError, match=r'container not found \("other"\)'):
        cluster.kubelet.running(cluster.api.pod("p")["metadata"]["uid"], "other")
    there.process.kill()
    await there.process.wait()
    async with exec_session(there, ["true"], BOTH) as session:
        assert isinstance(session, UnstartedCommand)


@pytest.mark.skipif(
    container_root.possible_namespaces() != "all", reason="no process numbers of their own here"
)
async def test_the_container_is_process_1_of_its_own(cluster: Cluster) -> None:
    """And sees no process but its own."""
    async with exec_session(await running(cluster), ["ls", "/proc"], BOTH) as session:
        numbers = [int(w) for w in (await whole(session, STDOUT)).split() if w.isdigit()]
        assert 1 in numbers
        assert len(numbers) == 2


@pytest.mark.usefixtures("no_namespaces")
async def test_kill_1_means_the_container_where_it_has_no_numbers_of_its_own(
    cluster: Cluster,
) -> None:
    """Never the process 1 of this machine."""
    there = await running(cluster)
    async with exec_session(there, ["kill", "-KILL", "1"], BOTH) as session:
        await session.wait()
    assert await there.process.wait() == 137


async def test_the_shim_s_socket_is_not_the_container_s(cluster: Cluster) -> None:
    """Who could write to it could say that the container has ended."""
    there = await running(cluster)
    async with exec_session(there, ["sh", "-c", "ls -l /proc/self/fd /proc/1/fd"], BOTH) as session:
        assert b"socket" not in await whole(session, STDOUT)


def test_a_signal_s_number_is_no_process() -> None:
    """Of `kill -s 1 1` only the second 1 is one."""
    assert without_namespaces(["kill", "-s", "1", "1"], 55, "") == ["kill", "-s", "1", "55"]
