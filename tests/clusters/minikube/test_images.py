"""Making the sale's image inside minikube, by the road that its driver and runtime allow."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flashsale.base.errors import BadInputError, ClusterUnreachableError
from flashsale.clusters.base import App, BuildOptions, Image
from flashsale.clusters.minikube.image.image_build import NodeBuild
from flashsale.docker import EngineError
from flashsale.docker.build import BuildError
from tests.clusters.minikube.double_world import PROFILE, STOPPED, World
from tests.docker.engine_proxies import Authority, door

AGO = timedelta(days=-2)


@pytest.fixture
def doors(docker_socket: Path, world: World) -> Iterator[list[str]]:
    """Two addresses of the daemon inside minikube: the second one counts after a restart."""
    authority = Authority.make(world.home / "certs")
    context = authority.server_context()
    with ExitStack() as stack:
        ports = [stack.enter_context(door(docker_socket, context)) for _ in range(2)]
        hosts = [f"tcp://127.0.0.1:{port}" for port in ports]
        world.set(engines=hosts, certs=str(authority.folder))
        yield hosts


async def provide(world: World, app: App | None, name: str, **options: Any) -> Image:
    return await world.minikube.provide(app, name, BuildOptions(**options), world.progress)


@pytest.mark.usefixtures("doors")
async def test_image_is_built_once_in_minikubes_own_docker(
    world: World, app: App, image_name: str
) -> None:
    """Through the SDK, over TLS; the user's shell and host daemon take no part."""
    world.has()
    first = await provide(world, app, image_name)
    second = await provide(world, app, image_name)
    assert first.name == image_name
    assert (first.built, second.built, second.id) == (True, False, first.id)
    assert set(world.acts()) == {"docker-env"}
    assert any("Step 1/" in line for line in world.progress.details)


async def test_docker_env_is_read_anew_each_time(
    world: World, app: App, image_name: str, doors: list[str]
) -> None:
    """After a restart the port is another one."""
    world.has(starts=1)
    await provide(world, app, image_name)
    world.has(starts=2)
    app.folder.joinpath("app.py").write_text("print('changed')\n")
    await provide(world, app, image_name)
    assert [step.rpartition(" ")[2] for step in world.progress.steps] == doors


@pytest.mark.parametrize("code", [83, 85])
@pytest.mark.usefixtures("doors")
async def test_profile_that_stopped_meanwhile_is_started_again_once(
    world: World, app: App, image_name: str, code: int
) -> None:
    """Somebody ran `minikube stop` between two of our commands."""
    world.has(**STOPPED)
    world.set(faults={"docker-env": [{"code": code}]})
    assert (await provide(world, app, image_name)).built
    assert world.acts() == ["docker-env", "start", "docker-env"]


async def test_profile_that_stops_again_fails(world: World, app: App) -> None:
    """Twice is no accident."""
    world.has()
    world.set(faults={"docker-env": [{"code": 83}, {"code": 83}]})
    with pytest.raises(ClusterUnreachableError, match="'shop' stopped while deploying"):
        await provide(world, app, "flashsale:1.0")


async def test_docker_env_without_an_address_fails(world: World, app: App) -> None:
    """Its exit code comes before its JSON."""
    world.has()
    world.set(faults={"docker-env": [{"code": 80}]})
    with pytest.raises(ClusterUnreachableError, match="code 80"):
        await provide(world, app, "flashsale:1.0")


@pytest.mark.parametrize(
    ("client_ends", "address", "said", "hint"),
    [
        (AGO, "127.0.0.1", "cert.pem expired on", "minikube delete -p shop"),
        (-AGO, "192.168.49.3", "invalid or expired", "minikube stop -p shop"),
    ],
)
async def test_bad_certificate_is_explained_after_a_second_reading(
    world: World,
    app: App,
    docker_socket: Path,
    client_ends: timedelta,
    address: str,
    said: str,
    hint: str,
) -> None:
    """An expired one needs a new profile, a stale one a restart."""
    world.has()
    authority = Authority.make(world.home / "certs", client_ends=client_ends)
    with door(docker_socket, authority.server_context(address)) as port:
        world.set(engines=[f"tcp://127.0.0.1:{port}"], certs=str(authority.folder))
        with pytest.raises(ClusterUnreachableError, match="The Docker certificate of") as caught:
            await provide(world, app, "flashsale:1.0")
    assert said in str(caught.value)
    assert hint in caught.value.hint
    assert world.acts() == ["docker-env", "docker-env"]


@pytest.mark.parametrize("first", ["tcp://127.0.0.1:1", "stale"])
async def test_second_reading_can_be_the_right_one(
    world: World, app: App, image_name: str, doors: list[str], docker_socket: Path, first: str
) -> None:
    """The node restarted in between: another port, another certificate, and all is well."""
    context = Authority.make(world.home / "old").server_context("192.168.49.3")
    world.has()
    restarted = {"world": {"shop": {**PROFILE, "starts": 2}}}
    with door(docker_socket, context) as stale:
        before = f"tcp://127.0.0.1:{stale}" if first == "stale" else first
        world.set(engines=[before, doors[0]], faults={"docker-env": [{}, restarted]})
        assert (await provide(world, app, image_name)).built
    assert world.acts() == ["docker-env", "docker-env"]
    assert "minikube image build" not in world.progress.everything


@pytest.mark.usefixtures("doors")
async def test_missing_certificates_name_their_folder(world: World, app: App) -> None:
    """`minikube start` writes them."""
    world.has()
    shutil.rmtree(world.home / "certs")
    with pytest.raises(EngineError, match=r"Certificates missing in .*certs") as caught:
        await provide(world, app, "flashsale:1.0")
    assert caught.value.hint == "minikube start -p shop"  # never another profile


async def test_unreachable_daemon_is_built_around(world: World, app: App) -> None:
    """A VPN or firewall: what runs inside the node needs no connection from here."""
    world.has()
    Authority.make(world.home / "certs")
    world.set(engines=["tcp://127.0.0.1:1"], certs=str(world.home / "certs"))
    image = await provide(world, app, "flashsale:1.0")
    assert image.built
    assert world.acts().count("docker-env") == 2
    assert any("tcp://127.0.0.1:1" in note and "NO_PROXY" in note for note in world.progress.notes)


async def test_silent_daemon_is_built_around_unless_the_image_is_to_be_pushed(
    world: World, app: App
) -> None:
    """A push takes an engine: then the way to it has to be made free, and the error says how."""
    world.has()
    Authority.make(world.home / "certs")
    patience = replace(world.minikube.patience, connect=0.2)
    hasty = replace(world, minikube=replace(world.minikube, patience=patience))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        world.set(engines=[host], certs=str(world.home / "certs"))
        with pytest.raises(EngineError, match="Cannot reach Docker") as caught:
            await provide(hasty, app, "flashsale:1.0", push="me/sale")
        assert "NO_PROXY" in caught.value.hint
        assert world.acts() == ["docker-env", "docker-env"]
        assert (await provide(hasty, app, "flashsale:1.0")).built
    assert (
        f"Cannot reach Docker on {host} (VPN or proxy?). Add it to NO_PROXY."
        in world.progress.everything
    )


@pytest.mark.usefixtures("doors")
async def test_proxies_are_not_asked_for_the_node(
    world: World, app: App, image_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of the environment's, which knows nothing of it, would be the end."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    world.has()
    assert (await provide(world, app, image_name)).built
    assert world.acts() == ["docker-env"]


@pytest.mark.parametrize("runtime", ["containerd", "crio"])
async def test_other_runtimes_build_once_with_minikube(
    world: World, app: App, runtime: str
) -> None:
    """docker-env is not asked: on containerd it starts ssh agents and edits files."""
    world.has(runtime=runtime)
    first = await provide(world, app, "flashsale:1.0")
    second = await provide(world, app, "flashsale:1.0")
    assert first.name == "docker.io/library/flashsale:1.0"  # cri-o resolves no short names
    assert (first.built, second.built, second.id) == (True, False, first.id)
    assert "docker-env" not in world.acts()
    assert any(f"'shop' uses {runtime}" in note for note in world.progress.notes)


async def test_changed_app_is_built_with_minikube_and_going_back_is_only_named(
    world: World, app: App
) -> None:
    """The earlier content is still in the node; the sale's name has to be put on it again."""
    world.has(runtime="crio")
    first = await provide(world, app, "flashsale:1.0")
    (app.folder / "app.py").write_text("print('changed')\n")
    second = await provide(world, app, "flashsale:1.0")
    (app.folder / "app.py").write_text("print('sale')\n")
    third = await provide(world, app, "flashsale:1.0")
    assert [first.built, second.built, third.built] == [True, True, False]
    assert (first.id, third.id) == (third.id, first.id) != (second.id, second.id)
    assert world.profile()["images"][third.name] == third.id.removeprefix("sha256:")


async def test_sales_name_moves_to_a_changed_app_on_containerd_too(world: World, app: App) -> None:
    """There a name that is taken has to be taken off first, and older contents go with it."""
    world.has(runtime="containerd")
    first = await provide(world, app, "flashsale:1.0")
    (app.folder / "app.py").write_text("print('changed')\n")
    second = await provide(world, app, "flashsale:1.0")
    again = await provide(world, app, "flashsale:1.0")
    assert [first.built, second.built, again.built] == [True, True, False]
    assert world.profile()["images"][again.name] == second.id.removeprefix("sha256:")


async def test_rebuild_builds_with_minikube_again(world: World, app: App) -> None:
    """And the next `up` finds that one."""
    world.has(runtime="containerd")
    await provide(world, app, "flashsale:1.0")
    assert (await provide(world, app, "flashsale:1.0", rebuild=True)).built
    assert not (await provide(world, app, "flashsale:1.0")).built


def test_image_that_bears_the_sales_name_comes_before_an_older_one() -> None:
    """Both have this content: the older one was there before `--rebuild`."""
    name, old, new = (
        f"docker.io/library/flashsale:{tag}" for tag in ("1.0", "sale-ab", "sale-ab-9")
    )
    wanted = NodeBuild(name, old)
    assert wanted.present([{old: ("a",), new: ("b",), name: ("b",)}]) == new
    assert wanted.present([{new: ("b",), old: ("a",), name: ("c",)}]) == new  # the first there is
    assert wanted.present([{old: ("a",), name: ("a",)}, {new: ("b",), name: ("b",)}]) == ""
    assert wanted.present([{name: ("a",)}]) == ""


async def test_build_that_fails_with_0_is_a_failure(world: World, app: App) -> None:
    """Only `image ls` says whether an image is there."""
    world.has(runtime="containerd")
    world.set(faults={"image build": [{"code": 0}]})
    with pytest.raises(BuildError, match="minikube returned 0") as caught:
        await provide(world, app, "flashsale:1.0")
    assert "ERROR: failed to solve" in caught.value.details


async def test_failed_build_does_not_pass_for_an_older_image(world: World, app: App) -> None:
    """The sale's name is on an image already, but of another content."""
    world.has(runtime="containerd")
    await provide(world, app, "flashsale:1.0")
    (app.folder / "app.py").write_text("print('changed')\n")
    world.set(faults={"image build": [{"code": 0}]})
    with pytest.raises(BuildError):
        await provide(world, app, "flashsale:1.0")


async def test_stopped_node_builds_nothing_and_that_is_noticed(world: World, app: App) -> None:
    """minikube says nothing at all then, and leaves with 0."""
    world.has(runtime="containerd", **STOPPED)
    with pytest.raises(BuildError):
        await provide(world, app, "flashsale:1.0")


@pytest.mark.parametrize(
    ("runtime", "option"), [("containerd", "opt=build-arg:"), ("crio", "build-arg=")]
)
async def test_build_arguments_reach_minikubes_build(
    world: World, app: App, runtime: str, option: str
) -> None:
    """As the runtime's own builder takes them, and declared in the Dockerfile."""
    world.has(runtime=runtime)
    await provide(world, app, "flashsale:1.0", build_args={"PIP_INDEX_URL": "https://x"})
    builds = [words for words in world.calls() if words[0] == "image" and "build" in words]
    assert f"--build-opt={option}PIP_INDEX_URL=https://x" in builds[0]
    assert "ARG PIP_INDEX_URL\n" in (world.home / "dockerfile").read_text()


@pytest.mark.parametrize("runtime", ["docker", "containerd"])
async def test_several_nodes_build_once_on_each(world: World, app: App, runtime: str) -> None:
    """docker-env refuses them, and one node's image is not the other's: pods may report any id."""
    world.has(nodes=3, runtime=runtime)
    first = await provide(world, app, "flashsale:1.0")
    second = await provide(world, app, "flashsale:1.0")
    assert (first.built, second.built) == (True, False)
    stores = [world.profile()["images"], *world.profile()["workers"].values()]
    ids = {images[first.name] for images in stores}
    assert len(ids) == 3
    assert all(first.runs_in(f"sha256:{one}") and second.runs_in(one) for one in ids)
    builds = [words for words in world.calls() if words[0] == "image" and "build" in words]
    assert len(builds) == 1
    assert "--all" in builds[0]
    assert "docker-env" not in world.acts()
    assert any("'shop' has 3 nodes" in note for note in world.progress.notes)


async def test_node_where_the_build_failed_is_named(world: World, app: App) -> None:
    """`image ls` joins the nodes' lists, and does not show what one of them lacks."""
    world.has(nodes=3)
    world.set(faults={"image build": [{"code": 0, "nodes": ["m03"]}]})
    with pytest.raises(BuildError, match=r"failed on shop-m03 \(minikube returned 0") as caught:
        await provide(world, app, "flashsale:1.0")
    assert "ERROR: failed to solve" in caught.value.details
    assert (await provide(world, app, "flashsale:1.0")).built  # and it is not taken for it


@pytest.mark.parametrize("runtime", ["docker", "containerd", "crio"])
@pytest.mark.parametrize("changed", [False, True], ids=["same", "changed"])
async def test_node_that_joined_later_gets_the_image_too(
    world: World, app: App, runtime: str, changed: bool
) -> None:
    """`minikube node add` brings an empty one; the others may have the name on an older image."""
    world.has(nodes=2, runtime=runtime)
    await provide(world, app, "flashsale:1.0")
    world.has(**{**world.profile(), "nodes": 3})
    if changed:
        (app.folder / "app.py").write_text("print('changed')\n")
    made = await provide(world, app, "flashsale:1.0")
    assert made.built
    stores = [world.profile()["images"], *world.profile()["workers"].values()]
    assert [made.runs_in(f"sha256:{images[made.name]}") for images in stores] == [True] * 3


async def test_node_that_does_not_say_what_it_has_is_an_error(world: World, app: App) -> None:
    """Silence is no proof of an image."""
    world.has(nodes=2, deaf=["m02"])
    with pytest.raises(ClusterUnreachableError, match=r"which images it has \(code 80") as caught:
        await provide(world, app, "flashsale:1.0")
    assert caught.value.hint.startswith("minikube -p shop ssh -n m02 -- sudo crictl images")


async def test_driver_none_uses_this_hosts_docker(
    world: World, app: App, image_name: str, docker_socket: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no node around it."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{docker_socket}")
    world.has(driver="none")
    assert (await provide(world, app, image_name)).built
    assert "Driver 'none': using this machine's Docker." in world.progress.notes
    assert world.acts() == []


@pytest.mark.usefixtures("doors")
async def test_pushed_image_is_what_the_manifest_names(
    world: World, app: App, image_name: str, registry: str
) -> None:
    """By its digest, so that every node runs this one."""
    world.has()
    repository = f"{registry}/{image_name.partition(':')[0]}"
    image = await provide(world, app, image_name, push=repository)
    assert image.name == f"{repository}:1@{image.digest}"
    assert image.runs_in(f"docker-pullable://{repository}@{image.digest}")
    assert not image.runs_in("docker://sha256:0123")


async def test_repository_is_checked_before_anything_is_built(
    world: World, app: App, doors: list[str]
) -> None:
    """A typing mistake costs no build."""
    world.has()
    with pytest.raises(BadInputError, match="not a repository"):
        await provide(world, app, "flashsale:1.0", push="Not/A Repository")
    assert world.progress.steps == []


async def test_image_that_is_named_is_taken_as_it_is(world: World) -> None:
    """`--image` without an app: nothing to build."""
    world.has()
    image = await provide(world, None, "docker.io/me/sale:2")
    assert (image.name, image.built) == ("docker.io/me/sale:2", False)


async def test_node_is_kept_out_of_proxies(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Kubernetes client would ask a proxy for it; what was there already stays."""
    import os

    monkeypatch.setenv("NO_PROXY", "corp.example")
    world.has(ip="192.168.49.2")
    await world.start()
    assert os.environ["NO_PROXY"] == "corp.example,192.168.49.2"


async def test_missing_profile_has_no_image(world: World, app: App) -> None:
    """The hint is the command that creates it."""
    with pytest.raises(ClusterUnreachableError, match="no minikube profile 'shop'") as caught:
        await provide(world, app, "flashsale:1.0")
    assert caught.value.hint == "flashsale up --profile shop"
