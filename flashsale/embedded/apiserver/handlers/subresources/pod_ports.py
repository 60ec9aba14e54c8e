"""What port-forwarding asks of a kubelet, in whatever protocol a client speaks."""

from __future__ import annotations

import asyncio
from typing import Protocol

from flashsale.objects.models import Object

BLOCK = 32 * 1024  # bytes that are read at once
PodConnection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class PodPorts(Protocol):
    """The ports of the pods of all nodes."""

    async def dial(self, pod: Object, port: int) -> PodConnection:
        """Connect to a port of a pod.

        Raises:
            NodeError: the pod is not there any more, or nobody listens.
            StatusError: its node does not answer.
        """


def forward_error(pod: Object, port: int, error: Exception) -> str:
    """Say as a kubelet does why there is no connection."""
    meta = pod["metadata"]
    return f"error forwarding port {port} to pod {meta['name']}, uid {meta['uid']}: {error}"
