"""What minikube's events come to: progress, notes, and what explains a failure. No process."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flashsale.clusters.minikube.start.events import Listener, parse_event
from tests.clusters.minikube.double_world import RecordedProgress

PROXIES = "You may have no internet. Try again. Your proxy configuration is:"
MISSING = "Exiting due to GUEST_STATUS: unknown state: exit status 1"


def event(kind: str, **data: Any) -> str:
    """One line of `-o json`."""
    return json.dumps({"type": f"io.k8s.sigs.minikube.{kind}", "data": data})


def listen(*lines: str) -> tuple[Listener, RecordedProgress]:
    """What a listener makes of some lines, before the end of the command."""
    progress = RecordedProgress()
    listener = Listener(progress, "start")
    for line in lines:
        listener.line(line)
    return listener, progress


def notes(*lines: str) -> list[str]:
    """What is noted of a command that ended well."""
    listener, progress = listen(*lines)
    listener.failure(0, "")
    return progress.notes


@pytest.mark.parametrize("after", [[], [event("step", currentstep="8", name="Creating Container")]])
def test_warning_ends_before_a_list_that_never_comes(after: list[str]) -> None:
    """minikube announces its proxies even where there are none."""
    assert notes(event("warning", message=PROXIES), event("error", message=""), *after) == [
        "minikube: You may have no internet. Try again."
    ]


def test_list_that_a_warning_announces_is_shown_with_it() -> None:
    """It comes as infos, commands to run as errors; a proxy's password is nobody's business."""
    proxy = event("info", message="HTTP_PROXY=http://me:secret@proxy.example:3128")
    assert notes(event("warning", message=PROXIES), proxy) == [
        f"minikube: {PROXIES}",
        "HTTP_PROXY=http://***@proxy.example:3128",
    ]


def test_lines_below_a_warning_that_is_not_shown_are_not_shown_either() -> None:
    """Whole or not at all."""
    first, again = (event("warning", message=f"No image '{name}'") for name in "ab")
    listener, progress = listen(first, again, event("error", message="  docker pull b"))
    listener.failure(0, "")
    assert progress.notes == ["minikube: No image 'a'"]
    assert progress.details == []


def test_of_several_errors_the_one_with_the_exit_code_counts() -> None:
    """Whatever came before it, and after."""
    listener, _ = listen(
        event("error", exitcode="80", name="GUEST_START", message="it"),
        event("error", exitcode="14", name="MK_USAGE", message="something else"),
        event("error", message="a box"),
    )
    assert listener.failure(80, "").id == "GUEST_START"
    assert listener.failure(14, "").id == "MK_USAGE"
    assert listener.failure(1, "").id == "MK_USAGE"


@pytest.mark.parametrize(
    ("stderr", "name", "message"),
    [
        (f"E1127 09:50:56 x.go:1] no\n\nX {MISSING}\n* \n", "GUEST_STATUS", "unknown state"),
        ("Error: unknown flag: --keep-context\nSee 'minikube start --help'", "", "unknown flag"),
        ("panic: runtime error", "", ""),
    ],
)
def test_failure_in_plain_text_is_read_too(stderr: str, name: str, message: str) -> None:
    """Before it comes to JSON, or because it knows no such option."""
    failed = listen(event("step", currentstep="0", name="Initial"))[0].failure(80, stderr)
    assert failed.id == name
    assert failed.message.startswith(message)
    assert failed.log.endswith(stderr.strip())


@pytest.mark.parametrize(
    "line",
    [
        *("", "text", "5", "null", "[]", '"x"', "{}", "[" * 100_000, '{"type": 1}', "\x1b[31m"),
        '{"type": "io.k8s.sigs.minikube.step", "data": ["x"]}',
        '{"type": "com.example.step", "data": {}}',
    ],
)
def test_line_that_is_no_event_is_only_logged(line: str) -> None:
    """Programs that minikube starts print to its stdout, too."""
    assert parse_event(line) is None
    listener, progress = listen(line)
    assert progress.everything.strip() == ""
    assert listener.failure(0, "").code == 0


def test_events_of_a_later_minikube_are_details() -> None:
    """A kind that nobody knows, numbers for strings, nothing where a text was."""
    _, progress = listen(
        event("celebration", message="\x1b[1mTwo\x1b[0m\nlines"),
        event("step", currentstep=3, totalsteps=25, name="A new step", message=None),
    )
    assert progress.details == ["Two", "lines"]
    assert progress.steps == ["minikube: A new step"]
