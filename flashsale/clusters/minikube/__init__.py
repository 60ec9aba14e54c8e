"""The exercise's own road: a single-node minikube and the Docker daemon inside it.

minikube is a program for people: its texts are translated and its exit codes are not always
honest. So only its machine-readable answers are read, and what it says it did is checked.

- ``binary``: calling it; ``events``, ``state``: reading it; ``failures``: what its codes mean
- ``deciding``: what a state asks for, as a pure table; ``starting``: doing that; ``stopping``
- ``elsewhere``: whether somebody else does something to the profile just now
- ``following``: progress and signs of life of what takes minutes
- ``dockerenv``: its Docker daemon through the SDK; ``imagebuild``: where there is none to reach;
  ``images``: what the nodes have
- ``crashing``: killing a container's process through the node's Docker
- ``reaching``: an address that works from here; ``kubeconfig``: the user's file, left as it was
- ``cluster``: all of it as a `Cluster`; ``usable``: whether that makes sense on this machine

Behaviour was read in minikube's source at the time of v1.38 and v1.39; the names of its files are
given where a fact is surprising.
"""

from __future__ import annotations

from flashsale.clusters.minikube.availability import usable
from flashsale.clusters.minikube.cli import installed, missing
from flashsale.clusters.minikube.cluster import MinikubeCluster
from flashsale.clusters.minikube.profile import ProfileState, profile_state

__all__ = ["MinikubeCluster", "ProfileState", "installed", "missing", "profile_state", "usable"]
