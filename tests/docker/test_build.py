"""Building with a real engine: once for each content, streaming, cancellable."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from flashsale.base.errors import BadInputError
from flashsale.docker import BuildRecipe, Engine, Made, Surroundings, make, remove_images
from flashsale.docker.build import LABEL, BuildError, follow_build, step_failed_error
from tests.docker.engines import own_layers

LIMIT = 30  # seconds for a condition that is met at once on a free machine


async def built(engine: Engine, app: Path, name: str, **options: object) -> Made:
    recipe = BuildRecipe.of(app, app / "Dockerfile", name, **options)
    return await make(engine, recipe, lambda line: None, lambda line: None)


async def test_unchanged_app_is_built_once(engine: Engine, app: Path, image_name: str) -> None:
    """The second time nothing happens, and the image is the same."""
    first = await built(engine, app, image_name)
    second = await built(engine, app, image_name)
    assert (first.built, second.built, second.id) == (True, False, first.id)


async def test_changed_app_is_always_built(engine: Engine, app: Path, image_name: str) -> None:
    """Going back to an earlier content is a change too."""
    first = await built(engine, app, image_name)
    (app / "app.py").write_text("print('changed')\n")
    second = await built(engine, app, image_name)
    (app / "app.py").write_text("print('sale')\n")
    third = await built(engine, app, image_name)
    assert [first.built, second.built, third.built] == [True, True, True]
    assert second.id != first.id


async def test_rebuild_builds_what_is_unchanged(engine: Engine, app: Path, image_name: str) -> None:
    """`--rebuild` means it."""
    await built(engine, app, image_name)
    assert (await built(engine, app, image_name, rebuild=True)).built


async def test_network_settings_do_not_rebuild(engine: Engine, app: Path, image_name: str) -> None:
    """Another shell with other proxies has the same app."""
    await built(engine, app, image_name)
    around = Surroundings({"HTTPS_PROXY": "http://proxy.corp:1"})
    assert not (await built(engine, app, image_name, around=around)).built


async def test_digest_is_kept_as_a_label(engine: Engine, app: Path, image_name: str) -> None:
    """That is how the engine itself remembers what it has."""
    await built(engine, app, image_name)
    found = engine.find(image_name)
    assert found is not None
    assert found.labels[LABEL] == BuildRecipe.of(app, app / "Dockerfile", image_name).digest


async def test_purging_one_state_folder_leaves_the_images_of_another(
    engine: Engine, app: Path, image_name: str
) -> None:
    """They share this machine's Docker, and each says how many stay."""
    await built(engine, app, image_name, home="one")
    (app / "app.py").write_text("print('changed')\n")
    await built(engine, app, f"{image_name}-other", home="other")
    removed = await remove_images(engine, "one")
    assert removed.count == 1
    assert removed.left >= 1
    assert engine.find(image_name) is None
    assert engine.find(f"{image_name}-other") is not None
    assert (await remove_images(engine, "other")).count == 1


async def test_arguments_and_certificate_reach_a_build_that_declares_nothing(
    engine: Engine, app: Path, image_name: str, base_image: str, tmp_path: Path
) -> None:
    """The page's Dockerfile knows nothing of networks that re-sign TLS or have their own index."""
    (tmp_path / "ca.pem").write_text("the certificate\n")
    (app / "Dockerfile").write_text(
        f"{own_layers(base_image)}"
        "RUN echo index=$PIP_INDEX_URL proxy=$HTTPS_PROXY typed=$TYPED && cat $PIP_CERT\n"
    )
    around = Surroundings(
        {
            "PIP_INDEX_URL": "https://corp/simple",
            "HTTPS_PROXY": "http://proxy.corp:1",
            "PIP_CERT": str(tmp_path / "ca.pem"),
        }
    )
    recipe = BuildRecipe.of(
        app, app / "Dockerfile", image_name, around=around, build_args={"TYPED": "yes"}
    )
    lines: list[str] = []
    await make(engine, recipe, lines.append, lambda line: None)
    await asyncio.sleep(0)  # the last lines were handed to the loop by another thread
    assert "index=https://corp/simple proxy=http://proxy.corp:1 typed=yes" in lines
    assert "the certificate" in lines


async def test_failed_build_shows_its_step_and_all_output(
    engine: Engine, app: Path, image_name: str, base_image: str
) -> None:
    """What the failing command said is what the user needs."""
    (app / "Dockerfile").write_text(
        f"{own_layers(base_image)}RUN echo first\nRUN echo gone; exit 3\n"
    )
    with pytest.raises(BuildError, match="step 4/") as caught:
        await built(engine, app, image_name)
    assert "first" in caught.value.details
    assert "gone" in caught.value.details
    assert "returned a non-zero code: 3" in caught.value.details


async def test_buildkit_dockerfile_is_refused_before_building(
    engine: Engine, app: Path, image_name: str
) -> None:
    """Nothing is left behind."""
    (app / "Dockerfile").write_text("FROM scratch\nRUN --mount=type=cache,target=/x true\n")
    with pytest.raises(BadInputError, match="BuildKit"):
        await built(engine, app, image_name)
    assert engine.find(image_name) is None


async def test_cancelled_build_ends_at_once_in_the_engine_too(
    engine: Engine, app: Path, image_name: str, base_image: str
) -> None:
    """Ctrl-C in the middle of a silent step: the thread ends, the container is stopped."""
    (app / "Dockerfile").write_text(f"{own_layers(base_image)}RUN echo started && sleep 600\n")
    started = asyncio.Event()
    recipe = BuildRecipe.of(app, app / "Dockerfile", image_name)

    def emit(line: str) -> None:
        if line == "started":
            started.set()

    task = asyncio.create_task(make(engine, recipe, emit, lambda line: None))
    await asyncio.wait_for(started.wait(), LIMIT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, LIMIT)
    deadline = time.monotonic() + LIMIT
    while sleeping(engine):
        assert time.monotonic() < deadline, "the engine goes on building"
        await asyncio.sleep(0.05)


def sleeping(engine: Engine) -> list[Mapping[str, object]]:
    running = engine.client.api.containers()
    return [row for row in running if "sleep 600" in row["Command"]]


def test_colours_do_not_reach_the_terminal() -> None:
    """What a build prints must not move the cursor of whoever watches."""
    lines: list[str] = []
    follow_build(
        [{"stream": "\x1b[91mred\x1b[0m\r\n\x1b[0m"}, {"stream": "\x07plain\n"}], lines.append
    )
    assert lines == ["red", "plain"]


def test_pulled_layers_are_told_without_their_every_byte() -> None:
    """A pull sends many messages a second."""
    lines: list[str] = []
    messages = [
        {"status": "Pulling from library/python", "id": "3.11-slim"},
        {"status": "Downloading", "progressDetail": {"current": 1, "total": 9}, "id": "ab"},
        {"status": "Pull complete", "progressDetail": {}, "id": "ab"},
    ]
    follow_build(messages, lines.append)
    assert lines == ["3.11-slim: Pulling from library/python", "ab: Pull complete"]


@pytest.mark.parametrize(
    ("output", "hint"),
    [
        ("SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED]", "PIP_CERT"),
        ("Temporary failure in name resolution", "--build-arg HTTPS_PROXY"),
        ("pull access denied for python", "docker pull"),
        ("SyntaxError", "mend"),
    ],
)
def test_failure_hints_at_what_the_output_suggests(output: str, hint: str) -> None:
    """A network that re-signs TLS is the most common reason."""
    assert hint in step_failed_error("returned a non-zero code: 1", [output]).hint
