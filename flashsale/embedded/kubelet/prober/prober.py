"""Asking a container one question: HTTP, TCP or a command (pkg/kubelet/prober, pkg/probe)."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin, urlsplit

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from flashsale.embedded.kubelet.prober.probe_specs import (
    Exec,
    Grpc,
    HttpGet,
    ProbeAction,
    TcpSocket,
)
from flashsale.embedded.kubelet.runtime.instance import Instance
from flashsale.embedded.kubelet.runtime.pod_network import PodNetwork
from flashsale.embedded.kubelet.runtime.processes import oci_reason
from flashsale.embedded.types.golang import go_text

PROBE_AGENT = "kube-probe/1.36"
HOOK_AGENT = "kube-lifecycle/1.36"
BODY_LIMIT = 10 * 1024  # bytes
REDIRECTS = 10
_REDIRECT = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class ProbeOutcome:
    """An answer. `warning` counts as success, `error` counts as nothing."""

    verdict: Literal["success", "warning", "failure", "error"]
    output: str = ""


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """Whom to ask: a container of a pod."""

    uid: str
    ip: str
    instance: Instance


class Prober:
    """Asks. Close it in the end."""

    def __init__(self, network: PodNetwork) -> None:
        self._network = network
        self._client: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        if self._client:
            await self._client.close()

    async def ask(self, action: ProbeAction, timeout: float, target: ProbeTarget) -> ProbeOutcome:
        """Ask once, with ``timeout`` seconds for the whole answer."""
        if isinstance(action, Exec):
            return await _execute(action, timeout, target)
        if isinstance(action, Grpc):
            return await _no_grpc(action, timeout, target)
        if isinstance(action, TcpSocket):
            return await self._connect(action, timeout, target)
        return await self.get(action, timeout, target)

    async def get(
        self, action: HttpGet, timeout: float, target: ProbeTarget, agent: str = PROBE_AGENT
    ) -> ProbeOutcome:
        """Send a GET request; redirects are followed only within the same host."""
        host = action.host or target.ip
        path = action.path if action.path.startswith("/") else f"/{action.path}"
        urls = [f"{action.scheme}://{host}:{action.port}{path}"]
        try:
            async with asyncio.timeout(timeout):
                return await self._follow(urls, _headers(action, agent), target)
        except TimeoutError:
            text = "context deadline exceeded (Client.Timeout exceeded while awaiting headers)"
        except aiohttp.ClientPayloadError as error:
            return ProbeOutcome("error", str(error))
        except (aiohttp.ClientError, OSError, ValueError) as error:
            text = _explain(error, urls[-1])
        return ProbeOutcome("failure", f'Get "{urls[-1]}": {text}')

    async def _follow(
        self, urls: list[str], headers: CIMultiDict[str], target: ProbeTarget
    ) -> ProbeOutcome:
        """Ask the last of ``urls``; redirects are added to the list as they are followed."""
        while True:
            async with self._request(urls[-1], headers, target) as response:
                moved = response.headers.get("Location") if response.status in _REDIRECT else None
                onward = urljoin(urls[-1], moved) if moved else ""
                if not onward or urlsplit(onward).hostname != urlsplit(urls[0]).hostname:
                    return await _judge(response)
            if len(urls) >= REDIRECTS:
                return ProbeOutcome(
                    "failure", f'Get "{onward}": stopped after {REDIRECTS} redirects'
                )
            urls.append(onward)

    def _request(
        self, url: str, headers: CIMultiDict[str], target: ProbeTarget
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """Ask the real address, in the name of the one that the pod believes to have."""
        if self._client is None:
            self._client = aiohttp.ClientSession(
                # Any certificate will do: whoever answers at the pod's address is the pod.
                connector=aiohttp.TCPConnector(force_close=True, limit=0, ssl=False),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),
                skip_auto_headers=("Accept-Encoding", "Accept", "User-Agent"),
                auto_decompress=False,
            )
        named = URL(url, encoded=True)
        real = named
        if named.host == target.ip and named.port:
            host, port = self._network.resolve(target.ip, target.uid, named.port)
            real = named.with_host(host).with_port(port)
        if "Host" not in headers:
            headers = CIMultiDict(headers)
            headers["Host"] = urlsplit(url).netloc
        return self._client.get(real, headers=headers, allow_redirects=False)

    async def _connect(
        self, action: TcpSocket, timeout: float, target: ProbeTarget
    ) -> ProbeOutcome:
        host, port = action.host or target.ip, action.port
        real = (host, port) if action.host else self._network.resolve(host, target.uid, port)
        try:
            async with asyncio.timeout(timeout):
                _, writer = await asyncio.open_connection(*real)
        except TimeoutError:
            return ProbeOutcome("failure", f"dial tcp {host}:{port}: i/o timeout")
        except OSError as error:
            why = go_text.os_error(error)
            return ProbeOutcome("failure", f"dial tcp {host}:{port}: connect: {why}")
        except ValueError:  # not even the shape of a name
            return ProbeOutcome("failure", f"dial tcp: lookup {host}: no such host")
        writer.close()
        return ProbeOutcome("success")


async def _judge(response: aiohttp.ClientResponse) -> ProbeOutcome:
    body = b""
    while len(body) < BODY_LIMIT and (block := await response.content.read(BODY_LIMIT)):
        body += block
    text = body[:BODY_LIMIT].decode(errors="replace")
    if 200 <= response.status < 300:
        return ProbeOutcome("success", text)
    if 300 <= response.status < 400:
        return ProbeOutcome("warning", f"Probe terminated redirects, Response body: {text}")
    return ProbeOutcome("failure", f"HTTP probe failed with statuscode: {response.status}")


def _headers(action: HttpGet, agent: str) -> CIMultiDict[str]:
    headers = CIMultiDict(action.headers)
    headers.setdefault("User-Agent", agent)
    headers.setdefault("Accept", "*/*")
    for name in ("User-Agent", "Accept"):
        if not headers[name]:
            del headers[name]
    headers["Connection"] = "close"
    return headers


def _explain(error: Exception, url: str) -> str:
    if isinstance(error, ValueError):
        return str(error)  # of a malformed URL
    where = f"tcp {urlsplit(url).netloc}"
    if isinstance(error, aiohttp.ClientSSLError):  # certificates are not looked at: no TLS there
        return "tls: first record does not look like a TLS handshake"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"dial {where}: connect: {go_text.os_error(error.os_error)}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "EOF"
    if isinstance(error, OSError):
        return f"read {where}: read: {go_text.os_error(error)}"
    if isinstance(error, aiohttp.ClientResponseError):
        return "net/http: HTTP/1.x transport connection broken: malformed HTTP response"
    return str(error)


async def _no_grpc(action: Grpc, timeout: float, target: ProbeTarget) -> ProbeOutcome:
    """Fail as a real kubelet does where no gRPC server answers: none is spoken to here."""
    await asyncio.sleep(timeout)
    address, seconds = f"{target.ip}:{action.port}", go_text.go_duration(timeout)
    text = f'timeout: failed to connect service "{address}" within {seconds}'
    return ProbeOutcome("failure", f"{text}: context deadline exceeded")


async def _execute(action: Exec, timeout: float, target: ProbeTarget) -> ProbeOutcome:
    try:
        code, output = await target.instance.run(action.command, timeout)
    except TimeoutError:
        command = " ".join(action.command)
        return ProbeOutcome(
            "failure", f"command timed out: {go_text.quote(command)} timed out after {timeout:g}s"
        )
    except OSError as error:
        why = oci_reason(action.command[0], error) + "\r\n"  # as a terminal has it
        return ProbeOutcome("failure", f"OCI runtime exec failed: exec failed: {why}")
    return ProbeOutcome("success" if code == 0 else "failure", output)
