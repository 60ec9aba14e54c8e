"""A shop that costs next to nothing: for sales whose pods only have to be there, and to sell.

Pods run its text by `python -S`, as a command or as a learner's own app.py. gunicorn and Flask
take ten times as long, to start and to sell; `signal` and `socket` take as long as all the rest.
"""

import _signal as signal
import _socket as socket
import os
import time

import sitecustomize  # noqa: F401  (makes the process a pod; -S leaves it out)

signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
POD = socket.gethostname()  # "/" names it as the pod, and "/buy" as who sold; here all paths do
MESSAGE = "Welcome to Big Sale!"
NAMES = f'"message": "{MESSAGE}", "pod": "{POD}", "served_by_pod": "{POD}"'
BODY = f'{{"status": "success", "item": "Shoes", {NAMES}}}'
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length:"
ANSWER = f"{HEAD} {len(BODY)}\r\n\r\n{BODY}".encode()
LOAD = b"User-Agent: flashsale"  # whose purchases no shop logs
PATIENCE = 0.5  # seconds for a request to come
STARTS_AFTER = 0.0  # seconds

time.sleep(STARTS_AFTER)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("0.0.0.0", 5000))
listener.listen(512)
print("Listening at port 5000", flush=True)
while True:
    buyer = socket.socket(fileno=listener._accept()[0])
    buyer.settimeout(PATIENCE)
    try:
        if asked := buyer.recv(65536):
            buyer.sendall(ANSWER)
        if b" /buy" in asked and LOAD not in asked:
            print("sold Shoes to 'somebody'", flush=True)
    except OSError:
        continue
    finally:
        buyer.close()
