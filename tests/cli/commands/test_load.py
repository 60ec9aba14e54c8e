"""`flashsale load` as it is typed, in a process of its own."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.command import PATIENCE
from tests.forking.client import ForkedCommand, forked
from tests.load.lying_server import Deed, Liar

MAIN = "from flashsale.cli.main import main; main()"
KEYS = {
    "sent", "confirmed", "rejected", "lost", "seconds", "rate", "late",
    "latency_ms", "pods", "errors",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FLASHSALE_HOME", str(tmp_path))


@contextmanager
def typed(*words: str) -> Iterator[ForkedCommand]:
    """Run a command line; it is gone when this is left."""
    with ForkedCommand(["load", *words], os.environ) as command:
        try:
            yield command
        finally:
            command.kill()


async def written(command: ForkedCommand) -> str:
    """Wait for its end, and return what was on its stdout."""
    return (await asyncio.to_thread(command.communicate, PATIENCE))[0]


async def result(*words: str) -> tuple[int, str, str]:
    """Run a command line to its end and return exit code, stdout and stderr."""
    return await asyncio.to_thread(forked, ["load", *words], os.environ, PATIENCE)


async def test_json_is_one_document_with_the_keys_of_the_contract() -> None:
    """A machine reads stdout as it is; the books in it balance."""
    async with Liar(lambda number: "refuse" if number % 3 == 2 else "sell") as shop:
        code, out, err = await result(
            *("--url", shop.url, "--rate", "90", "--for", "500ms", "-o", "json")
        )
    assert code == 0, err
    document: dict[str, Any] = json.loads(out)
    assert document.keys() >= KEYS
    assert document["latency_ms"].keys() == {"p50", "p90", "p99", "max"}
    assert (document["sent"], document["confirmed"], document["rejected"]) == (45, 30, 15)
    assert document["pods"] == {"pod-a": 30}


@pytest.mark.parametrize(
    ("deed", "code", "words"),
    [
        ("refuse", 1, "HTTP 503 (20)"),
        ("failure", 1, 'HTTP 200, "status" is "sold out" (20)'),
        ("reset", 7, "connection reset (20)"),
    ],
)
async def test_a_load_that_sold_nothing_fails_with_the_reason(
    deed: Deed, code: int, words: str
) -> None:
    """All rejected is exit 1, all lost exit 7; the numbers are printed all the same."""
    async with Liar(lambda _: deed) as shop:
        found, out, err = await result("--url", shop.url, "--rate", "40", "--for", "0.5")
    assert found == code
    assert "confirmed   0  0 %" in out
    assert f"None of 20 purchases was confirmed: {shop.url}/buy: {words}." in err


@pytest.mark.parametrize(("most", "code"), [("4", 7), ("5", 0)])
async def test_more_lost_than_allowed_is_exit_7(most: str, code: int) -> None:
    """As in a drill; without `--max-lost` losses are a result like any other."""
    async with Liar(lambda number: "reset" if number % 4 == 3 else "sell") as shop:
        words = ["--url", shop.url, "--rate", "40", "--for", "0.5"]
        found, _, err = await result(*words, "--max-lost", most)
        assert (await result(*words))[0] == 0
    assert found == code, err
    assert ("5 purchases were lost; 4 may be." in err) is bool(code)


async def test_people_get_a_table_and_a_verdict() -> None:
    """Plain text where stdout is no terminal: no colours, no control characters."""
    async with Liar() as shop:
        code, out, err = await result("--url", shop.url, "--rate", "40", "--for", "0.5")
    assert code == 0, err
    assert "\x1b" not in out + err
    assert "confirmed  20  100 %" in out
    assert "One pod served every purchase." in out


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"]
)
async def test_a_signal_gives_the_summary_so_far(number: signal.Signals, code: int) -> None:
    """Interrupted, the run ends in order: all that was sent is accounted for."""
    async with Liar() as shop:
        with typed("--url", shop.url, "-o", "json") as process:
            await shop.asked(10)
            process.send_signal(number)
            out = await written(process)
    assert process.returncode == code
    assert json.loads(out)["confirmed"] == shop.requests


@pytest.mark.skipif(not shutil.which("timeout"), reason="macOS has no timeout of its own")
async def test_timeout_gets_the_numbers_too() -> None:
    """It sends SIGTERM twice, to the program and to its group; also when it is told to end."""
    async with Liar() as shop:
        words = [sys.executable, "-c", MAIN, "load", "--url", shop.url, "--rate", "50"]
        process = await asyncio.create_subprocess_exec(
            "timeout", "--preserve-status", "60", *words, stdout=PIPE, stderr=PIPE
        )
        await shop.asked(10)
        process.terminate()
        out, err = await process.communicate()
    assert process.returncode == 143, err
    assert f"confirmed  {shop.requests}  100 %" in out.decode()


async def test_a_second_signal_ends_it_at_once() -> None:
    """Without the buyers that still wait, and without numbers."""
    async with Liar(lambda _: "silence") as shop:
        with typed("--url", shop.url, "--timeout", "60s") as process:
            await shop.asked(5)
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                while process.poll() is None:
                    await asyncio.sleep(0.2)
                    process.send_signal(signal.SIGINT)
            out = await written(process)
    assert (process.returncode, out) == (130, "")


async def test_a_killed_program_stops_sending() -> None:
    """The processes that send do not outlive the one that was typed, not even its SIGKILL."""
    async with Liar() as shop:
        with typed("--url", shop.url, "--rate", "50") as process:
            await shop.asked(10)
            process.kill()
        async with asyncio.timeout(10):
            while (before := shop.requests) >= 0:
                await asyncio.sleep(0.3)  # fifteen purchases long
                if shop.requests == before:
                    break


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--url", "http://192.0.2.1"), 6),
        (("--url", "gopher://127.0.0.1"), 2),
        (("--url", "http://127.0.0.1:9", "--rate", "0"), 2),
        (("--url", "http://127.0.0.1:9", "--arrivals", "never"), 2),
        (("--url", "http://127.0.0.1:9", "--for", "soon"), 2),
        ((), 4),
    ],
)
async def test_mistakes_are_told_before_anything_is_sent(words: tuple[str, ...], code: int) -> None:
    """One sentence, one hint, the documented exit code, nothing on stdout."""
    left, out, err = await result(*words)
    assert (left, out) == (code, "")
    assert err.startswith("Error: ")
    assert "Hint: " in err


async def test_ctrl_c_again_and_again_leaves_with_130() -> None:
    """Whatever is being tidied up just then: the exit code says who ended it."""
    async with Liar(lambda _: "silence") as shop:
        with typed("--url", shop.url, "--timeout", "60s") as process:
            await shop.asked(5)
            async with asyncio.timeout(20):
                while process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    await asyncio.sleep(0.002)
    assert process.returncode == 130


async def test_other_losses_say_what_came() -> None:
    """In the text and, counted, in the JSON."""
    async with Liar(lambda _: "garbage") as shop:
        words = ("--url", shop.url, "--rate", "20", "--for", "1s")
        _, out, _ = await result(*words, "-o", "json")
        document = json.loads(out)
        assert document["other_errors"] == {
            "no HTTP/1 answer, but 'SSH-2.0-OpenSSH_9.2'": document["errors"]["other"]
        }
        _, out, err = await result(*words)
    assert "SSH-2.0-OpenSSH_9.2" in out
    assert "SSH-2.0-OpenSSH_9.2" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--workers", "3"], "--workers is for a load from inside the cluster."),
        (["--in-cluster", "--workers", "0"], "--workers must be 1 to 500, not 0."),
        (["--in-cluster", "--node-selector", "ssd"], "--node-selector must be KEY=VALUE, not"),
    ],
)
async def test_options_of_a_crowd_in_the_cluster_are_checked_first(
    words: list[str], sentence: str
) -> None:
    """Before anything is looked for."""
    code, out, err = await result(*words)
    assert (code, out) == (2, "")
    assert sentence in err
    assert "Hint: flashsale load --in-cluster" in err
