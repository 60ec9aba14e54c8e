"""Apps that the tests run in pods."""

from pathlib import Path

DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /app
RUN pip install flask gunicorn
COPY app.py /app/
EXPOSE 5000
CMD ["gunicorn", "-b", "0.0.0.0:5000", "app:app", "--workers", "1", "--threads", "2"]
"""

# The exercise's own app, as its page has it.
FLASK_APP = """\
from flask import Flask, jsonify, request
import os, random, socket, time

app = Flask(__name__)
ITEMS = ["Smartphone", "Shoes", "Headphones", "Laptop"]

@app.route("/")
def home():
    return jsonify({"message": "Welcome to Big Sale!",
                    "pod": socket.gethostname(), "ts": time.time()})

@app.route("/buy")
def buy():
    user = request.args.get("user", f"user{random.randint(1, 1000)}")
    return jsonify({"status": "success", "item": random.choice(ITEMS), "user": user,
                    "served_by_pod": socket.gethostname(), "time": time.strftime("%H:%M:%S")})

@app.route("/health")
def health():
    return jsonify({"status": "healthy", "pod": socket.gethostname()}), 200

if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
"""

# A small server with switches: /set?health=503 changes what /health answers, STOP says what
# SIGTERM does (exit, ignore, or a number of seconds), BIND and PORT where it listens. Hundreds of
# them are started, so it imports next to nothing: `http.server` takes four times as long.
TOGGLE_APP = """\
import os, signal, socket, time
from _thread import start_new_thread

answers = {"health": "200", "live": "200"}
seen = []
port = int(os.environ.get("PORT", "5000"))

def serve(connection):
    with connection:
        request = b""
        while b"\\r\\n\\r\\n" not in request:
            data = connection.recv(65536)
            if not data:
                return
            request += data
        first, *lines = request.decode().split("\\r\\n\\r\\n")[0].split("\\r\\n")
        path = first.split()[1]
        seen.append([path, dict(line.split(": ", 1) for line in lines)])
        answer = answer_to(*path.partition("?")[::2])
        if answer:
            connection.sendall("HTTP/1.0 {} -\\r\\n{}\\r\\n{}".format(*answer).encode())

def answer_to(path, query):
    if path == "/set":
        answers.update(pair.split("=") for pair in query.split("&"))
        return 200, "", "ok"
    if path in ("/seen", "/env"):
        import json
        return 200, "", json.dumps(seen if path == "/seen" else dict(os.environ))
    if path == "/who":
        return 200, "", socket.gethostname()
    if path == "/self":
        from urllib.request import urlopen
        with urlopen(f"http://localhost:{port}/who") as answer:
            return 200, "", answer.read().decode()
    code = answers.get(path[1:], "404")
    if code == "hang":
        time.sleep(30)
    elif code.startswith("to:"):
        return 302, f"Location: {code[3:]}\\r\\n", "moved"
    elif code != "drop":
        return code, "", path[1:] + " " + code

def on_term(signum, frame):
    print("got SIGTERM", flush=True)
    stop = os.environ.get("STOP", "exit")
    if stop != "ignore":
        time.sleep(0 if stop == "exit" else float(stop))
        os._exit(int(os.environ.get("CODE", "0")))

if os.environ.get("STOP") != "default":
    signal.signal(signal.SIGTERM, on_term)
print("starting on", socket.gethostname(), flush=True)
server = socket.create_server((os.environ.get("BIND", "0.0.0.0"), port), backlog=5)
print("listening", flush=True)
while True:
    start_new_thread(serve, server.accept()[:1])
"""

TOGGLE_DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /app
COPY toggle.py .
ENV COLOUR=red
CMD ["python", "/app/toggle.py"]
"""


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write an app folder; returns its Dockerfile."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder / "Dockerfile"
