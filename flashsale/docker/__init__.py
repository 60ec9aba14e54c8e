"""The only door to Docker: what goes into an image, building it, pushing it.

- ``build_context``: a folder and a Dockerfile become a deterministic archive and its digest
- ``buildkit``: what the classic builder cannot do, and how build arguments and a CA get in
- ``build_network``: proxies, package index and CA certificate of this machine, for the build
- ``engine``: the connection; ``engine_errors``: why there is none
- ``build``, ``push``: the work itself, streaming its output

Docker's SDK is synchronous: its calls run in a thread, and cancelling one ends its stream.
"""

from __future__ import annotations

from flashsale.base.image_names import RemovedImages
from flashsale.docker.build import BuildError, BuildRecipe, Made, make, remove_images
from flashsale.docker.build_context import BuildContext
from flashsale.docker.build_network import Surroundings, own_docker
from flashsale.docker.engine import Engine, connected
from flashsale.docker.engine_errors import EngineError, EngineProblem
from flashsale.docker.push import PushError, PushTarget, push

__all__ = [
    "BuildContext",
    "BuildError",
    "BuildRecipe",
    "Engine",
    "EngineError",
    "EngineProblem",
    "Made",
    "PushError",
    "PushTarget",
    "RemovedImages",
    "Surroundings",
    "connected",
    "make",
    "own_docker",
    "push",
    "remove_images",
]
