"""The decision table's rows about bringing a profile up, each through the whole of `start`."""

from __future__ import annotations

import asyncio
import contextlib
import re
from dataclasses import replace
from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError, ClusterUnreachableError
from flashsale.clusters.base import NewProfileOptions
from flashsale.clusters.minikube import MinikubeCluster, home, read_profile_state
from flashsale.clusters.minikube.start.start_plan import RecreateRefusedError
from flashsale.clusters.minikube.start.unfinished_profiles import note_unfinished, was_cut_off
from tests.clusters.minikube.conftest import QUICK
from tests.clusters.minikube.double_world import PROFILE, STOPPED, RecordedProgress, World, gone


async def fails(minikube: MinikubeCluster, progress: RecordedProgress) -> ClusterUnreachableError:
    with pytest.raises(ClusterUnreachableError) as caught:
        await minikube.start(progress)
    assert caught.value.hint
    return caught.value


async def test_missing_binary_says_where_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, progress: RecordedProgress
) -> None:
    """No traceback of a FileNotFoundError."""
    monkeypatch.setenv("PATH", str(tmp_path))
    error = await fails(MinikubeCluster("shop"), progress)
    assert str(error) == "minikube was not found in PATH."
    assert "https://minikube.sigs.k8s.io/docs/start/" in error.hint


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "Exec format error"), ("#!/nowhere/sh\n", "the interpreter that it names is not there")],
)
async def test_minikube_that_cannot_be_run_is_one_sentence(
    world: World, text: str, words: str
) -> None:
    """Not for this machine, or half downloaded."""
    program = world.home / "bin" / "minikube"
    program.write_text(text)
    assert str(await fails(world.minikube, world.progress)) == f"{program} cannot be run: {words}."


@pytest.mark.parametrize(("version", "words"), [("v1.29.0", "too old; 1.30"), ("?", "version")])
async def test_unusable_version_stops(world: World, version: str, words: str) -> None:
    """Nothing is asked of a minikube that would answer in another way."""
    world.set(version=version)
    assert words in str(await fails(world.minikube, world.progress))
    assert world.acts() == []


async def test_old_version_is_warned_about(world: World) -> None:
    """1.30 to 1.37 work, mostly."""
    world.set(version="v1.33.1")
    world.has()
    await world.start()
    assert any("1.38+ is recommended" in note for note in world.progress.notes)


async def test_absent_profile_is_created_with_docker_by_name(world: World) -> None:
    """containerd is the default from 1.39 on, and prompts would hang."""
    await world.start()
    assert world.words("start") == [
        *("--interactive=false", "--keep-context", "-o", "json"),
        *("--nodes=1", "--container-runtime=docker"),
    ]
    assert (world.profile()["host"], world.profile()["runtime"]) == ("Running", "docker")
    assert (
        "Creating minikube profile 'shop' (first start downloads about 1 GB)"
        in world.progress.steps
    )


async def test_driver_processors_and_memory_reach_creation(world: World) -> None:
    """And only creation: an existing profile has its own."""
    wish = MinikubeCluster("shop", NewProfileOptions("docker", 4, "4g"))
    await wish.start(world.progress)
    assert {"--driver=docker", "--cpus=4", "--memory=4g"} <= set(world.words("start"))
    world.has(**STOPPED, cpus=4, memory=4096)
    await wish.start(world.progress)
    assert not {"--cpus=4", "--memory=4g"} & set(world.words("start"))


@pytest.mark.parametrize(
    ("typed", "driver"),
    [("kvm", "kvm2"), ("qemu", "qemu2"), ("native", "none"), ("generic", "ssh")],
)
async def test_drivers_other_name_is_the_same_driver(world: World, typed: str, driver: str) -> None:
    """minikube takes both, and writes down one."""
    world.has(driver=driver)
    await MinikubeCluster("shop", NewProfileOptions(typed)).start(world.progress)
    assert (world.acts(), world.progress.everything) == ([], "")


@pytest.mark.parametrize(
    ("making", "own"),
    [
        (NewProfileOptions(cpus=8), "4 CPUs"),
        (NewProfileOptions(memory="2g"), "4096 MiB"),
        (NewProfileOptions("kvm2", 4, "4g"), "driver docker"),
    ],
)
async def test_profile_of_other_sizes_is_not_taken_for_it(
    world: World, making: NewProfileOptions, own: str
) -> None:
    """minikube would pass over them with a warning; one sentence says it here."""
    world.has(**STOPPED, cpus=4, memory=4096)
    with pytest.raises(BadInputError, match=f"'shop' already uses {own}") as caught:
        await MinikubeCluster("shop", making).start(world.progress)
    assert "--profile NAME" in caught.value.hint
    assert world.acts() == []


async def test_running_profile_is_left_alone(world: World) -> None:
    """`start` on a running cluster would restart the Docker inside it."""
    world.has()
    await world.start()
    assert (world.acts(), world.progress.everything) == ([], "")


@pytest.mark.parametrize("host", ["Stopped", "Saved"])
async def test_stopped_profile_starts_with_its_own_driver_and_runtime(
    world: World, host: str
) -> None:
    """And its Kubernetes: the user's `minikube config set` would win over them otherwise."""
    own = {"driver": "kvm2", "runtime": "containerd", "kubernetes": "v1.34.0"}
    world.has(**{**STOPPED, "host": host}, **own)
    await world.start()
    assert world.acts() == ["start"]
    words = world.words("start")
    assert {"--driver=kvm2", "--container-runtime=containerd"} <= set(words)
    assert "--kubernetes-version=v1.34.0" in words
    assert "--nodes=1" not in words
    assert "Starting stopped minikube 'shop'" in world.progress.steps


async def test_node_that_cannot_be_looked_at_is_started_and_not_deleted(world: World) -> None:
    """What is in it may well be there; the reason is minikube's."""
    world.has(unseen="NewSession: dial tcp 127.0.0.1:32769: connect: connection refused")
    await world.start()
    assert world.acts() == ["start"]
    assert "does not answer (NewSession: dial tcp 127.0.0.1:32769" in world.progress.everything


async def test_paused_profile_is_resumed(world: World) -> None:
    """Not restarted."""
    world.has(apiserver="Paused", kubelet="Stopped")
    await world.start()
    assert world.acts() == ["unpause"]
    assert "minikube 'shop' is paused; resuming" in world.progress.steps


@pytest.mark.parametrize(
    "state", [{"apiserver": "Stopped"}, {"apiserver": "Error"}, {"kubelet": "Stopped"}]
)
async def test_silent_kubernetes_is_repaired_once(world: World, state: dict[str, str]) -> None:
    """`start` repairs a half-dead cluster."""
    world.has(**state)
    await world.start()
    assert world.acts() == ["start"]
    assert "Kubernetes in 'shop' is not answering; repairing" in world.progress.steps


async def test_kubernetes_that_stays_silent_fails(world: World) -> None:
    """Once, and then the user has to look."""
    world.has(apiserver="Stopped", broken=True)
    error = await fails(world.minikube, world.progress)
    assert world.acts() == ["start"]
    assert error.hint == "minikube logs -p shop"


async def test_misplaced_kubeconfig_is_refreshed(world: World) -> None:
    """`update-context`, nothing more."""
    world.has(kubeconfig="Misconfigured")
    await world.start()
    assert world.acts() == ["update-context"]
    assert world.progress.steps == ["Mending the kubeconfig entry of minikube 'shop'"]
    assert '"name": "shop"' in (world.home / "kubeconfig").read_text()


async def test_running_cluster_is_never_restarted_for_its_kubeconfig(world: World) -> None:
    """What runs in it would be restarted, too; the entry can be mended by hand."""
    world.has(kubeconfig="Misconfigured", stubborn=True)
    error = await fails(world.minikube, world.progress)
    assert "its entry in the kubeconfig is missing or wrong" in str(error)
    assert error.hint == "minikube update-context -p shop"
    assert world.acts() == ["update-context"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{{ nonsense", "is not YAML, line 1"),
        ("\udcff", "is not text"),
        ("[]", "is not a kubeconfig: it is no mapping"),
    ],
)
async def test_broken_kubeconfig_is_what_is_wrong(world: World, text: str, words: str) -> None:
    """minikube calls a healthy cluster misconfigured because of it; no start would help."""
    file = world.home / "kubeconfig"
    file.write_bytes(text.encode(errors="surrogateescape"))
    for state in ({"kubeconfig": "Misconfigured"}, {"apiserver": "Stopped"}, STOPPED):
        world.has(**state)
        error = await fails(world.minikube, world.progress)
        assert f"minikube cannot use the kubeconfig: {file} {words}" in str(error)
    assert world.acts() == []


async def test_kubeconfig_that_cannot_be_made_is_what_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file stands where its folder should be."""
    monkeypatch.setenv("KUBECONFIG", str(world.home / "kubeconfig" / "x"))
    world.has(**STOPPED)
    error = await fails(world.minikube, world.progress)
    assert f"{world.home / 'kubeconfig'}" in str(error)
    assert world.acts() == []


async def test_someone_elses_operation_is_waited_for(world: World) -> None:
    """Two starts of one profile would fight for its lock."""
    world.has(host="Starting", kubelet="Stopped", apiserver="Stopped", busy=3)
    await world.start()
    assert world.acts() == []
    assert world.progress.steps == ["Another minikube operation is running; waiting"]


@pytest.mark.parametrize("version", ["v1.38.1", "v1.36.0"])
async def test_lost_node_is_not_deleted_without_a_yes(
    world: World, docker_socket: Path, version: str
) -> None:
    """Its volume has all that was in it; status says `null`, and leaves with 0 in old versions."""
    world.set(version=version)
    world.has(host="Gone", leftover=True)
    with pytest.raises(
        RecreateRefusedError, match="the volume with its data may still be"
    ) as caught:
        await world.start()
    assert caught.value.hint == "flashsale up --profile shop --recreate"
    assert world.acts() == []


async def test_lost_node_is_made_anew_where_that_was_asked_for(
    world: World, docker_socket: Path
) -> None:
    """A start alone takes a shortcut, and its API server never comes."""
    world.has(host="Gone", leftover=True)
    wanted_cluster = MinikubeCluster("shop", NewProfileOptions(recreate=True), patience=QUICK)
    await wanted_cluster.start(world.progress)
    assert world.acts() == ["delete", "start"]
    assert await wanted_cluster.running()


async def test_what_is_made_anew_may_be_of_another_kind(world: World, docker_socket: Path) -> None:
    """A lost node that will be deleted is no contradiction to two nodes."""
    world.has(host="Gone", leftover=True)
    wanted_cluster = MinikubeCluster(
        "shop", NewProfileOptions(nodes=2, recreate=True), patience=QUICK
    )
    await wanted_cluster.start(world.progress)
    assert world.acts() == ["delete", "start"]


async def test_profile_whose_start_failed_before_its_node_is_simply_made(
    world: World, docker_socket: Path
) -> None:
    """Nothing of it was ever there, so nothing is lost, and other sizes are no contradiction."""
    world.has(host="Gone", ip="", unfinished=True, cpus=2, memory=6000)
    await world.start()
    assert world.acts() == ["start"]
    assert "lost" not in world.progress.everything
    world.has(host="Gone", ip="", unfinished=True, cpus=2, memory=6000)
    await MinikubeCluster("shop", NewProfileOptions(cpus=4), patience=QUICK).start(world.progress)
    assert world.acts() == ["start", "delete", "start"]


async def test_start_that_failed_leaves_no_damaged_profile(world: World) -> None:
    """`profile list` calls it invalid ever after; `status` knows better."""
    failing = {"recording": "docker-down/create-auto", "profile": "shop"}
    world.set(faults={"start": [failing]})
    assert str(await fails(world.minikube, world.progress)) == "Docker is not running."
    assert world.get()["failed"] == ["shop"]
    assert not (await read_profile_state("shop")).exists
    await world.start()
    assert await world.minikube.running()


@pytest.mark.parametrize("state", ["after-a-failed-start", "none-yet"])
async def test_profile_that_real_lists_call_invalid_is_merely_absent(
    world: World, state: str
) -> None:
    """85 is the word that counts."""
    world.replays(profile=f"{state}/profile-list", profile_light=f"{state}/profile-list-light")
    world.replays(status=f"{state}/status")
    assert not (await read_profile_state("shop")).exists


@pytest.mark.parametrize("state", ["corrupt-config", "empty-config", "braces-config"])
async def test_profile_that_the_real_one_cannot_read_is_damaged(world: World, state: str) -> None:
    """38, or `null` for a profile that is not listed."""
    world.replays(status=f"{state}/status")
    assert (await read_profile_state("shop")).damaged


async def test_files_of_somebody_else_are_named_with_their_owner(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """37 comes from every command, `version` too; nothing has to be installed anew or deleted."""
    monkeypatch.setenv("MINIKUBE_HOME", str(world.home))
    (world.home / ".minikube").mkdir()
    monkeypatch.setattr(home, "_closed", lambda file: file == world.home / ".minikube")
    monkeypatch.setattr(home, "_owner", lambda file: "root")
    for call in ({"version": "root-owned-home/version"}, {"status": "unreadable-config/status"}):
        world.set(replay={})
        world.replays(**call)
        error = await fails(world.minikube, world.progress)
        assert str(error) == f"minikube may not use {world.home}/.minikube, which belongs to root."
        assert error.hint.startswith(f"sudo chown -R $USER {world.home}/.minikube")
    assert world.acts() == []


def test_a_blank_in_minikubes_folder_leaves_the_tilde_to_the_shell(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within quotes it would mean nothing."""
    monkeypatch.setenv("HOME", str(world.home))
    monkeypatch.setenv("MINIKUBE_HOME", str(world.home / "my stuff"))
    hint = home.foreign_files_error("shop", "").hint
    assert "chown -R $USER ~/'my stuff/.minikube' && chmod -R u+rwX ~/'my stuff" in hint


@pytest.mark.parametrize(
    ("called", "words", "hint"),
    [
        ("file/shop", "{home}/file is not a folder", "unset MINIKUBE_HOME"),
        ("closed/shop", "{home}/closed cannot be written", "unset MINIKUBE_HOME"),
        ("open/shop", "permission denied", "unset MINIKUBE_HOME"),
    ],
)
async def test_folder_that_minikube_cannot_make_is_told_by_what_stands_in_its_way(
    world: World, monkeypatch: pytest.MonkeyPatch, called: str, words: str, hint: str
) -> None:
    """HOST_HOME_MKDIR, of every command, with a box of advice around it."""
    (world.home / "file").write_text("")
    for name in ("closed", "open"):
        (world.home / name).mkdir()
    monkeypatch.setattr(home, "_closed", lambda place: place.name == "closed")
    monkeypatch.setenv("MINIKUBE_HOME", str(world.home / called))
    world.replays(version="root-owned-home/no-folder")
    error = await fails(world.minikube, world.progress)
    reason = words.format(home=world.home)
    folder = world.home / called / ".minikube"
    assert str(error) == f"minikube cannot make its folder {folder}: {reason}."
    assert error.hint.command == hint
    assert not error.details


@pytest.mark.parametrize("state", [None, STOPPED])
async def test_minikube_that_a_signal_ends_is_not_called_unknown(
    world: World, state: dict[str, str] | None
) -> None:
    """Half downloaded, or short of memory."""
    if state:
        world.has(**state)
    program = world.home / "bin" / "minikube"
    program.write_text("#!/bin/sh\nkill -SEGV $$\n")
    for question in (world.start(), world.minikube.running()):
        with pytest.raises(ClusterUnreachableError, match=r"minikube was ended by SIGSEGV\."):
            await question


@pytest.mark.usefixtures("docker_program")
async def test_node_frozen_by_docker_is_unfrozen_by_docker(world: World) -> None:
    """`minikube start` would hang."""
    world.has(frozen=True)
    await world.start()
    assert world.acts() == []
    assert world.progress.steps == [
        "minikube 'shop' is frozen by `docker pause`; unfreezing its node"
    ]


@pytest.mark.usefixtures("no_docker")
async def test_missing_node_without_docker_is_dockers_trouble(world: World) -> None:
    """The node is there, only nobody can say so."""
    world.set(docker_up=False)
    world.has()
    assert str(await fails(world.minikube, world.progress)) == "Docker is not running."
    assert world.acts() == []


@pytest.mark.usefixtures("no_docker")
async def test_missing_virtual_machine_needs_no_docker(world: World) -> None:
    """Other drivers' nodes are no containers."""
    world.has(host="Gone", driver="kvm2")
    with pytest.raises(RecreateRefusedError, match="has lost its node's machine"):
        await world.start()


async def test_full_disk_stops(world: World) -> None:
    """Starting it again would not help."""
    world.has(host="InsufficientStorage")
    error = await fails(world.minikube, world.progress)
    assert "minikube ssh -p shop -- docker system prune" in error.hint
    assert world.acts() == []


async def test_damaged_profile_is_never_deleted_without_a_yes(world: World) -> None:
    """What is inside may be healthy; the command that insists is the hint."""
    world.set(invalid=["shop"], profiles={"shop": PROFILE})
    with pytest.raises(RecreateRefusedError, match="'shop' is damaged: ") as caught:
        await world.start()
    assert caught.value.hint == "flashsale up --profile shop --recreate"
    assert world.acts() == []


async def test_profile_of_another_driver_is_not_taken_for_it(world: World) -> None:
    """Neither when it runs nor when it is stopped."""
    for state in ({}, STOPPED):
        world.has(**state)
        with pytest.raises(BadInputError, match="already uses driver docker") as caught:
            await MinikubeCluster("shop", NewProfileOptions("kvm2")).start(world.progress)
        assert "--profile" in caught.value.hint
    assert world.acts() == []


async def test_other_profiles_and_current_context_are_not_touched(world: World) -> None:
    """Creating, restarting, stopping: every call names its profile."""
    world.has("other", **STOPPED)
    before = world.profile("other")
    await world.start()
    await world.minikube.stop(world.progress)
    await world.start()
    assert world.profile("other") == before
    assert all(words[1:3] == ["-p", "shop"] for words in world.calls())
    assert "current-context: work\n" in (world.home / "kubeconfig").read_text()
    assert "--keep-context" in world.words("start")  # which a restart passes over


async def test_state_can_be_asked_without_starting_anything(world: World) -> None:
    """What choosing a cluster needs."""
    assert not (await read_profile_state("shop")).profile
    assert not await world.minikube.running()
    world.has()
    assert (await read_profile_state("shop")).running
    assert await world.minikube.running()
    assert world.acts() == []


async def test_steps_come_from_events_and_only_go_forward(world: World) -> None:
    """Steps repeat and go back, and their messages are in any language; their names are not."""
    await world.start()
    steps = [step for step in world.progress.steps if step.startswith("minikube: ")]
    assert steps == [
        "minikube: Initial Minikube Setup",
        "minikube: Selecting Driver",
        "minikube: Starting Node",
        "minikube: Pulling Base Image",
        "minikube: Creating Container",
        "minikube: Preparing Kubernetes",
        "minikube: Booting control plane",
        "minikube: Enabling Addons",
    ]
    assert "gcr.io/kicbase:v0.0.50: 50%" in world.progress.details
    assert "E0823" not in world.progress.everything  # klog's noise is nobody's business


async def test_minikube_speaks_english_to_us_whatever_the_user_speaks(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It translates its words, and adds emoji where the environment or a setting says so."""
    for name, value in (("LC_ALL", "de_DE.UTF-8"), ("LANG", "ja_JP"), ("LANGUAGE", "zh_CN:fr")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MINIKUBE_IN_STYLE", "true")
    program, seen = world.home / "bin" / "minikube", world.home / "seen"
    program.rename(world.home / "bin" / "double")
    program.write_text(f'#!/bin/sh\nenv >{seen}\nexec {world.home}/bin/double "$@"\n')
    program.chmod(0o755)
    await world.start()
    lines = seen.read_text().splitlines()
    assert {"LC_ALL=C", "LANGUAGE=en_US", "MINIKUBE_IN_STYLE=false"} <= set(lines)


async def test_silence_is_broken_by_a_heartbeat(world: World) -> None:
    """Downloads of minutes are not reported through a pipe."""
    world.set(pace=0.1)
    quick = replace(world.minikube, patience=replace(world.minikube.patience, heartbeat=0.05))
    await quick.start(world.progress)
    assert any(re.fullmatch(r"still at '.+' after \d+ s", line) for line in world.progress.details)


async def test_interrupt_ends_minikube_and_the_next_start_begins_anew(world: World) -> None:
    """SIGINT to its group; minikube would call what is left complete, without a network."""
    world.set(pace=20)
    task = asyncio.create_task(world.start())
    await world.progress.until("minikube: Selecting Driver")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert gone(int((world.home / "start.pid").read_text()))
    assert world.progress.notes[-1].startswith("Interrupted: minikube 'shop' is half-made.")
    world.set(pace=0)
    world.has(unfinished=True, apiserver="Stopped", kubeconfig="Misconfigured")
    await world.start()
    assert world.acts() == ["start", "delete", "start"]
    assert await world.minikube.running()
    world.has(**STOPPED)
    await world.start()
    assert world.acts()[-2:] == ["start", "start"]  # what was finished once is never deleted


NO_KUBEADM = {
    "code": 80,
    "message": (
        'error deleting profile: failed to delete cluster: sudo /bin/bash -c "kubeadm reset": exit'
        " status 127\nstdout:\n\nstderr:\nenv: 'kubeadm': No such file or directory"
    ),
}


async def test_cut_off_start_that_cannot_be_deleted_goes_on(world: World) -> None:
    """Before kubeadm is there, the driver none deletes nothing; then nothing is half-made."""
    with contextlib.suppress(ZeroDivisionError), note_unfinished(world.home / "home", "shop"):
        _ = 1 / 0
    world.has(**STOPPED, driver="none", unfinished=True)
    world.set(faults={"delete": [NO_KUBEADM]})
    await world.start()
    assert world.acts() == ["delete", "start"]
    assert "--driver=none" in world.words("start")
    assert (
        world.progress.notes[0] == "minikube could not delete 'shop', so its first start goes on."
    )


async def test_deletion_that_was_asked_for_and_fails_is_told_by_its_cause(
    world: World, docker_socket: Path
) -> None:
    """`delete` gives no reason with an exit code, only an error."""
    world.has(host="Gone", leftover=True)
    world.set(faults={"delete": [NO_KUBEADM]})
    wanted_cluster = MinikubeCluster("shop", NewProfileOptions(recreate=True), patience=QUICK)
    error = await fails(wanted_cluster, world.progress)
    cause = "'kubeadm': No such file or directory."
    assert str(error) == f"minikube could not delete 'shop': {cause}"
    assert world.acts() == ["delete"]


async def test_cut_off_start_that_somebody_finished_counts_as_finished(world: World) -> None:
    """There may be something in it by now."""
    with contextlib.suppress(ZeroDivisionError), note_unfinished(world.home / "home", "shop"):
        _ = 1 / 0
    world.has(**STOPPED)
    await world.start()
    assert world.acts() == ["start"]
    assert not was_cut_off(world.home / "home", "shop")


async def test_interrupted_restart_loses_nothing(world: World) -> None:
    """Only what was never finished is begun anew."""
    world.has(**STOPPED)
    world.set(pace=20)
    task = asyncio.create_task(world.start())
    await world.progress.until("minikube: Selecting Driver")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    world.set(pace=0)
    await world.start()
    assert world.acts() == ["start", "start"]


async def test_warnings_are_whole_and_each_is_said_once(world: World) -> None:
    """The lines below come as errors; the default runtime of a later version is nobody's matter."""
    await world.start()
    assert world.progress.notes == [
        "minikube: Das Image 'eins' fehlt",
        "minikube: Kein Weg ins Internet. Ausf\u00fchren:",
        "proxy --an",
    ]


async def test_minikube_that_ignores_an_interrupt_is_killed(world: World) -> None:
    """After some patience: a start that was given up must not go on behind our back."""
    world.set(pace=20, stubborn=True)
    task = asyncio.create_task(
        replace(world.minikube, patience=replace(world.minikube.patience, interrupt=0.2)).start(
            world.progress
        )
    )
    await world.progress.until("minikube: Selecting Driver")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 10)
    assert gone(int((world.home / "start.pid").read_text()))


async def test_start_has_a_time_limit(world: World) -> None:
    """A start that hangs is interrupted like one that the user is tired of."""
    world.set(pace=20)
    impatient = replace(world.minikube, patience=replace(world.minikube.patience, start=0.5))
    error = await fails(impatient, world.progress)
    assert "did not end within 0.5 s" in str(error)
    assert "minikube logs" in error.hint
