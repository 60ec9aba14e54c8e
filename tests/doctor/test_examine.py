"""What `doctor` says about this machine, and how it is written."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from flashsale.clusters.select import ClusterOptions, profile_of_interest
from flashsale.clusters.state.sale_record import SaleRecord
from flashsale.clusters.state.sale_store import SaleStore
from flashsale.doctor import cluster_checks
from flashsale.doctor.finding import Finding
from flashsale.embedded.process import launch
from flashsale.ui.doctor import findings_view
from tests.command import Flashsale, kubectl

NAMES = ["python", "state", "disk", "embedded", "docker", "minikube", "proxies", "tools"]
NAMES += ["contexts", "sale", "up"]
NO_DOCKER = "unix:///nowhere/docker.sock"
KEYS = {"name", "grade", "text", "hint"}


def test_doctor_tells_what_up_would_choose(flashsale: Flashsale) -> None:
    """On a bare machine: the embedded cluster, and why; nothing is started or written."""
    done = flashsale("doctor", "-o", "json", DOCKER_HOST=NO_DOCKER)
    assert done.code == 0
    assert done.err in ("", "Looking at this machine and its clusters ...\n")  # after a second
    assert [entry["name"] for entry in done.json] == NAMES
    assert all(set(entry) == KEYS for entry in done.json)
    by_name = {entry["name"]: entry for entry in done.json}
    assert by_name["up"]["text"] == "would use the embedded cluster: minikube is not installed"
    assert by_name["minikube"]["grade"] == "absent"
    assert "https://minikube.sigs.k8s.io" in by_name["minikube"]["hint"]
    assert by_name["docker"]["grade"] == "absent"
    assert not flashsale.home.exists()
    assert "would use the embedded cluster" in flashsale("doctor").out.splitlines()[-1]


def spoilt(home: Path, how: str) -> Path:
    """A state folder that cannot be one."""
    home.parent.joinpath("file").write_text("")
    home.parent.joinpath("lost").symlink_to("nowhere")
    names = {"file": "file", "below a file": "file/home", "too long": "x" * 300, "lost": "lost"}
    return home.parent / names[how]


@pytest.mark.parametrize("how", ["file", "below a file", "too long", "lost"])
def test_unusable_state_folder_exits_2_and_doctor_tells(flashsale: Flashsale, how: str) -> None:
    """Every command names the folder and the way out; doctor looks at all the rest, too."""
    home = str(spoilt(flashsale.home, how))
    for words in (("status",), ("up",), ("up", "--cluster", "embedded"), ("down",)):
        done = flashsale(*words, FLASHSALE_HOME=home)
        assert (done.code, done.out) == (2, ""), done.err
        assert home[:60] in done.err.splitlines()[0]
        assert done.err.splitlines()[1].startswith("Hint: export FLASHSALE_HOME=~/.flashsale  # ")
    done = flashsale("doctor", "-o", "json", FLASHSALE_HOME=home, DOCKER_HOST=NO_DOCKER)
    by_name = {entry["name"]: entry for entry in done.json}
    assert list(by_name) == NAMES
    assert done.code == 1
    assert by_name["state"]["grade"] == "problem"


def test_a_hint_about_the_state_folder_does_not_lead_to_where_nothing_can_be_written(
    flashsale: Flashsale,
) -> None:
    """A service's user has no home folder."""
    done = flashsale("up", HOME="/nowhere", FLASHSALE_HOME=str(spoilt(flashsale.home, "file")))
    assert "Hint: export FLASHSALE_HOME=$(mktemp -d)  # " in done.err


def test_record_of_another_version_is_a_problem(flashsale: Flashsale) -> None:
    """It is left as it is, and stops neither doctor nor an `up` that says where."""
    flashsale.home.mkdir()
    flashsale.record.write_text('{"format": 99}')
    by_name = {entry["name"]: entry for entry in flashsale("doctor", "-o", "json").json}
    assert by_name["sale"]["grade"] == "problem"
    assert "another version of flashsale wrote it" in by_name["sale"]["text"]


def test_dead_cluster_is_a_problem(flashsale: Flashsale) -> None:
    """What is recorded is asked whether it runs; the exit code says that something is wrong."""
    SaleStore(flashsale.home).write(SaleRecord("embedded", "flashsale-embedded"))
    done = flashsale("doctor", "-o", "json", DOCKER_HOST=NO_DOCKER)
    by_name = {entry["name"]: entry for entry in done.json}
    assert done.code == 1
    assert by_name["sale"]["grade"] == "problem"
    assert by_name["sale"]["text"] == "recorded on the embedded cluster, which is not running"
    assert by_name["sale"]["hint"] == "flashsale up"
    assert by_name["up"]["text"].startswith("would start the embedded cluster: ")


def test_living_sale_is_none_and_one_that_lacks_its_service_is(flashsale: Flashsale) -> None:
    """The cluster is asked how the sale fares; `up` is what mends it."""
    flashsale("up", "--manifest", str(flashsale.lean_manifest()), "--replicas", "1")
    done = flashsale("doctor", "-o", "json", DOCKER_HOST=NO_DOCKER)
    by_name = {entry["name"]: entry for entry in done.json}
    assert done.code == 0
    assert by_name["sale"]["text"] == "recorded on the embedded cluster, which runs"
    assert by_name["up"]["text"].startswith("would use the embedded cluster: ")
    kubectl(flashsale, "delete", "service", "flashsale-svc")
    done = flashsale("doctor", "-o", "json", DOCKER_HOST=NO_DOCKER)
    by_name = {entry["name"]: entry for entry in done.json}
    assert done.code == 1
    assert "The Service flashsale-svc is missing" in by_name["sale"]["text"]
    assert by_name["sale"]["hint"] == "flashsale up"
    assert by_name["up"]["text"].startswith("would use the embedded cluster: ")


def test_forgotten_cluster_is_told(flashsale: Flashsale) -> None:
    """A process that runs on is never denied."""
    launch.start_cluster(flashsale.home / "embedded")
    done = flashsale("doctor", "-o", "json", DOCKER_HOST=NO_DOCKER)
    by_name = {entry["name"]: entry for entry in done.json}
    assert by_name["sale"]["text"] == "none is recorded, but the embedded cluster runs"
    assert "flashsale down" in by_name["sale"]["hint"]


def test_contexts_are_told_apart(sale_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which `--context` takes as they are, and which it takes insisting for."""
    servers = {"kind-dev": "https://127.0.0.1:1", "prod": "https://prod.example.com"}
    document = {
        "clusters": [{"name": n, "cluster": {"server": s}} for n, s in servers.items()],
        "contexts": [{"name": n, "context": {"cluster": n}} for n in servers],
    }
    file = sale_home.parent / "config"
    file.write_text(json.dumps(document))
    monkeypatch.setenv("KUBECONFIG", str(file))
    (found,) = cluster_checks.list_contexts()
    assert found.text == "kind-dev; not of this machine, so only with --allow-remote: prod"


def test_broken_kubeconfig_is_a_problem_with_its_cause(
    sale_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not a kubeconfig without contexts; those of other files count all the same."""
    good, broken = sale_home.parent / "good", sale_home.parent / "broken"
    good.write_text('{"contexts": [{"name": "kind-dev", "context": {"cluster": "c"}}]}')
    broken.write_text("contexts: [")
    monkeypatch.setenv("KUBECONFIG", f"{broken}{os.pathsep}{good}")
    first, second = cluster_checks.list_contexts()
    assert (first.grade, second.grade) == ("problem", "ok")
    assert first.text.startswith(f"{broken} is not YAML, line 1: ")
    assert first.hint == f"ls -l {broken}"
    assert "kind-dev" in second.text


def test_profile_of_interest_is_the_recorded_one(sale_home: Path) -> None:
    """Unless another one is typed."""
    assert profile_of_interest(ClusterOptions(), sale_home) == "minikube"
    SaleStore(sale_home).write(SaleRecord("minikube", "shop", profile="shop"))
    assert profile_of_interest(ClusterOptions(), sale_home) == "shop"
    assert profile_of_interest(ClusterOptions(profile="other"), sale_home) == "other"


WELL = Finding("docker", "ok", "version 28 on this machine")
LONG = Finding("proxies", "problem", "HTTPS_PROXY set " * 5, "export NO_PROXY=$NO_PROXY,127.0.0.1")


def test_plain_text_has_one_line_a_text() -> None:
    """For grep."""
    first, second, hint = findings_view([WELL, LONG]).splitlines()
    assert first == "ok       docker    version 28 on this machine"
    assert second.startswith("PROBLEM  proxies   HTTPS_PROXY set HTTPS_PROXY")
    assert hint.strip() == "→ export NO_PROXY=$NO_PROXY,127.0.0.1"


def test_terminal_gets_colour_and_lines_that_fit() -> None:
    """Texts are folded; a command to copy never is."""
    lines = findings_view([LONG], width=60).splitlines()
    assert len(lines) > 2
    assert all(len(line) <= 60 for line in lines)
    assert lines[1].startswith(" " * 19 + "HTTPS_PROXY")
    narrow = findings_view([LONG], width=20).splitlines()
    assert narrow[-1].endswith("→ export NO_PROXY=$NO_PROXY,127.0.0.1")
    assert "\x1b[1;31mPROBLEM  \x1b[0m" in findings_view([LONG], colour=True)
