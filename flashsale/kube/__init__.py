"""The only door to the Kubernetes API; the official client is imported nowhere else.

- ``connection``: one connection to one context, plain JSON in and out
- ``transport``: how requests travel: ``official`` by the client, ``plain`` where less will do
- ``failures``: what can go wrong there, as errors with a sentence and a hint
- ``paths``: where objects live in the API
- ``applying``: what `kubectl apply` does, for our two objects
- ``contexts``: what a kubeconfig says, read without the client
- ``watching``: lists and watches that survive whatever the network does; its types in ``news``

Speed decides the shape. Importing the typed APIs costs about half a second; the plain `ApiClient`
0.2 s; its asyncio twin 0.15 s more. So single requests go through the plain one in a thread, or
past it where a context needs none of its skills, and aiohttp is imported only when something is
watched.
"""

from flashsale.kube.api import Api, connect
from flashsale.kube.errors import ApiError, ConflictError, GoneError, NotFoundError

__all__ = ["Api", "ApiError", "ConflictError", "GoneError", "NotFoundError", "connect"]
