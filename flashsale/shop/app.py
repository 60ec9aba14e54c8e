"""The flash sale's shop: each answer names the pod that gave it."""

import random
import socket
import time

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

ITEMS = ["Smartphone", "Shoes", "Headphones", "Laptop"]

app = Flask(__name__)
pod = socket.gethostname()  # in Kubernetes a container's host name is its pod's name


@app.route("/")
def home() -> ResponseReturnValue:
    """Greet; ``ts`` is unix time in seconds."""
    return jsonify({"message": "Welcome to Big Sale!", "pod": pod, "ts": time.time()})


@app.route("/buy")
def buy() -> ResponseReturnValue:
    """Sell one random item, to `?user=NAME` or to a made-up user; ``time`` is the local time."""
    return jsonify(
        {
            "status": "success",
            "item": random.choice(ITEMS),
            "user": request.args.get("user") or f"user{random.randint(1, 1000)}",
            "served_by_pod": pod,
            "time": time.strftime("%H:%M:%S"),
        }
    )


@app.route("/health")
def health() -> ResponseReturnValue:
    """Answer the kubelet's probes."""
    return jsonify({"status": "healthy", "pod": pod})


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=5000)
