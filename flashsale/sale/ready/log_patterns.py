"""What logs, probes and container runtimes write, cut down to what helps. Pure."""

from __future__ import annotations

import re

from flashsale.base.addresses import is_loopback

LINES = 10  # of a log
LISTENING = re.compile(
    r"(?:[Ll]istening (?:at|on)|[Rr]unning on|[Ss]erving on|server at|HTTP on):?"
    r" (?:TCP address )?(?:\w+://)?(\[[^]]*\]|[^\s:/]*)(?::| port )(\d+)"
)
UNIX_SOCKET = re.compile(r"(?:[Ll]istening at|[Rr]unning on(?: socket)?):? (?:unix:)(\S+)")
FLASK = 'app.run(host="0.0.0.0", port={0})` or `flask run --host=0.0.0.0 --port={0}'
# How to make a server that is known by its log listen for others than its own pod.
OPTIONS = (
    ("Uvicorn", "--host 0.0.0.0 --port {}"),
    ("gunicorn", "-b 0.0.0.0:{}"),
    ("[INFO] Listening at", "-b 0.0.0.0:{}"),
    ("development server at", "runserver 0.0.0.0:{}"),
    ("Flask", FLASK),
    ("a development server", FLASK),  # `flask run` says so, and not always its name
)
EVERYWHERE = "Running on all addresses"  # Flask's; the loopback is one of those it names then


def listening_ports(log: str) -> set[int]:
    """Find the ports that gunicorn, Flask and others say they listen on."""
    return {int(port) for _, port in LISTENING.findall(log)}


def listens_on_loopback_alone(log: str, port: int | None) -> bool:
    """Whether an app says that it listens on a port for its own pod alone."""
    hosts = {host for host, number in LISTENING.findall(log) if int(number) == port}
    return bool(hosts) and all(map(is_loopback, hosts)) and EVERYWHERE not in log


def listening_elsewhere(log: str, port: int | None) -> str:
    """Say where an app says that it listens, where nobody finds it; empty if it says nothing."""
    if others := listening_ports(log) - {port}:
        return f"port {min(others)}"
    if listens_on_loopback_alone(log, port):
        return "127.0.0.1, where nobody outside the pod finds it"
    socket = UNIX_SOCKET.search(log)
    return f"the Unix socket {socket[1]}" if socket else ""


def how_to_listen(log: str, port: int | None) -> str:
    """Say what makes an app listen where its Service finds it."""
    option = next((option for name, option in OPTIONS if name in log), "")
    return f"0.0.0.0:{port}" + (f", with `{option.format(port)}`" if option else "")


def last_lines(log: str) -> str:
    return "\n".join(log.rstrip().splitlines()[-LINES:])


def creation_failure(message: str) -> str:
    """Return what an event says of why a ReplicaSet cannot create a pod."""
    return message.removeprefix("(combined from similar events): ").removeprefix("Error creating: ")


def probe_failure(message: str) -> str:
    """Shorten a probe's message to what went wrong."""
    status = re.search(r"statuscode: (\d+)", message)
    if status:
        return f"HTTP status {status[1]}"
    for sign, words in (
        ("connection refused", "connection refused"),
        ("deadline exceeded", "no answer in time"),
        ("imeout", "no answer in time"),
    ):
        if sign in message:
            return words
    return message.partition(": ")[2] or message


def runtime_reason(message: str) -> str:
    """Shorten a runtime's message about a command that cannot be run; runc's own is at its end."""
    match = re.search(r"exec: .*", message)
    return (match[0] if match else message).removesuffix(": unknown")
