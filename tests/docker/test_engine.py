"""Connecting to an engine over TLS, and saying why it cannot be used."""

from __future__ import annotations

import asyncio
import io
import socket
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from flashsale.base.errors import FlashsaleError
from flashsale.docker import Engine, EngineError, EngineProblem, connected
from tests.docker.engine_proxies import Authority, door
from tests.docker.engines import own_layers

AGO = timedelta(days=-2)


@contextmanager
def behind(engine: Path, authority: Authority, **server: object) -> Iterator[dict[str, str]]:
    """An environment as `minikube docker-env` gives it, with a relay at its address."""
    with door(engine, authority.server_context(**server)) as port:  # type: ignore[arg-type]
        yield environment(port, authority.folder)


def environment(port: int, folder: Path) -> dict[str, str]:
    return {
        "DOCKER_HOST": f"tcp://127.0.0.1:{port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(folder),
    }


async def trouble(given: dict[str, str], timeout: float = 5) -> EngineProblem:
    with pytest.raises(EngineError) as caught:
        async with connected(given, timeout=timeout):
            pass
    assert caught.value.hint
    return caught.value.trouble


async def test_engine_with_tls_both_ways_answers(docker_socket: Path, tmp_path: Path) -> None:
    """As minikube's daemon: our certificate is asked for, and its name is checked."""
    with behind(docker_socket, Authority.make(tmp_path)) as given:
        async with connected(given) as engine:
            assert engine.info()["ServerVersion"]


async def test_expired_certificate_of_ours_is_recognised(
    docker_socket: Path, tmp_path: Path
) -> None:
    """After three years a profile's certificates are over, and only the daemon says so."""
    with behind(docker_socket, Authority.make(tmp_path, client_ends=AGO)) as given:
        assert await trouble(given) is EngineProblem.EXPIRED


async def test_expired_certificate_of_the_daemon_is_recognised(
    docker_socket: Path, tmp_path: Path
) -> None:
    """The other direction, found by our side."""
    with behind(docker_socket, Authority.make(tmp_path), ends=AGO) as given:
        assert await trouble(given) is EngineProblem.EXPIRED


async def test_certificate_for_another_address_is_stale(
    docker_socket: Path, tmp_path: Path
) -> None:
    """After a restart the node may have got another address than its certificate names."""
    with behind(docker_socket, Authority.make(tmp_path), address="192.168.49.3") as given:
        assert await trouble(given) is EngineProblem.STALE


async def test_daemon_of_a_stranger_is_not_trusted(docker_socket: Path, tmp_path: Path) -> None:
    """Another CA: something else listens at that address."""
    own = Authority.make(tmp_path / "own")
    with behind(docker_socket, Authority.make(tmp_path / "stranger")) as given:
        given["DOCKER_CERT_PATH"] = str(own.folder)
        assert await trouble(given) is EngineProblem.UNTRUSTED


async def test_missing_certificates_are_recognised(tmp_path: Path) -> None:
    """The folder is empty."""
    assert await trouble(environment(1, tmp_path)) is EngineProblem.NO_CERTIFICATES


async def test_nobody_listening_is_absent() -> None:
    """A port that refuses, and a socket that does not exist."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # bound, not listening: refused
        port = free.getsockname()[1]
        assert await trouble({"DOCKER_HOST": f"tcp://127.0.0.1:{port}"}) is EngineProblem.ABSENT
    assert await trouble({"DOCKER_HOST": "unix:///nowhere/docker.sock"}) is EngineProblem.ABSENT


async def test_silence_is_a_timeout() -> None:
    """A firewall or VPN that swallows packets."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        assert await trouble({"DOCKER_HOST": host}, timeout=0.2) is EngineProblem.TIMEOUT


async def test_environment_for_the_web_does_not_reach_the_engine(
    docker_socket: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the proxy nor the CA bundle of a corporate network is asked about our own node."""
    strange = Authority.make(tmp_path / "strange").folder / "ca.pem"
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://192.0.2.1:3128")
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, str(strange))
    with behind(docker_socket, Authority.make(tmp_path / "own")) as given:
        async with connected(given, timeout=5) as engine:
            assert engine.info()["ServerVersion"]


async def test_answer_with_an_error_is_told_as_such(engine: Engine) -> None:
    """What the engine refuses is no trouble with the connection."""

    def refused(_: object) -> None:
        engine.tag("no-such-image-here:1", "other", "1")

    with pytest.raises(FlashsaleError, match="no-such-image-here") as caught:
        await engine.work(refused, print)
    assert not isinstance(caught.value, EngineError)


async def test_several_may_ask_for_the_disk_at_once(docker_socket: Path) -> None:
    """Older engines answer one and refuse the others, whoever they are."""
    async with connected({"DOCKER_HOST": f"unix://{docker_socket}"}) as engine:
        removals = (
            engine.work(lambda emit: engine.remove_labelled("no-such-label"), print)
            for _ in range(8)
        )
        assert await asyncio.gather(*removals) == [(0, 0)] * 8


async def test_labelled_images_are_removed_and_counted(docker_socket: Path) -> None:
    """By their label, whatever they are called, and no others."""
    name = f"flashsale-trial-{uuid4().hex}"
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        dockerfile = f"{own_layers()}COPY content /\n".encode()
        for file, content in (("Dockerfile", dockerfile), ("content", b"x")):
            entry = tarfile.TarInfo(file)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

    def build_and_remove(emit: Callable[[str], None]) -> list[int]:
        for tag, label in (("ours", name), ("other", "another")):
            messages = engine.build(archive.getvalue(), f"{name}:{tag}", {}, {label: "1"})
            assert not [message for message in messages if "error" in message]
        return [engine.remove_labelled(label)[0] for label in ("no-such-label", name, name)]

    async with connected({"DOCKER_HOST": f"unix://{docker_socket}"}) as engine:
        try:
            assert await engine.work(build_and_remove, print) == [0, 1, 0]
        finally:
            engine.client.images.remove(f"{name}:other", force=True)
