"""A minikube profile as a cluster, and the Docker daemon inside its node.

minikube is a program for people: its texts are translated and its exit codes are not always
honest. So only its machine-readable answers are read, and what it says it did is checked.

- ``cli``: calling it; ``home``: its own folder, and whose it is
- ``profile``: what it knows about a profile, that in words, and what else is at work on it
- ``current_context``: the user's kubeconfig, left as it was
- ``start``: what a state asks for, doing that, and what a failure means
- ``image``: how the sale's image gets into the node
- ``service_url``: an address that works from here; ``kill_container``: a crash, by its Docker
- ``cluster``: all of it as a `Cluster`

Behaviour was read in minikube's source at the time of v1.38 and v1.39, and recorded from the real
program; the names of its files are given where a fact is surprising.
"""

from __future__ import annotations

from flashsale.clusters.minikube.cli import is_installed
from flashsale.clusters.minikube.cluster import MinikubeCluster
from flashsale.clusters.minikube.profile.profile import ProfileState, read_profile_state
from flashsale.clusters.minikube.profile.usability import is_usable

__all__ = ["MinikubeCluster", "ProfileState", "is_installed", "is_usable", "read_profile_state"]
