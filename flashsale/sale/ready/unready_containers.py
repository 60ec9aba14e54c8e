"""Which container keeps a pod from being ready, and how it is called."""

from __future__ import annotations

from flashsale.objects.fields import Section, sections, text
from flashsale.objects.models import Pod

INIT = "Init:"  # begins the status of a pod whose init containers are not done
NO_IMAGE = ("ErrImageNeverPull", "ErrImagePull", "ImagePullBackOff", "InvalidImageName")


def unready_status(pod: Pod) -> Section:
    """The status of the first container that is not ready, init containers before the others."""
    kinds = ("initContainerStatuses", "containerStatuses")
    statuses = [status for kind in kinds for status in sections(pod.raw, "status", kind)]
    return next((status for status in statuses if not status.get("ready")), {})


def unready_container(pod: Pod) -> str:
    """Name the container that keeps a pod from being ready, if it has several; else nothing."""
    several = len(sections(pod.raw, "spec", "containers")) > 1 or pod.status.startswith(INIT)
    return text(unready_status(pod), "name") if several else ""


def subject(pod: Pod, alone: str) -> str:
    """Say whose fault it is: `the app in the pod P`, or the container of several by its name."""
    name = unready_container(pod)
    kind = "init container" if pod.status.startswith(INIT) else "container"
    return f"the {kind} {name} of the pod {pod.name}" if name else f"{alone} the pod {pod.name}"


def logs_command(pod: Pod) -> str:
    name = unready_container(pod)
    return f"flashsale logs {pod.name} -c {name}" if name else f"flashsale logs {pod.name}"


def missing_image(pod: Pod) -> str:
    """Return the image of the container that waits for one, init containers first."""
    for kind in ("initContainer", "container"):
        containers = sections(pod.raw, "spec", f"{kind}s")
        images = {container["name"]: text(container, "image") for container in containers}
        for status in sections(pod.raw, "status", f"{kind}Statuses"):
            if text(status, "state", "waiting", "reason") in NO_IMAGE:
                return images.get(status["name"], "")
    return text(pod.app_container, "image")
