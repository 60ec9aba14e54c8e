"""A shop that costs next to nothing: for sales whose pods only have to be there, and to sell.

Pods run its text by `python -S`, as a command or as a learner's own app.py. gunicorn and Flask
take ten times as long, to start and to sell.
"""

import os
import signal
import socket
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
with socket.create_server(("0.0.0.0", 5000), backlog=512) as listener:
    print("Listening at port 5000", flush=True)
    while True:
        buyer = listener.accept()[0]
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
