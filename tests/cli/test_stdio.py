"""Streams that cannot take what a command has to say: a poor encoding, or closed altogether."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.command import PATIENCE, Flashsale
from tests.terminal import at_terminal

ASCII = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LC_ALL": "C"}


def shell(
    flashsale: Flashsale, words: str, after: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run a command with something behind it that only a shell can say."""
    return subprocess.run(
        ["sh", "-c", f'"$@" {after}', "sh", *flashsale.command(*words.split())],
        env={**flashsale.environment, **variables},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_an_output_without_our_characters_gets_their_numbers(open_sale: Flashsale) -> None:
    """The result of a run is there, though its bars are not pretty."""
    loaded = open_sale("load", "--rate", "20", "--for", "1s", **ASCII)
    assert (loaded.code, "bug" in loaded.err) == (0, False)
    assert "confirmed  20  100 %" in loaded.out
    watched = open_sale("watch", "--once", **ASCII)
    assert watched.code == 0
    assert "flashsale-rs-" in watched.out
    assert (loaded.out + watched.out).isascii()


def test_so_does_a_terminal(open_sale: Flashsale) -> None:
    """What is drawn again and again, too."""
    with at_terminal(open_sale, "kill-pod", "--hard", **ASCII) as person:
        assert person.leaves() == 0
    assert "VICTIM" in person.seen
    assert person.seen.isascii()


def test_a_name_that_is_no_text_is_told_about(flashsale: Flashsale, tmp_path: Path) -> None:
    """A file name of any bytes is one sentence on an output of any encoding."""
    done = subprocess.run(
        [*flashsale.command("init"), bytes(tmp_path / "file") + b"/\xff\xe9"],
        env=flashsale.environment | ASCII,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"bug" not in done.stderr


def test_a_closed_stdout_is_like_a_full_disk(open_sale: Flashsale) -> None:
    """The result is lost, and that is said: one sentence, and exit code 1."""
    lost = shell(open_sale, "status", ">&-")
    assert lost.returncode == 1
    assert [line.partition(":")[0] for line in lost.stderr.splitlines()] == ["Error", "Hint"]
    assert "stdout cannot be written: it is closed" in lost.stderr


@pytest.mark.parametrize(
    ("words", "unbuffered", "code"),
    [("status", "", 1), ("scale -1", "", 2), ("manifest", "1", 1), ("completion bash", "", 1)],
)
def test_a_full_disk_is_told_once(
    open_sale: Flashsale, words: str, unbuffered: str, code: int
) -> None:
    """The interpreter has nothing to add; a failure keeps its own exit code."""
    full = shell(open_sale, words, ">/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert full.returncode == code
    assert [line.partition(":")[0] for line in full.stderr.splitlines()] == ["Error", "Hint"]
    assert ("stdout cannot be written: No space left" in full.stderr) is (code == 1)


@pytest.mark.parametrize(("words", "code"), [("status", 1), ("scale -1", 2)])
def test_exit_codes_are_kept_where_nobody_can_be_told(
    open_sale: Flashsale, words: str, code: int
) -> None:
    """Where the disk is full for errors as well."""
    unheard = shell(open_sale, words, ">/dev/full 2>/dev/full")
    assert (unheard.returncode, unheard.stderr) == (code, "")


def test_a_stdin_that_cannot_be_read_is_said_to_be_that(flashsale: Flashsale) -> None:
    """It is stdin, though the error's number is that of a closed stdout."""
    done = shell(flashsale, "up --manifest -", "0>/dev/null")
    assert done.returncode == 2
    assert "Error: stdin cannot be read: Bad file descriptor." in done.stderr


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "2>&- <&-"])
def test_other_closed_streams_do_not_matter(open_sale: Flashsale, closed: str) -> None:
    """The result is what it is."""
    done = shell(open_sale, "status -o json", closed)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["replicaset"]["ready"] == 3


def test_with_everything_closed_a_command_does_its_work(open_sale: Flashsale) -> None:
    """Whatever a command opens is not taken for one of its standard streams."""
    done = shell(open_sale, "kill-pod --hard", ">&- 2>&- <&-")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
    assert open_sale("status", "-o", "json").json["replicaset"]["ready"] == 3


def test_work_goes_on_where_nobody_can_be_told(open_sale: Flashsale) -> None:
    """A disk that is full of our own progress lines does not stop a healing half-way."""
    done = shell(open_sale, "kill-pod --hard", "2>/dev/full")
    assert done.returncode == 0
    assert "VICTIM" in done.stdout
