"""`kubectl logs`."""

import asyncio
import re
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from flashsale.embedded.apiserver.handlers.subresources.pod_log import LogOptions
from flashsale.embedded.kubelet.logs import log_file
from flashsale.embedded.kubelet.logs.container_logs import Logs
from flashsale.embedded.kubelet.logs.log_file import LogWriter
from flashsale.embedded.types.api_errors import StatusError
from tests.embedded.kubelet.cluster import NAME, Cluster, MemoryAPI, spec


class Bench:
    """The log of one running container, written by the test."""

    def __init__(self, root: Path) -> None:
        self.api = MemoryAPI()
        pod = self.api.create("p", spec("x"))
        self.uid = pod["metadata"]["uid"]
        self.now = 1_700_000_000.0
        self.logs = Logs(root, lambda: self.now)
        self.writer = self.begin("a" * 64)

    def begin(self, identity: str, **state: Any) -> LogWriter:
        """Start an instance."""
        state = state or {"running": {"startedAt": "2026-11-23T03:20:01Z"}}
        before = self.api.container("p")
        known = {"terminated": {"containerID": before["containerID"]}} if before else {}
        one = {"name": NAME, "containerID": f"process://{identity}", "state": state}
        pod = self.api.pod("p")
        status = {"containerStatuses": [one | {"lastState": known}]}
        self.api.update_pod_status("default", "p", self.uid, pod["status"] | status)
        writer = self.logs.open(self.uid, NAME, f"process://{identity}")
        writer._clock_ns = lambda: int(self.now * 1e9)
        return writer

    def say(self, *lines: str) -> None:
        """Write lines, one second apart."""
        for line in lines:
            self.writer.write(line.encode() + b"\n")
            self.now += 1

    def read(self, **options: Any) -> str:
        return self.logs.read(self.api.pod("p"), NAME, LogOptions(**options)).decode()

    def follow(self, **options: Any) -> AsyncIterator[bytes]:
        return self.logs.follow(self.api.pod("p"), NAME, LogOptions(**options))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A container that has said nothing yet."""
    bench = Bench(tmp_path)
    yield bench
    bench.logs.close(bench.writer)


def test_parts_of_a_log(bench: Bench) -> None:
    """The last lines, those since then, the first bytes, and all at once."""
    bench.say("one", "two", "three", "four")
    assert bench.read() == "one\ntwo\nthree\nfour\n"
    assert bench.read(tail_lines=2) == "three\nfour\n"
    assert bench.read(tail_lines=0) == ""
    assert bench.read(tail_lines=99) == bench.read()
    assert bench.read(since_seconds=2) == "three\nfour\n"
    assert bench.read(since_time="2023-11-14T22:13:23Z") == "four\n"
    assert bench.read(since_seconds=3, tail_lines=1) == "four\n"
    assert bench.read(since_seconds=1, tail_lines=3) == "four\n"
    assert bench.read(limit_bytes=5) == "one\nt"


def test_times_have_nine_decimals(bench: Bench) -> None:
    """As the API server writes them."""
    bench.now += 0.5
    bench.say("hello")
    assert bench.read(timestamps=True) == "2023-11-14T22:13:20.500000000Z hello\n"


def test_output_is_kept_as_it_is(bench: Bench) -> None:
    """Carriage returns, empty lines, bytes that are no text, halves of lines, very long lines."""
    long = "x" * 40_000
    whole = f"a\r\n\n\x1b[0m\t{long}\nü".encode() + b"\xff\n" + b"tail"
    for part in re.findall(rb"(?s).{1,7001}", whole):
        bench.writer.write(part)
    bench.writer.close()
    assert bench.logs.read(bench.api.pod("p"), NAME, LogOptions()) == whole


def test_a_long_line_has_one_time(bench: Bench) -> None:
    """Its parts are put together again."""
    bench.say("x" * 40_000, "y")
    lines = bench.read(timestamps=True).splitlines()
    assert [len(line.split(" ", 1)[1]) for line in lines] == [40_000, 1]


def test_big_logs_are_cut_and_read_as_one(tmp_path: Path, bench: Bench) -> None:
    """The older part is kept as long as the newer one has not grown as big."""
    bench.writer._max_bytes = 4000
    for number in range(100):
        bench.say(f"line {number:03}")
    assert bench.writer.rotations >= 1
    lines = bench.read().splitlines()
    assert lines == [f"line {number:03}" for number in range(100 - len(lines), 100)]
    assert bench.read(tail_lines=60).splitlines() == lines[-60:]
    assert bench.read(since_seconds=70).splitlines() == lines[-70:]


def test_the_end_of_a_large_log_is_found_quickly(bench: Bench) -> None:
    """Without reading the ten megabytes before it."""
    line = log_file.format_timestamp(int(bench.now * 1e9)) + b" stdout F " + b"z" * 60 + b"\n"
    with bench.writer.path.open("ab") as file:
        file.write(line * 100_000)
    bench.now += 10
    bench.say("last")
    begin = time.perf_counter()
    assert bench.read(tail_lines=1) == "last\n"
    assert bench.read(since_seconds=5) == "last\n"
    assert time.perf_counter() - begin < 0.05


def test_only_the_newest_and_the_one_before_are_kept(bench: Bench) -> None:
    """`--previous` reads the second newest."""
    for letter in "bcd":
        bench.say(f"before {letter}")
        bench.writer.close()
        bench.writer = bench.begin(letter * 64)
    assert bench.read() == ""
    assert bench.read(previous=True) == "before d\n"
    assert len(list(bench.writer.path.parent.iterdir())) == 2


def test_a_crashed_containers_log_is_its_last_instances(bench: Bench) -> None:
    """While it waits for its restart, with and without --previous."""
    bench.say("crashed")
    status = bench.api.container("p")
    ended = {"terminated": {"containerID": status["containerID"]}}
    waiting = {"waiting": {"reason": "CrashLoopBackOff"}}
    crashed = {"containerStatuses": [status | {"state": waiting, "lastState": ended}]}
    bench.api.update_pod_status("default", "p", bench.uid, crashed)
    assert bench.read() == bench.read(previous=True) == "crashed\n"


def refusal(bench: Bench, **options: Any) -> tuple[int, str]:
    """Return code and message of a refused request."""
    with pytest.raises(StatusError) as caught:
        bench.follow(**options)
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        ("ContainerCreating", "ContainerCreating"),
        ("ErrImagePull", "image can't be pulled"),
        ("ImagePullBackOff", "trying and failing to pull image"),
        ("ErrImageNeverPull", "ErrImageNeverPull"),
    ],
)
def test_a_container_without_a_log_says_why(bench: Bench, reason: str, text: str) -> None:
    """It has not started; following is refused before anything is sent."""
    status = {"name": NAME, "state": {"waiting": {"reason": reason}}, "lastState": {}}
    bench.api.update_pod_status("default", "p", bench.uid, {"containerStatuses": [status]})
    prefix = f'container "{NAME}" in pod "p" is waiting to start: '
    assert refusal(bench) == (400, prefix + text)


@pytest.mark.parametrize(
    "since", [{"since_seconds": 10**17}, {"since_time": "0001-01-01T00:00:00+14:00"}]
)
def test_since_before_all_times_means_everything(bench: Bench, since: dict[str, Any]) -> None:
    """Also where no calendar has that moment."""
    bench.say("one")
    assert bench.read(**since) == "one\n"


def test_a_previous_instance_that_was_not_there_is_refused(bench: Bench) -> None:
    """Before anything is sent."""
    missing = f'previous terminated container "{NAME}" in pod "p" not found'
    assert refusal(bench, previous=True) == (400, missing)


async def test_following_shows_lines_as_they_come_and_ends_with_the_container(
    bench: Bench,
) -> None:
    """What was there first, then the new, across a cut of the file, then the end."""
    bench.writer._max_bytes = 400
    bench.say("zero", "one")
    seen: list[bytes] = []

    async def follow() -> None:
        async for part in bench.follow(tail_lines=1):
            seen.append(part)

    following = asyncio.create_task(follow())
    for number in range(30):
        await asyncio.sleep(0)
        bench.say(f"line {number}")
    await asyncio.sleep(0)
    bench.writer.write(b"unfinished")
    bench.logs.close(bench.writer)
    async with asyncio.timeout(5):
        await following
    assert b"".join(seen).decode().split("\n") == [
        "one",
        *(f"line {number}" for number in range(30)),
        "unfinished",
    ]


async def test_following_stops_at_the_limit(bench: Bench) -> None:
    """So many bytes, old and new together."""
    bench.say("one")
    stream = bench.follow(limit_bytes=6)
    assert await anext(stream) == b"one\n"
    bench.say("two")
    assert await anext(stream) == b"tw"
    assert [part async for part in stream] == []


async def test_both_streams_of_a_container_are_one_log(cluster: Cluster) -> None:
    """In the order in which they were written, and readable while it runs."""
    script = "echo out; echo err >&2; echo more; sleep 9"
    one = {"name": NAME, "image": "toggle:1.0", "command": ["sh", "-c", script]}
    cluster.api.create("p", {"containers": [one]})
    await cluster.until_logged("p", "more")
    assert cluster.log("p") == b"out\nerr\nmore\n"


async def test_following_ends_when_the_pod_does(cluster: Cluster) -> None:
    """The last words are there."""
    cluster.api.create("p", spec("toggle:1.0"))
    await cluster.until_logged("p", "listening")
    stream = cluster.follow("p")
    cluster.api.delete("p")
    async with asyncio.timeout(5):
        text = b"".join([part async for part in stream])
    assert text == b"starting on p\nlistening\ngot SIGTERM\n"
