"""The only door to Docker: what goes into an image, building it, pushing it.

- ``context``: a folder and a Dockerfile become a deterministic archive and its digest
- ``dockerfile``: what the classic builder cannot do, and how build arguments and a CA get in
- ``network``: proxies, package index and CA certificate of this machine, for the build
- ``engine``: the connection; ``trouble``: why there is none; ``certificates``: when those end
- ``building``, ``pushing``: the work itself, streaming its output

Docker's SDK is synchronous: its calls run in a thread, and cancelling one ends its stream.
"""

from __future__ import annotations

from flashsale.image.building import BuildError, Made, Recipe, make
from flashsale.image.context import Context
from flashsale.image.engine import Engine, connected
from flashsale.image.network import Surroundings, own_docker
from flashsale.image.pushing import PushError, Target, push
from flashsale.image.trouble import EngineError, Trouble

__all__ = [
    "BuildError",
    "Context",
    "Engine",
    "EngineError",
    "Made",
    "PushError",
    "Recipe",
    "Surroundings",
    "Target",
    "Trouble",
    "connected",
    "make",
    "own_docker",
    "push",
]
