"""Clients that listen to a running container, and speak with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from flashsale.embedded.kubelet.runtime.instance import Instance
from flashsale.embedded.kubelet.streaming.attach_session import AttachSession, attach_session
from tests.embedded.kubelet.cluster import NAME, Cluster, spec


async def running(cluster: Cluster, script: str, **container: Any) -> Instance:
    """Start a pod that runs a script; returns the run of its container."""
    cluster.api.create("p", spec("toggle:1.0", command=["sh", "-c", script], **container))
    await cluster.running("p")
    return cluster.kubelet.running(cluster.api.pod("p")["metadata"]["uid"], NAME)


async def read_until(session: AttachSession, wanted: bytes) -> bytes:
    """Listen until something was heard, or there is no more."""
    text = b""
    while wanted not in text and (more := await session.read(1)):
        text += more
    return text


@pytest.mark.parametrize(("once", "second"), [(False, b"two"), (True, b"the end")])
async def test_stdin_once_ends_the_input_with_the_first_client(
    cluster: Cluster, once: bool, second: bytes
) -> None:
    """Without it the next client goes on where the first has stopped."""
    there = await running(cluster, "cat; echo the end; sleep 1000", stdin=True, stdinOnce=once)
    async with attach_session(there, stdin=True) as session:
        await session.write(b"one\n")
        assert b"one" in await read_until(session, b"one")
        session.close_stdin()
        if once:
            assert second in await read_until(session, second)
            return
    async with attach_session(there, stdin=True) as session:
        await session.write(b"two\n")
        assert second in await read_until(session, second)


async def test_who_comes_after_the_last_output_hears_the_end(cluster: Cluster) -> None:
    """A container can close its output and run on."""
    there = await running(cluster, "exec >&- 2>&-; sleep 1000")
    await cluster.until(lambda: there.output_ended)
    async with attach_session(there, stdin=False) as session:
        assert await session.read(1) == b""


async def test_two_clients_that_write_at_once_do_not_mix(cluster: Cluster) -> None:
    """Each waits for the other where the container reads slowly."""
    script = "sleep 0.2; head -c 200000 | tr -s ab; echo; sleep 1000"
    there = await running(cluster, script, stdin=True)
    async with attach_session(there, stdin=True) as one, attach_session(there, stdin=True) as two:
        await asyncio.gather(one.write(b"a" * 100_000), two.write(b"b" * 100_000))
        assert await read_until(one, b"\n") == b"ab\n"
