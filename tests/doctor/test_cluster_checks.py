"""What `doctor` finds about Docker, minikube and the network."""

from __future__ import annotations

from pathlib import Path

import pytest

from flashsale.clusters.minikube.profile.profile import (
    GONE,
    WELL,
    MinikubeStatus,
    Profile,
    ProfileState,
)
from flashsale.docker import EngineError, EngineProblem
from flashsale.doctor import cluster_checks, examine, machine_checks

DOCKER = {"ServerVersion": "28.5.2", "NCPU": 4, "MemTotal": 8 << 30, "Driver": "overlay2"}
PROFILE = Profile("shop", "docker", "docker", ("",), "192.168.49.2")
STOPPED = MinikubeStatus("Stopped", "Stopped", "Stopped", "Stopped")
PAUSED = MinikubeStatus("Running", "Stopped", "Paused", "Configured")
SILENT = MinikubeStatus("Running", "Running", "Stopped", "Configured")
VM = Profile("shop", "kvm2", "docker", ("",), "192.168.39.2")
FULL = MinikubeStatus("InsufficientStorage", "Running", "Running", "Configured")


@pytest.mark.parametrize(
    ("change", "grade", "hint"),
    [
        ({}, "ok", ""),
        ({"NCPU": 1}, "problem", "2 CPUs"),
        ({"MemTotal": 1 << 30}, "problem", "1.8 GiB"),
    ],
)
def test_engine_too_small_for_minikube_is_a_problem(
    change: dict[str, int], grade: str, hint: str
) -> None:
    """minikube refuses less than two processors and 1800 MiB."""
    finding = machine_checks.judge_docker("this machine", {**DOCKER, **change})
    assert finding.grade == grade
    assert hint in str(finding.hint)
    assert "28.5.2" in finding.text


def test_missing_engine_is_no_problem_but_a_forbidden_one_is() -> None:
    """The embedded cluster needs none; one that is there ought to be usable."""
    grades = [
        machine_checks.judge_trouble(EngineError(trouble, "this machine", "")).grade
        for trouble in (EngineProblem.ABSENT, EngineProblem.DENIED, EngineProblem.TIMEOUT)
    ]
    assert grades == ["absent", "problem", "problem"]


@pytest.mark.parametrize(
    ("state", "grade", "words", "hint"),
    [
        (ProfileState(None), "ok", "no profile 'shop' yet", "flashsale up --profile shop"),
        (
            ProfileState(None, damaged="why"),
            "problem",
            "is damaged",
            "up --profile shop --recreate",
        ),
        (ProfileState(PROFILE, WELL), "ok", "is running", ""),
        (ProfileState(PROFILE, STOPPED), "ok", "is stopped", "flashsale up --profile shop"),
        (ProfileState(PROFILE, PAUSED), "ok", "is paused", "flashsale up --profile shop"),
        (ProfileState(PROFILE, FULL), "problem", "full disk", "docker system prune"),
        (ProfileState(PROFILE, SILENT), "problem", "does not answer", "flashsale up"),
        (ProfileState(PROFILE, GONE), "problem", "needs Docker, which is not", "docker"),
        (
            ProfileState(VM, GONE),
            "problem",
            "has lost its node",
            "flashsale up --profile shop --recreate",
        ),
        (ProfileState(PROFILE, None), "problem", "has no entry for it", "minikube update-context"),
        (
            ProfileState(
                Profile("shop", "docker", "containerd", ("", "m02"), "", cpus=4, memory=4096), WELL
            ),
            "ok",
            "(driver docker, runtime containerd, 2 nodes, 4 CPUs, 4096 MiB) is running; images are",
            "",
        ),
    ],
)
def test_profile_is_judged_by_its_state(
    state: ProfileState, grade: str, words: str, hint: str
) -> None:
    """Version, driver, runtime, state, and what to type; a stopped one is as good as any."""
    finding = cluster_checks.judge_profile("shop", (1, 38, 1), "", state, docker=False)
    assert finding.grade == grade
    assert words in finding.text
    assert hint in str(finding.hint)
    assert finding.text.startswith("v1.38.1")


def test_old_minikube_is_told_to_be_updated() -> None:
    """It works, mostly."""
    state = ProfileState(PROFILE, WELL)
    finding = cluster_checks.judge_profile("shop", (1, 33, 0), "old", state, docker=True)
    assert finding.text.startswith("v1.33.0 (old), ")
    assert str(finding.hint).startswith("update it: https://minikube.sigs.k8s.io")


def test_usual_profile_is_named_by_its_cluster() -> None:
    """The command is the one that people know."""
    finding = cluster_checks.judge_profile(
        "minikube", (1, 38, 1), "", ProfileState(None), docker=True
    )
    assert str(finding.hint) == "flashsale up --cluster minikube"


def test_little_room_for_docker_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that cannot be filled fails late and strangely."""
    assert machine_checks.check_room(tmp_path).name == "room"
    monkeypatch.setattr(machine_checks, "LEAST_ROOM", 2**80)
    assert machine_checks.check_room(tmp_path).grade == "problem"
    assert machine_checks.check_room(tmp_path).hint == "docker system prune"


@pytest.mark.parametrize(
    ("environ", "grade"),
    [
        ({}, "absent"),
        ({"HTTPS_PROXY": "http://p:1"}, "problem"),
        ({"https_proxy": "http://p:1", "NO_PROXY": "127.0.0.1, localhost"}, "problem"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "127.0.0.1,localhost,192.168.49.0/24"}, "ok"),
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, "ok"),
    ],
)
def test_proxy_that_would_be_asked_for_a_local_cluster_is_a_problem(
    environ: dict[str, str], grade: str
) -> None:
    """The command that mends it is the hint."""
    finding = machine_checks.check_proxies(environ)
    assert finding.grade == grade
    assert str(finding.hint).startswith("export NO_PROXY") == (grade == "problem")


def test_what_nothing_needs_is_no_problem() -> None:
    """A Docker that may not be used matters only where a cluster would run in it."""
    denied = machine_checks.judge_trouble(EngineError(EngineProblem.DENIED, "this machine", ""))
    assert (denied.grade, examine.without_need(denied).grade) == ("problem", "absent")
    assert "not needed" in examine.without_need(denied).text


def test_no_hint_gives_a_user_the_rights_of_root() -> None:
    """Whoever is in the group `docker` is root on a machine that others use as well."""
    for trouble in EngineProblem:
        hint = machine_checks.judge_trouble(EngineError(trouble, "this machine", "")).hint
        assert "usermod" not in str(hint)
