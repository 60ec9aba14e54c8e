"""The server of the page: on 127.0.0.1 alone, for one user, until it is cancelled."""

from __future__ import annotations

import errno
import json
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from flashsale.base.errors import FlashsaleError, Hint, RefusedError
from flashsale.dashboard.actions import Action
from flashsale.dashboard.page_document import written_hint
from flashsale.dashboard.page_stream import Broadcast
from flashsale.dashboard.security import HEADERS, REPORT_POLICY, Guard, Request
from flashsale.ui import report

HOST = "127.0.0.1"
FOLDER = Path(__file__).parent / "page"
REPORT_STYLE = Path(report.__file__).parent / "style.css"
FILES = {  # what the page consists of
    "/": (FOLDER / "index.html", "text/html"),
    "/style.css": (FOLDER / "style.css", "text/css"),
    "/report.css": (REPORT_STYLE, "text/css"),
    "/icon.svg": (FOLDER / "icon.svg", "image/svg+xml"),
    **{
        f"/{name}": (FOLDER / name, "text/javascript")
        for name in sorted(file.name for file in FOLDER.glob("*.js"))
    },
}
LARGEST = 4096  # bytes of what an action is told
SHUTDOWN = 0.2  # seconds for requests under way; streams would go on for ever
LANDING = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><title>flashsale</title>'
    '<meta http-equiv="refresh" content="0;url={page}">'
)
STRANGER = "This address needs its token: open the address that flashsale dashboard printed.\n"
UNREADABLE = "What the page sent is not JSON."
log = logging.getLogger(__name__)


def bind(port: int) -> socket.socket:
    """Take a port of 127.0.0.1, 0 for any free one; FlashsaleError if it cannot be had."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # else the last dashboard's connections would keep the port for a minute
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError as error:
        sock.close()
        taken = error.errno == errno.EADDRINUSE
        why = "another program has it" if taken else (error.strerror or str(error)).lower()
        raise FlashsaleError(
            f"Port {port} of {HOST} cannot be used: {why}.",
            hint=Hint("flashsale dashboard", "takes a free port by itself"),
        ) from error
    return sock


@dataclass(frozen=True, slots=True)
class Dashboard:
    """What one server serves."""

    guard: Guard
    broadcast: Broadcast
    actions: Mapping[str, Action]  # by name; none where nothing may be changed
    report: Callable[[], str] = lambda: ""  # the page of the last drill
    place_hint: Callable[[Hint], Hint] = lambda hint: hint  # with what was typed about the cluster

    @asynccontextmanager
    async def listening(self, sock: socket.socket) -> AsyncIterator[None]:
        """Serve on a bound socket for as long as the block runs."""
        server = web.Server(self.handle, handler_cancellation=True, access_log=None)
        runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN)
        await runner.setup()
        try:
            await web.SockSite(runner, sock).start()
            yield
        finally:
            await runner.cleanup()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        incoming = Request(request.method, request.headers, request.cookies, request.query)
        response: web.StreamResponse
        if why := self.guard.refusal(incoming):
            log.info("refused %s %s: %s", request.method, request.path, why)
            response = web.Response(status=403, text=f"{why}\n")
        elif request.method == "GET" and request.path == "/" and self.guard.has_token(incoming):
            response = self._admit(request)
        elif not self.guard.has_cookie(incoming):
            response = web.Response(status=403, text=STRANGER)
        else:
            response = await self._answer(request, with_key=self.guard.has_key(incoming))
        if not response.prepared:
            response.headers.update({**HEADERS, **response.headers})
        return response

    def _admit(self, request: web.BaseRequest) -> web.Response:
        """Give the cookie, and lead on to the address without the token.

        Where another page led here, as the file that opens the browser does, a redirect would
        count as that page's doing, and come without the strict cookie: a page of ours leads on.
        """
        page = self.guard.page
        if request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin"):
            response = web.Response(status=303, headers={"Location": page})
        else:
            response = web.Response(text=LANDING.format(page=page), content_type="text/html")
        response.set_cookie(
            self.guard.cookie_name,
            self.guard.secrets.cookie,
            httponly=True,
            samesite="Strict",
            path="/",
        )
        return response

    async def _answer(self, request: web.BaseRequest, *, with_key: bool) -> web.StreamResponse:
        path = request.path
        if request.method == "GET" and path in FILES:
            file, kind = FILES[path]
            return web.Response(body=file.read_bytes(), content_type=kind, charset="utf-8")
        if request.method == "GET" and path == "/report" and (page := self.report()):
            headers = {"Content-Security-Policy": REPORT_POLICY}
            return web.Response(text=page, content_type="text/html", headers=headers)
        if not with_key:
            return web.Response(status=403, text=STRANGER)
        if request.method == "GET" and path == "/stream":
            return await self._stream(request)
        if request.method == "POST" and path.startswith("/actions/"):
            return await self._act(request, path.removeprefix("/actions/"))
        return web.Response(status=404, text="There is nothing here.\n")

    async def _stream(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send the document and its changes until the browser leaves."""
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        with suppress(ConnectionError):
            async for event in self.broadcast.events():
                await response.write(event)  # waits while the browser is slow
        return response

    async def _act(self, request: web.BaseRequest, name: str) -> web.Response:
        """Do what a button asks for; what goes wrong is said as on the command line."""
        try:
            action = self.actions.get(name)
            if action is None:
                raise RefusedError(
                    "This dashboard only shows the sale.",
                    hint=Hint("flashsale dashboard", "without --read-only, to change something"),
                )
            arguments = await _arguments(request)
            return web.json_response({"done": await action(arguments)})
        except FlashsaleError as error:
            hint = written_hint(self.place_hint(error.hint))
            answer = {"error": str(error), "details": error.details, "hint": hint}
            return web.json_response(answer, status=409)


async def _arguments(request: web.BaseRequest) -> dict[str, Any]:
    arguments: Any = None
    with suppress(ValueError, web.HTTPRequestEntityTooLarge):
        body = await request.read()
        arguments = json.loads(body or b"{}") if len(body) <= LARGEST else None
    if not isinstance(arguments, dict):
        raise FlashsaleError(UNREADABLE, hint=Hint(words="reload the page"))
    return arguments
