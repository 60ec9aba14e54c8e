"""What `-o json` prints is what docs/json says, key for key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flashsale.cli.command_list import ENTRIES
from tests.command import Flashsale

DOCS = Path(__file__).parent.parent / "docs" / "json"
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}
NO_DOCKER = "unix:///no-docker"  # images of this machine are not a test's to remove


def faults(value: Any, schema: dict[str, Any], where: str = "") -> Iterator[str]:
    """Yield what does not fit a schema (the part of JSON Schema that ours use), strictly."""
    if choices := schema.get("oneOf") or schema.get("anyOf"):
        found = [list(faults(value, choice, where)) for choice in choices]
        if all(found):
            yield from min(found, key=len)
        return
    if "const" in schema and value != schema["const"]:
        yield f"{where} is {value!r}, not {schema['const']!r}"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where} is {value!r}, none of {schema['enum']}"
    named = schema.get("type", [])
    kinds = [
        kind for name in ([named] if isinstance(named, str) else named) for kind in TYPES[name]
    ]
    if kinds and (
        not isinstance(value, tuple(kinds)) or (isinstance(value, bool) and bool not in kinds)
    ):
        yield f"{where} is {value!r}, no {named}"
    elif isinstance(value, dict) and "properties" in schema:
        known = schema.get("properties", {})
        yield from (
            f"{where} lacks {name}" for name in schema.get("required", ()) if name not in value
        )
        yield from (f"{where}.{name} is not documented" for name in value if name not in known)
        for name in value.keys() & known.keys():
            yield from faults(value[name], known[name], f"{where}.{name}")
    elif isinstance(value, list):
        for at, item in enumerate(value):
            yield from faults(item, schema["items"], f"{where}[{at}]")


def check(value: Any, name: str) -> None:
    schema = json.loads((DOCS / f"{name}.schema.json").read_text())
    assert list(faults(value, schema)) == []


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["status"], "status"),
        (["status", "-A"], "status-all"),
        (["scale", "3"], "scale"),
        (["kill-pod", "--hard"], "kill-pod"),
        (["kill-pod", "--dry-run"], "kill-pod"),
        (["doctor"], "doctor"),
        (["learn", "--list"], "learn-list"),
        (["learn", "--check", "kill"], "learn-check"),
        (["learn", "--reset"], "learn-reset"),
        (["learn", "--reset", "kill"], "learn-reset"),
        (["url"], "url"),
        (["open"], "open"),
        (["manifest"], "manifest"),
        (["manifest", "--as-taught"], "manifest"),
        (["kubeconfig"], "kubeconfig"),
        (["version"], "version"),
        (["completion", "zsh"], "completion"),
        (["load", "--rate", "20", "--for", "1s"], "load"),
        (["drill", "--dry-run"], "drill-dry-run"),
    ],
    ids=str,
)
def test_documents_are_as_documented(words: list[str], name: str, open_sale: Flashsale) -> None:
    """No key more, none less, and of the kind that it says."""
    done = open_sale(*words, "-o", "json", BROWSER="true")
    assert done.out, done.err
    check(done.json, name)


def test_what_up_opens_is_as_documented(open_sale: Flashsale) -> None:
    """With the manifest that it was opened with: other tests need its lean pods."""
    check(open_sale("up", "--manifest", str(open_sale.lean_manifest()), "-o", "json").json, "up")


def test_a_drill_and_two_compared_are_as_documented(open_sale: Flashsale, tmp_path: Path) -> None:
    """Whatever its verdict is on a busy machine; the report is the same document."""
    report = tmp_path / "drill.json"
    words = ["--rate", "20", "--kills", "1", "--hard", "--scale", "4"]
    words += ["--calm", "500ms", "--every", "1s"]
    done = open_sale("drill", *words, "--report", str(report), "-o", "json")
    assert done.out, done.err
    check(done.json, "drill")
    assert done.json["healings"]
    both = open_sale("drill", "--compare", str(report), str(report), "-o", "json")
    check(both.json, "drill-compare")


def test_lines_of_logs_are_as_documented(open_sale: Flashsale) -> None:
    """One object a line."""
    lines = open_sale("logs", "--tail", "1", "-o", "json").out.splitlines()
    assert lines
    for line in lines:
        check(json.loads(line), "logs")


def test_what_init_wrote_is_as_documented(flashsale: Flashsale, tmp_path: Path) -> None:
    """The files, by their paths."""
    check(flashsale("init", str(tmp_path / "sale"), "-o", "json").json, "init")


def test_every_command_that_prints_json_has_a_schema() -> None:
    """`drill --compare`, say, has one of its own."""
    documented = {file.name.partition(".")[0] for file in DOCS.glob("*.schema.json")}
    undocumented = [
        entry.name
        for entry in ENTRIES
        if "json" in entry.outputs and not any(name.startswith(entry.name) for name in documented)
    ]
    assert undocumented == []


def test_lines_of_watch_are_as_documented(open_sale: Flashsale) -> None:
    """Each of them is one of the kinds."""
    with open_sale.start("watch", "-o", "json") as watching:
        assert watching.stdout is not None
        lines = [json.loads(watching.stdout.readline()) for _ in range(5)]
        assert open_sale("kill-pod", "--hard").code == 0
        while lines[-1]["type"] != "healed":
            lines.append(json.loads(watching.stdout.readline()))
        watching.terminate()
    assert {line["type"] for line in lines} >= {"pod", "replicaset", "healed", "stream"}
    for line in lines:
        check(line, "watch")


def test_the_first_line_of_dashboard_is_as_documented(open_sale: Flashsale) -> None:
    """One line, so that a script need not wait for the end."""
    with open_sale.start("dashboard", "--no-open", "-o", "json") as serving:
        assert serving.stdout is not None
        check(json.loads(serving.stdout.readline()), "dashboard")
        serving.terminate()


def test_down_says_exactly_how_much_it_freed(flashsale: Flashsale) -> None:
    """To the byte, as the files were; nothing of ours is left, and nothing else is touched."""
    manifest = str(flashsale.lean_manifest(**{"replicas: 3": "replicas: 1"}))
    assert flashsale("up", "--manifest", manifest).code == 0
    (flashsale.home / "notes.txt").write_text("mine")
    done = flashsale("down", "--purge", "-o", "json", DOCKER_HOST=NO_DOCKER)
    assert done.code == 0, done.err
    check(done.json, "down")
    assert done.json["purged"]["bytes"] > 0
    assert [file.name for file in flashsale.home.iterdir()] == ["notes.txt"]
    again = flashsale("down", "--purge", "-o", "json", DOCKER_HOST=NO_DOCKER)
    assert (again.code, again.json["purged"]["bytes"]) == (0, 0)


def test_down_without_a_sale_is_no_failure_where_that_is_allowed(flashsale: Flashsale) -> None:
    """For scripts that clean up whatever was there."""
    assert flashsale("down").code == 4
    done = flashsale("down", "--ignore-not-found", "-o", "json")
    assert (done.code, done.json["removed"]) == (0, [])


def test_a_fault_is_found() -> None:
    """The check itself works."""
    schema = json.loads((DOCS / "scale.schema.json").read_text())
    assert list(faults({"from": 1, "to": "2", "more": 1}, schema)) == [
        " lacks seconds",
        ".more is not documented",
        ".to is '2', no integer",
    ]
