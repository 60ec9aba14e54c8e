"""The log subresource of a pod."""

from __future__ import annotations

from dataclasses import dataclass

from flashsale.model import Object

WAITING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Whose log."""

    pod: Object
    container: str
