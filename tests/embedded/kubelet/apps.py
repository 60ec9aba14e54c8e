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
# SIGTERM does (exit, ignore, or a number of seconds), BIND and PORT where it listens.
TOGGLE_APP = """\
import json, os, signal, socket, socketserver, sys, threading, time, urllib.request
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl, urlsplit

answers = {"health": "200", "live": "200"}
seen = []

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        seen.append([self.path, dict(self.headers)])
        if url.path == "/set":
            answers.update(parse_qsl(url.query))
            return self.answer(200, "ok")
        if url.path == "/seen":
            return self.answer(200, json.dumps(seen))
        if url.path == "/env":
            return self.answer(200, json.dumps(dict(os.environ)))
        if url.path == "/who":
            return self.answer(200, socket.gethostname())
        if url.path == "/self":
            port = int(os.environ.get("PORT", "5000"))
            with urllib.request.urlopen(f"http://localhost:{port}/who") as answer:
                return self.answer(200, answer.read().decode())
        code = answers.get(url.path[1:], "404")
        if code == "hang":
            time.sleep(30)
        elif code == "drop":
            self.connection.close()
        elif code.startswith("to:"):
            self.send_response(302)
            self.send_header("Location", code[3:])
            self.end_headers()
            self.wfile.write(b"moved")
        else:
            self.answer(int(code), url.path[1:] + " " + code)

    def answer(self, code, text):
        self.send_response(code)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *args):
        pass

class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True

def on_term(signum, frame):
    print("got SIGTERM", flush=True)
    stop = os.environ.get("STOP", "exit")
    if stop != "ignore":
        time.sleep(0 if stop == "exit" else float(stop))
        os._exit(int(os.environ.get("CODE", "0")))

if os.environ.get("STOP") != "default":
    signal.signal(signal.SIGTERM, on_term)
print("starting on", socket.gethostname(), flush=True)
server = Server((os.environ.get("BIND", "0.0.0.0"), int(os.environ.get("PORT", "5000"))), Handler)
print("listening", flush=True)
server.serve_forever()
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
