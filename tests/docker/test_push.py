"""Pushing to a registry, with and without its password."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError
from flashsale.docker import BuildRecipe, Engine, connected, make, push
from flashsale.docker.push import PushError, PushTarget, follow_push, push_refused_error

locked = pytest.mark.parametrize("registry", ["locked"], indirect=True)


@pytest.fixture
async def image(engine: Engine, app: Path, image_name: str) -> str:
    """An image that the engine has."""
    recipe = BuildRecipe.of(app, app / "Dockerfile", image_name)
    await make(engine, recipe, lambda line: None, lambda line: None)
    return image_name


def log_in(folder: Path, registry: str, password: str) -> None:
    """Do what `docker login` does without a credential helper."""
    auth = base64.b64encode(f"shop:{password}".encode()).decode()
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auths": {registry: {"auth": auth}}}))


async def test_pushed_image_is_named_by_its_digest(
    engine: Engine, image: str, registry: str
) -> None:
    """A node that has an older image of that tag must still get this one."""
    lines: list[str] = []
    repository = f"{registry}/{image.removesuffix(':1')}"
    name = await push(engine, image, repository, lines.append)
    assert name.startswith(f"{repository}:1@sha256:")
    found = engine.find(image)
    assert found is not None
    assert f"{repository}@{name.partition('@')[2]}" in found.digests
    assert any("Pushed" in line for line in lines)


async def test_unchanged_image_pushed_again_has_the_same_name(
    engine: Engine, image: str, registry: str
) -> None:
    """Running `up --push` again changes nothing."""
    repository = f"{registry}/{image.removesuffix(':1')}"
    first = await push(engine, image, repository, print)
    assert await push(engine, image, repository, print) == first


@locked
async def test_locked_registry_without_login_says_how_to_log_in(
    engine: Engine, image: str, registry: str
) -> None:
    """The command to type is the hint."""
    with pytest.raises(PushError) as caught:
        await push(engine, image, f"{registry}/{image}", print)
    assert caught.value.hint == f"docker login {registry}"


@locked
@pytest.mark.parametrize(("password", "right"), [("sesame", True), ("wrong", False)])
async def test_credentials_come_from_dockers_config(
    docker_socket: Path,
    image: str,
    registry: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    password: str,
    right: bool,
) -> None:
    """Whoever has run `docker login` need not say anything again; a wrong password is no login."""
    log_in(tmp_path / "docker", registry, password)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    async with connected({"DOCKER_HOST": f"unix://{docker_socket}"}) as engine:
        if right:
            assert "@sha256:" in await push(engine, image, f"{registry}/{image}", print)
        else:
            with pytest.raises(PushError):
                await push(engine, image, f"{registry}/{image}", print)


@pytest.mark.parametrize(
    ("repository", "name", "target", "registry"),
    [
        ("me/flashsale", "flashsale:1.0", "me/flashsale:1.0", "docker.io"),
        ("me/flashsale:2", "flashsale:1.0", "me/flashsale:2", "docker.io"),
        ("ghcr.io/me/sale", "flashsale", "ghcr.io/me/sale:latest", "ghcr.io"),
        ("localhost:5000/sale", "flashsale:1.0", "localhost:5000/sale:1.0", "localhost:5000"),
    ],
)
def test_tag_is_the_images_own_unless_typed(
    repository: str, name: str, target: str, registry: str
) -> None:
    """And the registry is read as Docker reads it."""
    found = PushTarget.of(repository, name)
    assert (str(found), found.registry) == (target, registry)


@pytest.mark.parametrize("repository", ["Me/Sale", "", "me/sale:a:b", "-x", "me//sale"])
def test_impossible_repository_is_bad_input(repository: str) -> None:
    """Before anything is built or sent."""
    with pytest.raises(BadInputError, match="not a repository"):
        PushTarget.of(repository, "flashsale:1.0")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("denied: requested access to the resource is denied", "denied the push"),
        ("unauthorized: authentication required", "Not logged in"),
        ("no basic auth credentials", "Not logged in"),
        ("http: server gave HTTP response to HTTPS client", "plain HTTP"),
        ("dial tcp: connection refused", "does not reach the registry"),
        ("something else", "failed"),
    ],
)
def test_refusals_are_explained(error: str, words: str) -> None:
    """The registry's own words stay in the details."""
    explained = push_refused_error(error, PushTarget("me/sale", "1.0"))
    assert words in str(explained)
    assert error in explained.details
    assert explained.hint


def test_layers_are_told_in_steps() -> None:
    """Ten lines a layer at most, however many messages come."""
    lines: list[str] = []
    pushing = [
        {"status": "Pushing", "id": "ab", "progressDetail": {"current": done, "total": 1000}}
        for done in range(0, 1001, 10)
    ]
    done = {"aux": {"Digest": "sha256:00"}}
    assert follow_push([*pushing, done], PushTarget("me/sale", "1"), lines.append) == "sha256:00"
    assert lines == [f"ab: Pushing {share} %" for share in range(0, 101, 10)]
