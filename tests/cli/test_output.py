"""What stderr gets besides errors, and what never reaches a terminal."""

from __future__ import annotations

import json

from tests.command import Flashsale, kubectl


def test_logs_tell_what_is_done_and_why_on_stderr_alone(open_sale: Flashsale) -> None:
    """`-v` which cluster and why, `-vv` each request; the result is what it always is."""
    once, twice = open_sale("-v", "status", "-o", "json"), open_sale("status", "-vv", "-o", "json")
    assert once.json["replicaset"] == twice.json["replicaset"]
    assert "INFO flashsale.clusters.select: using the embedded cluster: the sale is" in once.err
    assert "DEBUG" not in once.err
    assert "DEBUG flashsale.kube.api: GET /apis/apps/v1" in twice.err
    assert open_sale("status", "-o", "json").err == ""


def test_quiet_leaves_errors_alone_on_stderr(open_sale: Flashsale) -> None:
    """No progress and no notes; what went wrong is still said."""
    done = open_sale("kill-pod", "--hard", "--quiet")
    assert (done.code, done.err) == (0, "")
    assert "VICTIM" in done.out
    failed = open_sale("kill-pod", "nope", "--quiet")
    assert failed.code == 2
    assert failed.err.startswith("Error: There is no pod 'nope'")


def test_what_an_event_says_is_shown_and_not_obeyed(open_sale: Flashsale) -> None:
    """An escape sequence would clear the screen, and say that all is well."""
    pod = open_sale("status", "-o", "json").json["pods"][0]["name"]
    event = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": "spoof", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": pod, "namespace": "default"},
        "reason": "Spo\x1b[2Jof",
        "message": "\x1b[2J\x1b[1;1H all is well",
        "type": "Warning",
        "lastTimestamp": "2030-01-01T00:00:00Z",
    }
    file = open_sale.home.parent / "event.json"
    file.write_text(json.dumps(event))
    kubectl(open_sale, "apply", "-f", str(file))
    shown = open_sale("watch", "--once").out
    kubectl(open_sale, "delete", "event", "spoof")
    assert "all is well" in shown
    assert "\x1b" not in shown
