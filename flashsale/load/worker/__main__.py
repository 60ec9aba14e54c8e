"""One process that sends: reads its orders on stdin, tells what it counted on stdout.

Started as ``python -m flashsale.load.worker`` by :mod:`flashsale.load.coordinator`. They talk in
JSON, one document a line: the orders come in, an empty document goes out, the start moment comes
in, tallies go out until one says ``done``. Anything more on stdin, its end too, means stop: so no
worker outlives the program that started it.

It imports the standard library and this folder, no more, and neither asyncio: it is sending 50 ms
after it was started, and a copy of the folder is enough to send from elsewhere.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from flashsale.load.worker.orders import Orders
from flashsale.load.worker.sender import raise_file_limit, send_orders


def main() -> None:
    raise_file_limit()
    commands = open(0, "rb", buffering=0, closefd=False)  # noqa: SIM115 - unbuffered: then it is watched
    out = sys.stdout.buffer

    def write(message: dict[str, Any]) -> None:
        out.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        out.flush()

    orders = Orders.from_wire(json.loads(commands.readline()))
    write({})
    begin = commands.readline()
    if begin:
        send_orders(orders, float(json.loads(begin)["start"]), write, stop=0)


if __name__ == "__main__":
    main()
