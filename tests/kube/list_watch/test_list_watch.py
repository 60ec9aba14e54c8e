"""Watching survives whatever the server and the network do, and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import pairwise
from random import Random

import pytest

from flashsale.kube import Api
from flashsale.kube.list_watch import changes, pause
from flashsale.kube.response_errors import ForbiddenError, UnauthorizedError
from flashsale.kube.watch_types import Change, Changed, Resynced, Stream, WatchTimeouts
from tests.kube.list_watch.lying_api_server import (
    PATH,
    Cluster,
    Lie,
    ended,
    mute,
    refusing,
    sending,
    silent,
    status,
    torn,
    torn_gently,
)

HASTY = WatchTimeouts(first=0.01, longest=0.05, look=0.02, brief=5.0)
LIMIT = 10.0  # seconds that anything here may take on a busy machine


class Watcher:
    """Reads changes and keeps what they add up to."""

    def __init__(self, news: AsyncGenerator[Change, None]) -> None:
        self.news = news
        self.pods: dict[str, str] = {}  # resourceVersion by name
        self.lines: list[str] = []  # `ADDED a`, `live`, ...
        self.seen: list[Change] = []

    async def until(self, done: str) -> None:
        """Read until something is told that begins with these words."""
        async with asyncio.timeout(LIMIT):
            while not (self.lines and self.lines[-1].startswith(done)):
                self.take(await anext(self.news))

    async def until_pods(self, cluster: Cluster) -> None:
        """Read until the picture is the server's own."""
        async with asyncio.timeout(LIMIT):
            while self.pods != versions(cluster):
                self.take(await anext(self.news))

    async def until_asked(self, cluster: Cluster, kind: str) -> float:
        """Read until the server was asked five times; returns the seconds that it took."""
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(LIMIT):
            while cluster.asked.count(kind) < 5:
                self.take(await anext(self.news))
        return asyncio.get_running_loop().time() - began

    def take(self, change: Change) -> None:
        self.seen.append(change)
        match change:
            case Resynced(objects=found):
                self.pods = {o["metadata"]["name"]: o["metadata"]["resourceVersion"] for o in found}
                self.lines.append("listed " + " ".join(sorted(self.pods)))
            case Changed(object=found):
                name = found["metadata"]["name"]
                self.pods[name] = found["metadata"]["resourceVersion"]
                if change.type == "DELETED":
                    del self.pods[name]
                self.lines.append(f"{change.type} {name}")
            case Stream():
                self.lines.append(change.state)


def versions(cluster: Cluster) -> dict[str, str]:
    return {name: pod["metadata"]["resourceVersion"] for name, pod in cluster.pods.items()}


@pytest.fixture
async def watcher(cluster: Cluster, api: Api) -> AsyncGenerator[Watcher, None]:
    """Somebody who watches a cluster with the pods a and b, and is up to date."""
    cluster.put("a")
    cluster.put("b")
    async with aclosing(changes(api, PATH, patience=HASTY)) as news:
        yield Watcher(news)


async def test_a_full_list_comes_first_and_then_every_change(
    cluster: Cluster, watcher: Watcher
) -> None:
    """The list, `live`, and one change for each thing that happens, in order."""
    await watcher.until("live")
    cluster.put("c")
    cluster.put("a", phase="Running")
    cluster.drop("b")
    await watcher.until("DELETED b")
    assert watcher.lines == ["listed a b", "live", "ADDED c", "MODIFIED a", "DELETED b"]


async def test_arrival_is_on_the_monotonic_clock_and_in_order(
    cluster: Cluster, watcher: Watcher
) -> None:
    """Moments never go back, and lie between asking and reading."""
    before = asyncio.get_running_loop().time()
    await watcher.until("live")
    cluster.put("c")
    await watcher.until("ADDED c")
    moments = [change.at for change in watcher.seen]
    assert moments == sorted(moments)
    assert before <= moments[0] <= moments[-1] <= asyncio.get_running_loop().time()


@pytest.mark.parametrize(
    "lie",
    [refusing(410, "Expired"), sending({"type": "ERROR", "object": status(410, "Expired", "")})],
    ids=["as a status", "as an event"],
)
async def test_a_forgotten_version_is_caught_up_by_listing_again(
    cluster: Cluster, watcher: Watcher, lie: Lie
) -> None:
    """After 410 the differences are told, deletions included, and nobody is alarmed."""
    cluster.lies["watch"] = [lie]
    await watcher.until("live")
    cluster.drop("a")
    cluster.put("b", phase="Running")
    cluster.put("c")
    await watcher.until("resynced")
    assert watcher.lines[2:] == ["DELETED a", "MODIFIED b", "ADDED c", "resynced"]
    assert all(changed.relisted for changed in watcher.seen if isinstance(changed, Changed))


async def test_a_real_compaction_is_survived(cluster: Cluster, watcher: Watcher) -> None:
    """A server that comes back with its history gone makes us list again."""
    await watcher.until("live")
    await cluster.stop()
    cluster.put("c")
    cluster.compact()
    await cluster.start()
    await watcher.until("resynced")
    assert watcher.pods == versions(cluster)


@pytest.mark.parametrize(
    "lie",
    [
        torn,
        torn_gently,
        ended,
        refusing(500, "InternalError"),
        refusing(503, "ServiceUnavailable"),
        refusing(429, "TooManyRequests"),
        sending(status(500, "InternalError", "etcd is away")),
        sending({"type": "ERROR", "object": status(500, "InternalError", "no")}),
        sending({"type": "ADDED", "object": status(0, "", "")}, {"type": "SOMETHING"}),
        sending({"type": "MODIFIED"}),
    ],
    ids=["torn", "torn gently", "ended", "500", "503", "429", "a Status", "ERROR", "odd", "empty"],
)
async def test_a_broken_watch_is_announced_and_mended(
    cluster: Cluster, watcher: Watcher, lie: Lie
) -> None:
    """`reconnecting`, then `resynced`, and the picture is the server's own."""
    cluster.lies["watch"] = [lie]
    await watcher.until("reconnecting")
    cluster.put("c")
    await watcher.until("resynced")
    await watcher.until_pods(cluster)
    assert [stream.why for stream in watcher.seen if isinstance(stream, Stream)][1]


async def test_a_broken_list_is_tried_again(cluster: Cluster, watcher: Watcher) -> None:
    """Attempts are counted until the server can list; only then comes the first picture."""
    cluster.lies["list"] = [
        refusing(503),
        refusing(500),
        sending(status(500, "InternalError", "etcd is away")),
    ]
    await watcher.until("live")
    attempts = [stream.attempt for stream in watcher.seen if isinstance(stream, Stream)]
    assert attempts == [1, 2, 3, 0]
    assert watcher.lines[3:] == ["listed a b", "live"]


@pytest.mark.parametrize(("code", "error"), [(401, UnauthorizedError), (403, ForbiddenError)])
async def test_refused_credentials_end_it(
    cluster: Cluster, watcher: Watcher, code: int, error: type[Exception]
) -> None:
    """Trying for ever would hide what is wrong."""
    cluster.lies["list"] = [refusing(code, "no")]
    with pytest.raises(error):
        await watcher.until("live")


async def test_a_server_that_ends_every_watch_at_once_is_not_hammered(
    cluster: Cluster, api: Api
) -> None:
    """No busy loop: the pauses grow, from half of 50 ms to half of 400 ms at least."""
    cluster.lies["watch"] = [ended] * 10_000
    patience = WatchTimeouts(first=0.05, longest=1.0)
    async with aclosing(changes(api, PATH, patience=patience)) as news:
        assert await Watcher(news).until_asked(cluster, "watch") > 0.37


async def test_a_server_that_always_says_410_is_not_hammered(cluster: Cluster, api: Api) -> None:
    """Listing is the expensive request, so it is not repeated without a growing pause either."""
    cluster.lies["watch"] = [refusing(410, "Expired")] * 10_000
    patience = WatchTimeouts(first=0.05, longest=1.0)
    async with aclosing(changes(api, PATH, patience=patience)) as news:
        watcher = Watcher(news)
        assert await watcher.until_asked(cluster, "list") > 0.37
    assert "reconnecting" in watcher.lines


def test_pauses_double_up_to_a_cap_with_half_of_them_left_to_chance() -> None:
    """So a hundred watchers of one server do not come back all at once."""
    patience = WatchTimeouts(first=0.1, longest=4.0)
    tries = [pause(attempt, patience, Random(1)) for attempt in range(1, 30)]
    same = {pause(3, patience, Random(seed)) for seed in range(20)}
    assert 0.05 <= tries[0] <= 0.1
    assert max(tries) <= 4.0
    assert all(2 * short >= long / 2 for short, long in pairwise(tries))
    assert len(same) == 20


async def test_a_half_open_connection_is_noticed(cluster: Cluster, api: Api) -> None:
    """A watch without any word for longer than bookmarks allow is given up, and said to be."""
    cluster.lies["watch"] = [mute, silent]
    patience = WatchTimeouts(first=0.01, longest=0.05, look=0.02, silence=0.3)
    async with aclosing(changes(api, PATH, patience=patience)) as news:
        watcher = Watcher(news)
        await watcher.until("reconnecting")
        cluster.put("c")
        await watcher.until("resynced")
    down = next(stream for stream in watcher.seen if isinstance(stream, Stream) and stream.why)
    assert down.why == "silent for 0 s"
    assert 0.3 <= down.at - down.heard < LIMIT
    assert watcher.pods == versions(cluster)


async def test_an_hour_of_bookmarks_is_calm_and_an_hour_of_nothing_is_not(
    cluster: Cluster, api: Api
) -> None:
    """Sixty bookmarks, a minute apart on the clock, keep it live; 71 s without one do not."""
    now = 1000.0
    patience = WatchTimeouts(first=0.01, longest=0.05, look=0.01)
    stream = changes(api, PATH, patience=patience, clock=lambda: now, wall=lambda: now)
    async with aclosing(stream) as news:
        watcher = Watcher(news)
        await watcher.until("live")
        for _ in range(60):
            now += 60.0
            cluster.put("tick", minute=now)
            cluster.bookmark()
            await watcher.until_pods(cluster)
        assert cluster.asked == ["list", "watch"]
        reading = asyncio.ensure_future(watcher.until("reconnecting"))
        await asyncio.sleep(0)  # it waits for a line from here on
        while not reading.done():
            now += 1.0
            await asyncio.sleep(0.005)
        await reading
    down = watcher.seen[-1]
    assert isinstance(down, Stream)
    assert 70.0 < down.at - down.heard <= 75.0


async def test_a_suspended_laptop_catches_up_at_once(cluster: Cluster, api: Api) -> None:
    """The wall clock ran on without us: whatever was watched is asked for anew."""
    asleep = 0.0
    loop = asyncio.get_running_loop()
    stream = changes(api, PATH, patience=HASTY, wall=lambda: loop.time() + asleep)
    async with aclosing(stream) as news:
        watcher = Watcher(news)
        await watcher.until("live")
        cluster.lies["list"] = [refusing(503)]
        asleep = 600.0
        began = loop.time()
        await watcher.until("resynced")
        assert loop.time() - began < 5.0
    whys = [stream.why for stream in watcher.seen if isinstance(stream, Stream) and stream.why]
    assert whys[0] == "this machine slept"


async def test_a_lease_that_ends_is_renewed_where_it_left_off(
    cluster: Cluster, watcher: Watcher
) -> None:
    """A watch that told something and ended in order is no failure: no list, no alarm."""
    cluster.put("c")
    line = cluster.history[-1][1]
    cluster.version -= 1
    del cluster.pods["c"]
    cluster.lies["watch"] = [sending(line)]
    await watcher.until("ADDED c")
    cluster.version += 1
    cluster.put("d")
    await watcher.until("ADDED d")
    assert cluster.asked == ["list", "watch", "watch"]
    assert "reconnecting" not in watcher.lines


async def test_what_is_told_twice_counts_once(cluster: Cluster, watcher: Watcher) -> None:
    """A server that replays what was listed does not make anything happen again."""
    replay = {"type": "ADDED", "object": cluster.pods["a"]}
    unknown = {"kind": "Pod", "metadata": {"name": "x", "uid": "x", "resourceVersion": "103"}}
    cluster.lies["watch"] = [sending(replay, {"type": "DELETED", "object": unknown})]
    await watcher.until("live")
    cluster.version = 103
    cluster.put("c")
    await watcher.until("ADDED c")
    assert watcher.lines == ["listed a b", "live", "ADDED c"]


async def test_reading_stops_at_once_and_leaves_no_connection(
    cluster: Cluster, watcher: Watcher
) -> None:
    """Whoever stops reading in the middle of a silent watch does not wait for the server."""
    await watcher.until("live")
    reading = asyncio.ensure_future(watcher.until("never"))
    async with asyncio.timeout(LIMIT):
        await cluster.watched.wait()
        reading.cancel()
        await asyncio.wait({reading})
        while cluster.watches:
            cluster.bookmark()  # writing is how a server notices that nobody listens
            await asyncio.sleep(0.01)
    assert reading.cancelled()


async def test_five_deaths_of_the_server_lose_nothing(cluster: Cluster, api: Api) -> None:
    """Changes go on while the server is down; at the end the picture is exactly its own."""
    rng = Random(7)
    async with aclosing(changes(api, PATH, patience=HASTY)) as news:
        watcher = Watcher(news)
        await watcher.until("live")
        for _ in range(5):
            busy(cluster, rng, 40)
            await watcher.until_pods(cluster)
            await cluster.stop()
            busy(cluster, rng, 40)
            await cluster.start()
            await watcher.until("resynced")
        busy(cluster, rng, 40)
        await watcher.until_pods(cluster)
    assert watcher.lines.count("resynced") == 5


def busy(cluster: Cluster, rng: Random, changes: int) -> None:
    """Create, change and delete pods at random."""
    for _ in range(changes):
        name = f"pod-{rng.randrange(20)}"
        if name in cluster.pods and rng.random() < 0.4:
            cluster.drop(name)
        else:
            cluster.put(name, number=rng.random())
