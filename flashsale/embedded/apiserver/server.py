"""The API server: picks what answers a request, and turns refusals into Status objects."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web

from flashsale.embedded.apiserver import authentication, fixed_paths
from flashsale.embedded.apiserver.connections import Connections
from flashsale.embedded.apiserver.handlers import (
    patch,
    read,
    request_body,
    responses,
    self_reviews,
    watch_stream,
)
from flashsale.embedded.apiserver.handlers import write as writing
from flashsale.embedded.apiserver.handlers.responses import add_warnings
from flashsale.embedded.apiserver.handlers.subresources import (
    binding,
    eviction,
    pod_command,
    pod_log,
    pod_portforward,
    replicaset_scale,
)
from flashsale.embedded.apiserver.handlers.subresources.pod_command import PodStreams
from flashsale.embedded.apiserver.handlers.subresources.pod_log import ContainerLogs
from flashsale.embedded.apiserver.handlers.subresources.port_channels import PodPorts
from flashsale.embedded.apiserver.registry.registry import Registry
from flashsale.embedded.apiserver.request_path import (
    RequestTarget,
    known_group,
    parse_path,
    proxied,
)
from flashsale.embedded.storage.store import StoreError
from flashsale.embedded.types import api_errors
from flashsale.embedded.types.api_errors import StatusError
from flashsale.embedded.types.resources import BINDINGS, NAMESPACES

NONE_OF = {  # kinds that kubectl lists on its way to something else: there are none
    "apiextensions.k8s.io/v1/customresourcedefinitions": "CustomResourceDefinition",
    "v1/resourcequotas": "ResourceQuota",  # of a namespace, for `describe`
    "v1/limitranges": "LimitRange",
    "v1/replicationcontrollers": "ReplicationController",  # these for `cluster-info dump`
    "apps/v1/daemonsets": "DaemonSet",
    "apps/v1/deployments": "Deployment",
}
PLACE = re.compile(r"^/apis?/|namespaces/[^/]+/(?=[^/]+$)")  # of a list's path
BROKEN_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
CHANGES = {"PUT": writing.update, "PATCH": patch.patch}
NO_CHANGES = {"PUT": writing.update_nothing, "PATCH": patch.patch_nothing}
ACTIONS = {  # of subresources that take other ones
    "binding": {"POST": binding.create_binding},
    "ephemeralcontainers": NO_CHANGES,  # containers here are never changed
    "eviction": {"POST": eviction.create_eviction},
    "finalize": {"PUT": writing.update},
    "resize": NO_CHANGES,
    "scale": {"PUT": replicaset_scale.update_scale, "PATCH": replicaset_scale.patch_scale},
}
NOT_READ = ("binding", "eviction", "finalize")
SHUTDOWN_SECONDS = 0.2  # for requests under way; watches and followed logs would go on for ever
log = logging.getLogger(__name__)


class Kubelets(ContainerLogs, PodStreams, PodPorts, Protocol):
    """All that the API server asks of the nodes' kubelets."""


AnswerOfKubelets = Callable[
    [Registry, Kubelets, web.BaseRequest, RequestTarget], Awaitable[web.StreamResponse]
]
OF_KUBELETS: Mapping[str, AnswerOfKubelets] = {  # which may last for ever
    "attach": pod_command.serve_attach,
    "exec": pod_command.serve_exec,
    "log": pod_log.get_log,
    "portforward": pod_portforward.serve_portforward,
}


class ApiServer:
    """Answers requests about one registry."""

    def __init__(self, registry: Registry, kubelets: Kubelets) -> None:
        self._registry = registry
        self._kubelets = kubelets

    @asynccontextmanager
    async def listening(
        self, sock: socket.socket, context: ssl.SSLContext | None
    ) -> AsyncIterator[None]:
        """Serve on a bound socket for as long as the block runs."""
        # A watch whose client went away must end now, not at the next event.
        server = Connections(self.handle, self.handle_unknown_method, handler_cancellation=True)
        runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_SECONDS)
        await runner.setup()
        site = web.SockSite(runner, sock, ssl_context=context)
        try:
            await site.start()
            yield
        finally:
            await runner.cleanup()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; whatever goes wrong becomes a Status."""
        response = await self._answer(request)
        if not response.prepared:  # a stream has sent its headers already
            add_warnings(request, response)
        return response

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            if refusal := authentication.answer_unauthorized(request):
                return refusal
            lasts = request.path.rpartition("/")[2] in OF_KUBELETS
            if not lasts and not watch_stream.wants_watch(request):
                request_body.check_timeout(request)
            return await self._route(request)
        except StatusError as error:
            return responses.error_answer(request, error)
        except StoreError as error:
            return responses.error_answer(
                request, StatusError(500, "InternalError", f"{error} ({error.hint})")
            )
        except asyncio.CancelledError:
            raise
        except ConnectionError:  # the client left between two lines: nobody would read an answer
            return web.Response()
        except Exception as error:
            log.exception("%s %s", request.method, request.path_qs)
            message = f"Internal error occurred: {type(error).__name__}: {error}"
            return responses.error_answer(request, StatusError(500, "InternalError", message))

    def handle_unknown_method(self, request: web.BaseRequest) -> web.Response:
        """Answer a request with an unknown method; paths that ignore the method answer as usual."""
        try:
            if refusal := authentication.answer_unauthorized(request):
                return refusal
            target = self._find(request)
            if isinstance(target, web.Response):
                return target
            raise api_errors.method_not_allowed()
        except StatusError as error:
            return responses.error_answer(request, error)

    async def _route(self, request: web.BaseRequest) -> web.StreamResponse:
        review = await self_reviews.answer_review(request, self._registry.clock())
        if review is not None:
            return review
        target = self._find(request)
        if isinstance(target, web.Response):
            return target
        read.warn_if_deprecated(request, target.resource)
        if target.watch:
            if request.method != "GET":
                raise api_errors.method_not_allowed()
            return await watch_stream.serve_watch(self._registry, request, target)
        if target.name:
            return await self._object(request, target)
        return await self._collection(request, target)

    def _find(self, request: web.BaseRequest) -> web.Response | RequestTarget:
        """Return what a request is about; the answer itself where no object is."""
        if BROKEN_ESCAPE.search(request.raw_path.partition("?")[0]):
            return web.Response(status=400, text="400 Bad Request")  # of Go's own HTTP server
        path = "/" + request.path.strip("/")
        if empty := self._none_of(request, path):
            return empty
        fixed = fixed_paths.answer_fixed_path(request)
        if fixed is not None:
            return fixed
        target = parse_path(path)
        if target is not None and target.name in (".", ".."):
            raise api_errors.bad_request(
                f"Name parameter invalid: \"{target.name}\": may not be '{target.name}'"
            )
        if target is None:
            if wanted := proxied(path):
                self._registry.get(*wanted.key)
                raise api_errors.not_here("proxy")
            if known_group(path) and not request.path.startswith("//"):
                raise api_errors.no_such_path()
            return web.Response(status=404, text="404 page not found\n")
        return target

    def _none_of(self, request: web.BaseRequest, path: str) -> web.Response | None:
        """Return an empty list for kinds that are not served and that kubectl asks for anyway."""
        listed = PLACE.sub("", path)
        kind = NONE_OF.get(listed)
        if kind is None or request.method != "GET":
            return None
        meta = {"resourceVersion": str(self._registry.store.revision)}
        head = {"kind": f"{kind}List", "apiVersion": listed.rpartition("/")[0]}
        return responses.json_answer(head | {"metadata": meta, "items": []})

    async def _collection(
        self, request: web.BaseRequest, target: RequestTarget
    ) -> web.StreamResponse:
        everywhere = target.resource.namespaced and not target.namespace
        if target.resource is BINDINGS and (request.method != "POST" or everywhere):
            raise api_errors.method_not_allowed()
        if target.resource is BINDINGS:
            write = await writing.read_write(self._registry, request, target)
            return binding.create_binding(write)
        if request.method == "GET":
            if watch_stream.wants_watch(request):
                return await watch_stream.serve_watch(self._registry, request, target)
            form, page = await read.read_page(self._registry, request, target)
            return read.list_answer(self._registry, target.resource, form, page)
        if request.method == "POST" and not everywhere:
            return writing.create(await writing.read_write(self._registry, request, target))
        if request.method == "DELETE" and not everywhere and target.resource is not NAMESPACES:
            body = await request_body.read_body(request)
            return await writing.delete_collection(self._registry, request, target, body)
        raise api_errors.method_not_allowed()

    async def _object(self, request: web.BaseRequest, target: RequestTarget) -> web.StreamResponse:
        if answer := OF_KUBELETS.get(target.subresource):
            return await answer(self._registry, self._kubelets, request, target)
        if request.method == "GET" and target.subresource == "scale":
            return replicaset_scale.get_scale(self._registry, request, target)
        if request.method == "GET" and target.subresource not in NOT_READ:
            return await read.get(self._registry, request, target)
        if request.method == "DELETE" and not target.subresource:
            body = await request_body.read_body(request)
            return writing.delete(self._registry, request, target, body)
        actions = ACTIONS.get(target.subresource, CHANGES)
        if request.method not in actions:
            raise api_errors.method_not_allowed()
        write = await writing.read_write(self._registry, request, target)
        return actions[request.method](write)
