"""Both ways to an API server over mutual TLS: one cluster, the same answers."""

from __future__ import annotations

import errno
import ssl
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from http.client import HTTPSConnection
from pathlib import Path
from unittest.mock import Mock

import pytest
import yaml

from flashsale.base.errors import ClusterUnreachableError
from flashsale.embedded.process import launch
from flashsale.kube import Api, NotFoundError, paths
from flashsale.kube.transport.official_client import ClientTransport
from flashsale.kube.transport.stdlib_client import stdlib_transport
from flashsale.kube.transport.transport import Transport
from tests.forking.cluster_process import start_forked_cluster

CONTEXT = "flashsale-embedded"
Door = Callable[[Path, str], Transport | None]


@pytest.fixture(scope="module")
def kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An API server that wants a client's certificate."""
    home = tmp_path_factory.mktemp("kubernetes")
    yield start_forked_cluster(home).kubeconfig
    launch.stop_cluster(home)


@pytest.fixture(params=[stdlib_transport, ClientTransport], ids=["plain", "official"])
async def api(request: pytest.FixtureRequest, kubeconfig: Path) -> AsyncIterator[Api]:
    """A connection to it, one way or the other."""
    door: Door = request.param
    transport = door(kubeconfig, CONTEXT)
    assert transport is not None
    opened = Api(transport, CONTEXT, "flashsale up")
    yield opened
    await opened.close()


async def test_requests_carry_our_certificate(api: Api) -> None:
    """Read, write, and a no in the server's own words."""
    assert (await api.list(paths.nodes()))[0]["metadata"]["name"] == "embedded"
    service = {"metadata": {"generateName": "s-"}, "spec": {"ports": [{"port": 80}]}}
    made = await api.create(paths.services("default"), {"kind": "Service", **service})
    name = made["metadata"]["name"]
    await api.delete(paths.services("default", name))
    with pytest.raises(NotFoundError, match=f'services "{name}" not found'):
        await api.get(paths.services("default", name))


async def test_streams_carry_our_certificate(api: Api) -> None:
    """A watch tells at once what is there."""
    async with aclosing(api.stream(paths.nodes(), {"watch": True})) as news:
        first = await anext(news)
    assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "embedded")


def test_a_connection_is_used_again_unless_it_has_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A handshake costs more than a request; a server that was started anew is asked anew."""
    opened = []
    connect = HTTPSConnection.connect

    def counted(connection: HTTPSConnection) -> None:
        opened.append(connection)
        connect(connection)

    monkeypatch.setattr(HTTPSConnection, "connect", counted)
    transport = stdlib_transport(launch.start_cluster(tmp_path).kubeconfig, CONTEXT)
    assert transport is not None
    try:
        for _ in range(3):
            assert transport.call("GET", "/version", {}, None, "")[0] == 200
        assert len(opened) == 1
        launch.stop_cluster(tmp_path)
        launch.start_cluster(tmp_path)
        service = {"metadata": {"generateName": "s-"}, "spec": {"ports": [{"port": 80}]}}
        made = transport.call("POST", paths.services("default"), {}, service, "application/json")
        assert (made[0], len(opened)) == (201, 2)
    finally:
        transport.close()
        launch.stop_cluster(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="files in memory are Linux's")
def test_our_certificate_needs_no_disk(kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`flashsale down` is wanted most where every disk is full."""
    full = OSError(errno.ENOSPC, "No space left on device")
    monkeypatch.setattr("tempfile.NamedTemporaryFile", Mock(side_effect=full))
    assert stdlib_transport(kubeconfig, CONTEXT) is not None


@pytest.mark.parametrize("door", [stdlib_transport, ClientTransport], ids=["plain", "official"])
def test_certificates_are_checked_as_kubectl_checks_them(door: Door, kubeconfig: Path) -> None:
    """Python 3.13 would refuse the authorities of older clusters for want of key identifiers."""
    transport = door(kubeconfig, CONTEXT)
    assert transport is not None
    context = transport.tls()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


@pytest.fixture
def wrong(kubeconfig: Path, tmp_path: Path) -> Path:
    """The same server, with another authority than its own: here its client's certificate."""
    document = yaml.safe_load(kubeconfig.read_text())
    other = document["users"][0]["user"]["client-certificate-data"]
    document["clusters"][0]["cluster"]["certificate-authority-data"] = other
    file = tmp_path / "config"
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.mark.parametrize("door", [stdlib_transport, ClientTransport], ids=["plain", "official"])
async def test_server_that_the_kubeconfig_does_not_know_is_not_spoken_to(
    door: Door, wrong: Path
) -> None:
    """Neither a request nor a stream reaches it."""
    transport = door(wrong, CONTEXT)
    assert transport is not None
    api = Api(transport, CONTEXT, "flashsale up")
    with pytest.raises(ClusterUnreachableError, match="does not trust"):
        await api.version()
    with pytest.raises(ClusterUnreachableError, match="does not trust"):
        async with aclosing(api.stream(paths.nodes(), {"watch": True})) as news:
            await anext(news)
    await api.close()


def test_address_with_a_slash_and_an_empty_token_are_plain(
    kubeconfig: Path, tmp_path: Path
) -> None:
    """Paths follow the address with one slash, and nothing is sent as a token."""
    document = yaml.safe_load(kubeconfig.read_text())
    address = document["clusters"][0]["cluster"]["server"]
    document["clusters"][0]["cluster"]["server"] = f"{address}/"
    document["users"][0]["user"]["token"] = None
    (tmp_path / "config").write_text(yaml.safe_dump(document))
    transport = stdlib_transport(tmp_path / "config", CONTEXT)
    assert transport is not None
    assert (transport.host, transport.headers()) == (address, {})
