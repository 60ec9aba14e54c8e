"""The door to the API, against a real HTTP server: what is sent, and what is made of answers."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from flashsale.base.errors import BadInputError, ClusterUnreachableError, FlashsaleError
from flashsale.kube import Api, ConflictError, GoneError, NotFoundError, connect, paths
from flashsale.kube.response_errors import ForbiddenError, UnauthorizedError

ANSWERS = web.AppKey("answers", list)
SEEN = web.AppKey("seen", list)


async def answer(request: web.Request) -> web.StreamResponse:
    """Note the request and give the next prepared answer."""
    request.app[SEEN].append((request, await request.text()))
    prepared = request.app[ANSWERS].pop(0)
    return prepared(request) if callable(prepared) else prepared


@pytest.fixture
async def server() -> AsyncIterator[TestServer]:
    """An API server that answers what a test prepares."""
    app = web.Application()
    app[ANSWERS], app[SEEN] = [], []
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as running:
        yield running


def kubeconfig(folder: Path, server: str) -> Path:
    """Write a kubeconfig for one server."""
    named = {"name": "test"}
    document = {
        "clusters": [{**named, "cluster": {"server": server}}],
        "users": [{**named, "user": {"token": "secret"}}],
        "contexts": [{**named, "context": {"cluster": "test", "user": "test"}}],
    }
    file = folder / "config"
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.fixture
async def api(server: TestServer, tmp_path: Path) -> AsyncIterator[Api]:
    """A connection to that server."""
    async with connect(kubeconfig(tmp_path, str(server.make_url("/"))), "test") as door:
        yield door


def say(server: TestServer, *answers: object) -> None:
    """Prepare answers."""
    assert server.app is not None
    server.app[ANSWERS].extend(answers)


def requests_of(server: TestServer) -> list[tuple[web.Request, str]]:
    """What the server was asked."""
    assert server.app is not None
    return list(server.app[SEEN])


def status(code: int, message: str) -> web.Response:
    """A Status as Kubernetes sends it."""
    body = {"kind": "Status", "status": "Failure", "message": message, "code": code}
    return web.json_response(body, status=code)


async def test_requests_are_what_kubernetes_expects(api: Api, server: TestServer) -> None:
    """Method, path, query, content type, credentials and body."""
    say(server, *(web.json_response({"items": []}) for _ in range(5)))
    await api.list(paths.pods("shop"), {"labelSelector": "app=flashsale,tier in (a,b)"})
    await api.create(paths.services("shop"), {"kind": "Service"}, {"dryRun": "All"})
    await api.patch(paths.pods("shop", "p"), {"metadata": {}})
    await api.patch(
        paths.pods("shop", "p"), [{"op": "test"}], content_type="application/json-patch+json"
    )
    await api.delete(paths.pods("shop", "p"), {"gracePeriodSeconds": 0})
    asked = [
        (r.method, r.path, r.headers.get("Content-Type"), body) for r, body in requests_of(server)
    ]
    pod = "/api/v1/namespaces/shop/pods/p"
    assert asked == [
        ("GET", "/api/v1/namespaces/shop/pods", None, ""),
        ("POST", "/api/v1/namespaces/shop/services", "application/json", '{"kind": "Service"}'),
        ("PATCH", pod, "application/merge-patch+json", '{"metadata": {}}'),
        ("PATCH", pod, "application/json-patch+json", '[{"op": "test"}]'),
        ("DELETE", pod, "application/json", '{"gracePeriodSeconds": 0}'),
    ]
    first, second = (request for request, _ in requests_of(server)[:2])
    assert first.query["labelSelector"] == "app=flashsale,tier in (a,b)"
    assert second.query["dryRun"] == "All"
    assert first.headers["Authorization"] == "Bearer secret"


async def test_a_name_may_be_any_text(api: Api, server: TestServer) -> None:
    """What cannot be a name is for the server to refuse, in its own words."""
    say(server, web.json_response({}))
    await api.get(paths.pods("shop", "“a” b/c"))
    wanted = "/api/v1/namespaces/shop/pods/%E2%80%9Ca%E2%80%9D%20b%2Fc"
    assert requests_of(server)[0][0].raw_path == wanted


async def test_scale_goes_through_the_subresource(api: Api, server: TestServer) -> None:
    """Whoever may only scale may scale."""
    say(server, web.json_response({"spec": {"replicas": 5}}))
    assert (await api.scale(paths.replicasets("default", "rs"), 5))["spec"]["replicas"] == 5
    request, body = requests_of(server)[0]
    assert request.path == "/apis/apps/v1/namespaces/default/replicasets/rs/scale"
    assert body == '{"spec": {"replicas": 5}}'


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (400, BadInputError),
        (401, UnauthorizedError),
        (403, ForbiddenError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, GoneError),
        (422, BadInputError),
        (500, FlashsaleError),
        (503, FlashsaleError),
    ],
)
async def test_refusals_keep_the_servers_words(
    api: Api, server: TestServer, code: int, kind: type[FlashsaleError]
) -> None:
    """Each status is an error of its own kind, with a hint; none is tried twice."""
    say(server, status(code, "the server's own words"))
    with pytest.raises(kind, match="the server's own words") as caught:
        await api.get(paths.pods("default", "p"))
    assert caught.value.hint
    assert len(requests_of(server)) == 1


async def test_refusal_that_is_no_status_still_has_words(api: Api, server: TestServer) -> None:
    """A proxy in between answers in its own way."""
    say(server, web.Response(status=502, text="Bad Gateway\n<html>..."))
    with pytest.raises(FlashsaleError, match="failed: Bad Gateway"):
        await api.get("/version")


async def test_what_is_no_kubernetes_is_called_so(api: Api, server: TestServer) -> None:
    """A proxy's login page comes with status 200."""
    server.app[ANSWERS].append(web.Response(text="<html>", content_type="text/html"))
    with pytest.raises(FlashsaleError, match="is no Kubernetes API: it sends no JSON"):
        await api.version()


async def test_stopped_cluster_is_one_sentence(tmp_path: Path) -> None:
    """A refused connection says that the cluster is stopped, and how to start it."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        file = kubeconfig(tmp_path, f"http://127.0.0.1:{closed.getsockname()[1]}")
        async with connect(file, "test", start_hint="start it") as api:
            with pytest.raises(ClusterUnreachableError, match="'test' is stopped") as caught:
                await api.version()
            assert caught.value.hint == "start it"
            with pytest.raises(ClusterUnreachableError, match="is stopped"):
                async with aclosing(api.stream(paths.pods("default"))) as lines:
                    await anext(lines)


async def test_unknown_context_is_one_sentence(tmp_path: Path) -> None:
    """A kubeconfig without that context, and one that is not there."""
    for file in (kubeconfig(tmp_path, "http://127.0.0.1:1"), tmp_path / "missing"):
        with pytest.raises(ClusterUnreachableError, match="The kubeconfig has no context 'other'"):
            async with connect(file, "other"):
                pytest.fail("connected to nothing")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_loopback_needs_no_proxy(
    server: TestServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """A proxy of the environment never stands between us and this machine."""
    monkeypatch.setenv(variable, "http://127.0.0.1:1")
    say(server, web.json_response({"gitVersion": "v1"}))
    async with connect(kubeconfig(tmp_path, str(server.make_url("/"))), "test") as api:
        assert (await api.version())["gitVersion"] == "v1"


@pytest.fixture
async def streamer() -> AsyncIterator[tuple[TestServer, list[bytes]]]:
    """A server that streams the bytes it is given."""
    chunks: list[bytes] = []

    async def body(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", body)
    async with TestServer(app) as running:
        yield running, chunks


async def test_stream_yields_objects_however_they_are_cut(
    streamer: tuple[TestServer, list[bytes]], tmp_path: Path
) -> None:
    """Lines of a megabyte, lines in halves, blank lines and a last one without its end."""
    server, chunks = streamer
    long = "x" * 1_000_000
    chunks += [b'{"n": ', b'1}\n\n{"n": "', long.encode(), b'"}\n{"n": 3}']
    file = kubeconfig(tmp_path, str(server.make_url("/")))
    async with connect(file, "test") as api, aclosing(api.stream("/watch")) as lines:
        found = [line["n"] async for line in lines]
    assert found == [1, long, 3]


async def test_refused_stream_raises_the_same_errors(api: Api, server: TestServer) -> None:
    """410 at the start of a watch is a status, not an event."""
    say(server, status(410, "too old resource version"))
    with pytest.raises(GoneError, match="too old"):
        async with aclosing(api.stream("/watch", {"watch": True})) as lines:
            await anext(lines)
    request, _ = requests_of(server)[0]
    assert request.query["watch"] == "true"
    assert request.headers["Authorization"] == "Bearer secret"
