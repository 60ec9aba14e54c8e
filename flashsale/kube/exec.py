"""Running a command in a container: the API's `exec`, over a WebSocket.

Each message begins with the number of its channel. The last one comes on channel 3 and is a Status;
a connection that ends without one lost its container (`k8s.io/apimachinery/pkg/util/remotecommand`,
KEP-4006). Up to v4 of the protocol nothing else matters to a command without input.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from flashsale.base.errors import FlashsaleError, Hint
from flashsale.kube.response_errors import ForbiddenError, failure, server_message
from flashsale.kube.transport.streams import Session
from flashsale.objects.models import Object

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")  # the best that the server knows is taken
ERROR = 3  # the channel
PATIENCE = 30.0  # seconds for the command
LACKING = ("executable file not found", "no such file or directory", "not found")  # of runtimes
EXITED = "NonZeroExitCode"  # the command ran; any other reason is of what should run it
NOT_STARTED = ("126", "127")  # exit codes: not executable, not found


async def execute(session: Session, path: str, container: str, command: Sequence[str]) -> None:
    """Run a command and wait until it ends, with whatever exit code, or its container does.

    Args:
        path: of the pod's `exec` subresource.

    Raises:
        FlashsaleError: the command could not be started, or its time is over.
        ForbiddenError: this user may not do that.
        ClusterUnreachableError: no answer came.
    """
    import asyncio

    import aiohttp

    transport = session.transport
    words = [("container", container), ("stdout", "true"), ("stderr", "true")]
    try:
        async with (
            asyncio.timeout(PATIENCE),
            session.http().ws_connect(
                transport.host + path,
                params=[*words, *(("command", word) for word in command)],
                protocols=PROTOCOLS,
                headers=await session.headers(),
                proxy=transport.proxy,
                server_hostname=transport.server_name,
            ) as socket,
        ):
            last = await _last_word(socket)
    except aiohttp.WSServerHandshakeError as error:
        server_words = await _server_words(session, path, words, error.status)
        raise exec_refused_error(error.status, container, server_words) from error
    except TimeoutError as error:
        raise FlashsaleError(
            f"The command in container '{container}' did not end within {PATIENCE:g} s.",
            hint="flashsale status",
        ) from error
    except (aiohttp.ClientError, OSError) as error:
        raise session.lost(error) from error
    if why := unstarted(last):
        lacking = last.get("reason") == EXITED or any(sign in why for sign in LACKING)
        raise FlashsaleError(
            f"The container '{container}' cannot run {command[0]}."
            if lacking
            else f"The cluster cannot run a command in the container '{container}'.",
            hint=Hint("flashsale kill-pod", "needs nothing in it"),
            details=why,
        )


def unstarted(status: Object) -> str:
    """Say why a command did not even start; empty if it did, or its container died."""
    if status.get("status") != "Failure":
        return ""
    message = str(status.get("message", ""))
    if status.get("reason") != EXITED:
        return message or "unknown"
    causes = (status.get("details") or {}).get("causes") or []
    code = next(
        (str(cause.get("message")) for cause in causes if cause.get("reason") == "ExitCode"), ""
    )
    return message if code in NOT_STARTED else ""


async def _server_words(
    session: Session, path: str, words: Sequence[tuple[str, str]], status: int
) -> str:
    """Ask once more without a WebSocket, whose refusal comes without its text; "" if that differs.

    What is wrong with pod or container is checked before the connection's kind.
    """
    import aiohttp

    transport = session.transport
    try:
        async with session.http().get(
            transport.host + path,
            params=words,
            headers=await session.headers(),
            proxy=transport.proxy,
            server_hostname=transport.server_name,
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
        ) as response:
            body = await response.read()
            return server_message(body) if response.status == status else ""
    except (aiohttp.ClientError, TimeoutError, OSError):
        return ""


def exec_refused_error(status: int, container: str, words: str = "") -> FlashsaleError:
    """Explain an answer that opens no WebSocket, with the server's words where it gave any."""
    error = failure(status, "", "")
    if isinstance(error, ForbiddenError):
        return ForbiddenError(
            "Not allowed to run a command in a pod.", hint="kubectl auth can-i create pods/exec"
        )
    return FlashsaleError(
        f"The cluster runs no command in the container '{container}' (HTTP status {status}).",
        hint="flashsale status",
        details=words,
    )


async def _last_word(socket: object) -> Object:
    """Read messages to the end; return the Status that came last, empty without one."""
    import aiohttp

    assert isinstance(socket, aiohttp.ClientWebSocketResponse)
    last_status: Object = {}
    async for message in socket:
        if message.type is aiohttp.WSMsgType.BINARY and message.data[:1] == bytes([ERROR]):
            last_status = json.loads(message.data[1:] or b"{}")
    return last_status
