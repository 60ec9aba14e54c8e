"""What failures mean: minikube's codes and ids, and the causes in what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from flashsale.base.errors import BadInputError, ClusterUnreachableError
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube import MinikubeCluster
from flashsale.clusters.minikube.start.events import Failure, without_placeholders
from flashsale.clusters.minikube.start.exit_codes import SHOWN, failure_error
from tests.clusters.minikube.double_world import STOPPED, World
from tests.recorded import RECORDINGS


@pytest.mark.parametrize(
    ("fault", "sentence", "hint"),
    [
        ({"code": 55, "advice": "Start Docker {{.x}}"}, "own words", "Start Docker"),
        ({"code": 55, "id": "DRV_DOCKER_NOT_RUNNING"}, "Docker is not running.", "docker"),
        ({"code": 63, "id": "PROVIDER_DOCKER_NOT_RUNNING"}, "Docker is not running.", "docker"),
        ({"code": 63, "id": "PROVIDER_PODMAN_NOT_RUNNING"}, "own words", "minikube logs"),
        ({"code": 65, "id": "PROVIDER_PODMAN_NOT_FOUND"}, "podman is not installed", "--driver"),
        ({"code": 69, "id": "PROVIDER_DOCKER_NEWGRP"}, "may not use Docker", "group 'docker'"),
        ({"code": 57, "id": "DRV_AS_ROOT"}, "does not run as root", "ordinary user"),
        ({"code": 29}, "too few CPUs", "--cpus 2"),
        ({"code": 23}, "too little memory", "--memory"),
        ({"code": 26}, "The disk is full", "docker system prune"),
        ({"code": 106}, "cannot run that version of Kubernetes", "config unset"),
        ({"code": 48}, "from the internet", "--download-only"),
        ({"code": 42}, "from the internet", "--download-only"),
        ({"code": 40}, "from the internet", "HTTPS_PROXY"),
        ({"code": 80, "id": "GUEST_PROVISION"}, "could not start 'shop': own", "minikube logs"),
        ({"code": 109, "id": "K8S_KUBELET"}, "could not start 'shop': own words.", "minikube logs"),
        ({"code": 72}, "cannot be reached", "VPN"),
        ({"code": 52}, "cannot be reached", "VPN"),
        ({"code": 37}, "may not use its files", "chown"),
        ({"code": 38, "id": "HOST_CONFIG_LOAD"}, "'shop' is damaged: own words.", "--recreate"),
        ({"code": 14}, "minikube refuses this: own words.", "minikube config view"),
        ({"code": 2}, "crashed", "update minikube"),
    ],
)
async def test_each_code_has_its_sentence_and_a_way_out(
    world: World, fault: dict[str, Any], sentence: str, hint: str
) -> None:
    """Nothing is deleted, nothing is forced, and nothing is tried twice."""
    world.set(faults={"start": [{"message": "own words", **fault}]})
    with pytest.raises(ClusterUnreachableError) as caught:
        await world.start()
    assert sentence in str(caught.value)
    assert hint in caught.value.hint
    assert "{{" not in caught.value.hint
    assert world.acts() == ["start"]


@pytest.mark.parametrize(
    ("recording", "sentence", "hint"),
    [
        ("docker-not-permitted/create-auto", "This user may not use Docker.", "group 'docker'"),
        ("docker-not-permitted/create-docker", "This user may not use Docker.", "group 'docker'"),
        ("docker-down/create-auto", "Docker is not running.", "docker"),
        ("docker-down/create-docker", "Docker is not running.", "docker"),
        ("docker-not-installed/create-auto", "found no driver here", "install Docker"),
        ("docker-not-installed/create-docker", "driver docker is not installed", "Install Docker"),
        ("failing-starts/create-kvm2", "This user may not use KVM.", "group 'libvirt'"),
        ("failing-starts/create-qemu2", "driver qemu2 is not installed", "Install qemu-system"),
        (
            "failing-starts/create-ssh",
            "minikube refuses this: No IP address provided. Try specifying --ssh-ip-address",
            "minikube start -p shop --driver ssh --ssh-ip-address",
        ),
        ("failing-starts/create-hyperv", "driver 'hyperv' is not supported on", "--driver docker"),
        ("failing-starts/create-docker-as-root", "does not run as root", "ordinary user"),
        ("none-preflight/other-profile", "takes no other profile than 'minikube'", "--driver none"),
        (
            "none-preflight/no-cri-dockerd",
            "minikube could not start 'shop' (NOT_FOUND_CRI_DOCKERD): The none driver with"
            " Kubernetes v1.24+ and the docker container-runtime requires cri-dockerd.",
            "Please install cri-dockerd using these instructions",
        ),
        ("none-preflight/no-crictl", "crictl to be installed", "--driver docker"),
        ("failing-starts-as-user/create-docker-offline", "internet: lookup gcr.io", "HTTPS_PROXY"),
        (
            "start-none/create-1",
            "minikube could not start 'shop': SystemVerification: cgroups v1 support is deprecated",
            "minikube logs -p shop",
        ),
        ("removed-node/start-after", "apiserver process never appeared.", "apiserver flags"),
        ("running-none/start-older-kubernetes", "cannot run that version of Kubernetes", "unset"),
    ],
)
async def test_failures_of_the_real_one_begin_with_their_cause(
    world: World, recording: str, sentence: str, hint: str
) -> None:
    """In one sentence without colours; all of it is in a file that is named, unless that is all."""
    world.set(faults={"start": [{"recording": recording, "profile": "shop"}]})
    with pytest.raises(ClusterUnreachableError) as caught:
        await world.start()
    assert sentence in str(caught.value)
    assert hint in caught.value.hint
    shown = f"{caught.value}{caught.value.details}{world.progress.everything}"
    assert not set("\x1b\u2502\u256d") & set(shown)
    assert len(caught.value.details.splitlines()) <= SHOWN + 4
    assert "MINIKUBE_IN_STYLE" in (world.home / "home" / "minikube-shop.log").read_text()


@pytest.mark.parametrize(
    ("recording", "wordy"),
    [
        ("failing-starts/create-docker-as-root", "should not be used with root"),
        ("none-preflight/other-profile", "does not support multiple profiles"),
        ("none-preflight/no-cri-dockerd", "Running on localhost"),
        ("docker-not-permitted/create-auto", "See above for suggestions"),
        ("failing-starts-as-user/create-docker-offline", "--help"),
    ],
)
async def test_details_do_not_say_the_sentence_again(
    world: World, recording: str, wordy: str
) -> None:
    """Nor what is nobody's cause."""
    world.set(faults={"start": [{"recording": recording, "profile": "shop"}]})
    with pytest.raises(ClusterUnreachableError) as caught:
        await world.start()
    assert wordy not in caught.value.details


REASONS = [
    json.loads(line) for line in (RECORDINGS / "minikube/reasons.jsonl").read_text().splitlines()
]


def test_every_reason_on_minikubes_list_has_a_sentence_and_a_hint() -> None:
    """Ours, or minikube's own sentence and advice; never one that may cost other profiles."""
    assert [row["name"] for row in REASONS if not explains(row)] == []


def explains(reason: dict[str, str]) -> bool:
    """Whether a failure for this reason ends in a whole sentence and a harmless hint."""
    code, advice = int(reason["exitcode"]), without_placeholders(reason["advice"])
    error = failure_error(Failure(code, reason["name"], "It went: wrong: here", advice), "shop")
    return (
        str(error).endswith((".", ")"))
        and bool(error.hint)
        and not {"{", "\n", "\t"} & set(f"{error}{error.hint}")
        and "delete --all" not in error.hint
        and "--purge" not in error.hint
        and ("minikube delete" not in error.hint or "loses what is in it" in error.hint)
    )


def test_advice_is_a_command_where_minikube_gives_one() -> None:
    """What stands in quotes behind `Run`."""
    failed = Failure(61, "X", "no", "Run: 'sudo chown $USER $HOME/.kube/config' and more")
    assert failure_error(failed, "shop").hint == "sudo chown $USER $HOME/.kube/config"


async def test_driver_mismatch_is_retried_with_the_profiles_driver(world: World) -> None:
    """The user's default driver is another one, but asked for nothing."""
    other = {"shop": {**STOPPED, "driver": "kvm2", "runtime": "docker", "nodes": 1, "ip": "::"}}
    world.set(faults={"start": [{"code": 81, "world": other}]})
    await world.start()
    assert world.acts() == ["start", "start"]
    assert "--driver=kvm2" in world.words("start")


async def test_driver_mismatch_with_a_wish_is_the_users_to_solve(world: World) -> None:
    """The wish is not dropped in silence."""
    other = {"shop": {**STOPPED, "driver": "kvm2", "runtime": "docker", "nodes": 1, "ip": "::"}}
    world.set(faults={"start": [{"code": 81, "world": other}]})
    with pytest.raises(BadInputError, match="already uses driver kvm2"):
        await MinikubeCluster("shop", NewProfileOptions("docker")).start(world.progress)
    assert world.acts() == ["start"]
