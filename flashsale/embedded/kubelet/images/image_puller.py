"""Waiting for an image (pkg/kubelet/images/image_manager.go).

The embedded cluster has no registry, so a pull always fails, with the real back-off and the real
events. One thing is quicker: a container that waits for an image starts as soon as it is built.
"""

from __future__ import annotations

import asyncio

from flashsale.base.image_names import InvalidImageNameError
from flashsale.embedded.kubelet.images.image_store import NodeImage
from flashsale.embedded.kubelet.pods.pod import KubeletPod
from flashsale.objects.models import Object

NO_REGISTRY = "the embedded cluster has no registry; images come from flashsale up"
ALWAYS = "; with imagePullPolicy Always the one on the node is not taken: write IfNotPresent"
SYNC = 1.0  # seconds between two looks at a pod that waits
SLOW_SYNC = 12.0  # seconds between two such looks once it waits for long
BACK_OFF, BACK_OFF_CAP = 10.0, 300.0
_LOOK = 0.5  # seconds between two looks for the image


class ImagePuller:
    """Gets one container its image."""

    def __init__(self, spec: Object, pod: KubeletPod) -> None:
        self._name: str = spec["name"]
        self._image: str = spec.get("image") or ""
        policy = spec.get("imagePullPolicy")
        self._never, self._always = policy == "Never", policy == "Always"
        self._why = f"{NO_REGISTRY}{ALWAYS if self._always else ''}"
        self._pod = pod

    async def ready(self) -> NodeImage:
        """Return the image as soon as it is there; the status says why it is not."""
        try:
            image = self._find()
        except InvalidImageNameError as error:
            await self._invalid(error)
            raise AssertionError("a malformed name stays malformed") from error
        if image is None:
            image = await (self._refused() if self._never else self._pulled())
        suffix = "already present on machine and can be accessed by the pod"
        self._record("Pulled", f'Container image "{self._image}" {suffix}')
        return image

    def _find(self) -> NodeImage | None:
        image = self._pod.tools.images.get(self._image)
        return None if self._always else image

    async def _appears(self, seconds: float) -> NodeImage | None:
        """Look for the image for so many seconds."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (left := deadline - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(_LOOK, left))
            if image := self._find():
                return image
        return None

    async def _refused(self) -> NodeImage:
        """Never pull: the same two events at every sync."""
        message = f'Container image "{self._image}" is not present with pull policy of Never'
        syncs = 0
        while True:
            self._warn("ErrImageNeverPull", message)
            self._warn("Failed", "Error: ErrImageNeverPull")
            self._wait("ErrImageNeverPull", message)
            if image := await self._appears(SYNC if syncs < 2 else SLOW_SYNC):
                return image
            syncs += 1

    async def _pulled(self) -> NodeImage:
        """Try to pull, fail, wait twice as long, try again."""
        delay = BACK_OFF
        while True:
            self._record("Pulling", f'Pulling image "{self._image}"')
            self._warn("Failed", f'Failed to pull image "{self._image}": {self._why}')
            self._warn("Failed", "Error: ErrImagePull")
            self._wait("ErrImagePull", self._why)
            for pause in (SYNC, SYNC, delay - 2 * SYNC):
                if image := await self._appears(pause):
                    return image
                if pause == SYNC:
                    self._backing_off()
            delay = min(2 * delay, BACK_OFF_CAP)

    def _backing_off(self) -> None:
        text = f'Back-off pulling image "{self._image}"'
        self._record("BackOff", text)
        self._warn("Failed", "Error: ImagePullBackOff")
        self._wait("ImagePullBackOff", f"{text}: ErrImagePull: {self._why}")

    async def _invalid(self, error: InvalidImageNameError) -> None:
        text = f'couldn\'t parse image name "{self._image}": {error}'
        message = f'Failed to apply default image tag "{self._image}": {text}'
        while True:
            self._warn("InspectFailed", message)
            self._warn("Failed", "Error: InvalidImageName")
            self._wait("InvalidImageName", message)
            await asyncio.sleep(SLOW_SYNC)

    def _wait(self, reason: str, message: str) -> None:
        self._pod.put(self._pod.state.get(self._name).waiting(reason, message))

    def _warn(self, reason: str, message: str) -> None:
        self._pod.record("Warning", reason, message, self._name)

    def _record(self, reason: str, message: str) -> None:
        self._pod.record("Normal", reason, message, self._name)
