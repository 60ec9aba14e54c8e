"""How an image gets into a profile: by its Docker, by this machine's Docker, or by minikube."""

from __future__ import annotations

from typing import Literal

from flashsale.clusters.minikube.profile.profile import Profile

Route = Literal["engine", "host", "node"]


def image_route(profile: Profile) -> tuple[Route, str]:
    """Choose the way for a profile, with a sentence where it is not the usual one."""
    name, runtime = profile.name, profile.runtime
    if profile.driver == "none":
        return "host", "Driver 'none': using this machine's Docker."
    if len(profile.nodes) > 1:
        return "node", (
            f"'{name}' has {len(profile.nodes)} nodes, and docker-env serves one:"
            " building on each with `minikube image build --all`."
        )
    if runtime != "docker":
        return "node", (
            f"'{name}' uses {runtime}: building with `minikube image build`."
            " For the Docker API recreate with --container-runtime=docker."
        )
    return "engine", ""
