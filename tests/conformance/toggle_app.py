"""A small HTTP server that behaves by script; the tests hand its text to `python -c` in a pod.

Environment:
    HEALTH, LIVE: what /health and /live answer. `200@0 503@4` is 200 from the start and 503 after
        four seconds; status 0 keeps the client waiting.
    EXIT_AFTER: seconds after which it ends by itself, with EXIT_CODE (default 1).
    STOP_DELAY: seconds from SIGTERM to its end; it serves until then.
    IGNORE_SIGTERM: set to 1, only SIGKILL ends it.
"""

import os
import signal
import socket
import threading
import time

START = time.monotonic()
REASONS = {200: "OK", 302: "Found", 500: "Internal Server Error", 503: "Service Unavailable"}
stop = threading.Event()
serving: set[int] = set()


def number(name: str, default: float) -> float:
    """Read a number from the environment."""
    return float(os.environ.get(name) or default)


def say(text: str) -> None:
    """Write one line to the log at once."""
    os.write(1, f"{text}\n".encode())


def scripted(name: str) -> int:
    """Return the status that a script asks for now."""
    now, status = time.monotonic() - START, 200
    for step in os.environ.get(name, "").split():
        value, _, at = step.partition("@")
        if now >= float(at):
            status = int(value)
    return status


def answer(path: str) -> tuple[int, str]:
    """Return status and Location for a path."""
    if path in ("/health", "/live"):
        status = scripted(path[1:].upper())
        if status == 0:
            time.sleep(60)
        return status, ""
    if path.startswith("/slow/"):
        time.sleep(float(path.removeprefix("/slow/")))
    return {"/moved": (302, "/health"), "/elsewhere": (302, "http://elsewhere.invalid/")}.get(
        path, (200, "")
    )


def serve(connection: socket.socket) -> None:
    """Answer the requests of one connection; `Connection: close` and HTTP/1.0 end it."""
    with connection, connection.makefile("rwb") as stream:
        while line := stream.readline().decode().strip():
            serving.add(threading.get_ident())
            headers = [field.decode() for field in iter(lambda: stream.readline().strip(), b"")]
            if "kube-" in "".join(headers):
                say(f"{line} | {' | '.join(headers)}")
            status, location = answer(line.split()[1])
            body = f'{{"pod": "{os.environ["HOSTNAME"]}"}}\n'
            more = f"Location: {location}\r\n" if location else ""
            more += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            head = f"HTTP/1.1 {status} {REASONS.get(status, '')}\r\n{more}\r\n"
            stream.write(f"{head}{body}".encode())
            stream.flush()
            serving.discard(threading.get_ident())
            if "connection: close" in [header.lower() for header in headers]:
                return


def guarded(connection: socket.socket) -> None:
    """Serve; a client that goes away is no news."""
    try:
        serve(connection)
    except OSError:
        pass
    finally:
        serving.discard(threading.get_ident())


def listen() -> None:
    """Take connections for as long as the process lives."""
    server = socket.create_server(("0.0.0.0", 5000), backlog=128)
    say("listening")
    while True:
        connection, _ = server.accept()
        threading.Thread(target=guarded, args=(connection,), daemon=True).start()


def terminated(signum: int, frame: object) -> None:
    """Note the signal; the main thread acts on it."""
    say(f"SIGTERM at {time.time():.3f}")
    if os.environ.get("IGNORE_SIGTERM") != "1":
        stop.set()


signal.signal(signal.SIGTERM, terminated)
threading.Thread(target=listen, daemon=True).start()
if not stop.wait(number("EXIT_AFTER", 1e6)):
    say("ending by itself")
    os._exit(int(number("EXIT_CODE", 1)))
time.sleep(number("STOP_DELAY", 0))
while serving:
    time.sleep(0.01)
os._exit(0)
