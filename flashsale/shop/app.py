"""The flash sale's shop: each answer names the pod that gave it.

Programs get JSON. A browser, which prefers HTML, gets a small page, and its connection is closed
after each answer: so the Service picks a pod anew, and a refresh may show another one.
"""

import random
import socket
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, jsonify, make_response, render_template_string, request
from flask.typing import ResponseReturnValue

ITEMS = ["Smartphone", "Shoes", "Headphones", "Laptop"]
LAST = 12  # pods in the strip of the page
HTML = "text/html"
LOAD = "flashsale"  # User-Agent of `flashsale load`, which counts its purchases itself

app = Flask(__name__)
pod = socket.gethostname()  # in Kubernetes a container's host name is its pod's name


@app.route("/")
def home() -> ResponseReturnValue:
    """Greet; ``ts`` is unix time in seconds."""
    if wants_page():
        return page("Welcome to the Big Sale!")
    return jsonify({"message": "Welcome to Big Sale!", "pod": pod, "ts": time.time()})


@app.route("/buy")
def buy() -> ResponseReturnValue:
    """Sell one random item, to `?user=NAME` or to a made-up user; ``time`` is the local time."""
    item = random.choice(ITEMS)
    user = request.args.get("user") or f"user{random.randint(1, 1000)}"
    if request.user_agent.string != LOAD:
        print(f"sold {item} to {user!r}", flush=True)  # `flashsale logs` shows it
    if wants_page():
        return page(f"{user} bought: {item}")
    return jsonify(
        {
            "status": "success",
            "item": item,
            "user": user,
            "served_by_pod": pod,
            "time": time.strftime("%H:%M:%S"),
        }
    )


@app.route("/health")
def health() -> ResponseReturnValue:
    """Answer the kubelet's probes."""
    return jsonify({"status": "healthy", "pod": pod})


def wants_page() -> bool:
    """Whether the client prefers HTML to JSON; one that takes anything gets JSON."""
    accepted = request.accept_mimetypes
    return accepted[HTML] > accepted["application/json"]


def page(news: str) -> Response:
    """Write the page; a cookie remembers which pods this browser has met."""
    before = [name for name in request.cookies.get("pods", "").split(" ") if name]
    met = [*before, pod][-LAST:]
    answer = make_response(render_template_string(PAGE, news=news, pod=pod, met=met, colour=colour))
    answer.set_cookie("pods", " ".join(met), samesite="Lax", httponly=True)
    answer.headers["Cache-Control"] = "no-store"  # a refresh asks again
    answer.vary.add("Accept")
    return answer


def colour(name: str) -> str:
    """Give each pod a colour of its own, dark enough for white text; all pods agree on it."""
    lightness, hue = divmod(zlib.crc32(name.encode()) % 4320, 360)
    return f"hsl({hue} 65% {24 + lightness}%)"


class PagesClose:
    """Lets the server close the connection after a page, and say so: `Connection: close`.

    WSGI leaves that header to the server, and gunicorn drops one that the app sets.
    """

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            close: Callable[[], None] | None
            close = getattr(getattr(start_response, "__self__", None), "force_close", None)
            if close and any(v.startswith(HTML) for k, v in headers if k == "Content-Type"):
                close()
            return start_response(status, headers, *rest)

        answer: Iterable[bytes] = self.inner(environ, start)
        return answer


app.wsgi_app = PagesClose(app.wsgi_app)  # type: ignore[method-assign]

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Big Sale</title>
<style>
  body { margin: 0; font: 18px/1.5 system-ui, sans-serif; background: #f6f7f9; color: #1b2128; }
  main { max-width: 34rem; margin: 8vh auto; padding: 0 1rem; text-align: center; }
  h1 { font-size: 1.6rem; overflow-wrap: anywhere; }
  .pod { color: #fff; background: var(--pod); border-radius: 12px; padding: 1rem; }
  .pod b { display: block; font: 700 1.3rem ui-monospace, monospace; overflow-wrap: anywhere; }
  .buy { display: inline-block; margin: 1.5rem; padding: .7rem 2.5rem; border: 0; font: inherit;
    font-weight: 700; border-radius: 999px; background: #1b2128; color: #fff; cursor: pointer; }
  ol { list-style: none; display: flex; flex-wrap: wrap; gap: 6px; padding: 0;
    justify-content: center; }
  li { color: #fff; background: var(--pod); border-radius: 6px; padding: 2px 8px;
    font: .85rem ui-monospace, monospace; }
</style>
</head>
<body>
<main>
<h1>{{ news }}</h1>
<p class="pod" style="--pod: {{ colour(pod) }}">served by the pod <b>{{ pod }}</b></p>
<form action="/buy"><button class="buy">Buy</button></form>
<p>The last pods that answered you, the newest last:</p>
<ol>{% for name in met %}<li style="--pod: {{ colour(name) }}">
  {{- name.rpartition("-")[2] or name -}}
</li>{% endfor %}</ol>
</main>
</body>
</html>
"""


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
