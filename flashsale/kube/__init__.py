"""The only door to the Kubernetes API; the official client is imported nowhere else.

- ``api``: one connection to one context, plain JSON in and out
- ``transport``: how requests travel: by the official client, or by the standard library alone
- ``response_errors``: what can go wrong there, as errors with a sentence and a hint
- ``paths``: where objects live in the API
- ``apply``: what `kubectl apply` does, for our two objects; ``exec``: a command in a container
- ``kubeconfig``: what a kubeconfig says, read without the client; ``credentials``: why one of its
  contexts cannot be used
- ``list_watch``: lists and watches that survive whatever the network does; ``watch_types``

Speed decides the shape. Importing the typed APIs costs about half a second; the plain `ApiClient`
0.2 s; its asyncio twin 0.15 s more. So single requests go through the plain one in a thread, or
past it where a context needs none of its skills, and aiohttp is imported only when something is
watched.
"""

from flashsale.kube.api import Api, connect
from flashsale.kube.response_errors import (
    REFUSALS,
    ApiError,
    ConflictError,
    GoneError,
    NoAnswerError,
    NotFoundError,
)

__all__ = [
    "REFUSALS",
    "Api",
    "ApiError",
    "ConflictError",
    "GoneError",
    "NoAnswerError",
    "NotFoundError",
    "connect",
]
