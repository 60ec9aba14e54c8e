"""Which profiles flashsale began to make and never finished.

An interrupted first start leaves a cluster that minikube calls complete ever after, though it has
no network, no kube-proxy and no DNS. So the beginning is noted, and the note goes with the end:
what was cut off, by whatever, is begun anew from `minikube delete`. There is nothing in it to lose.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flashsale.clusters.minikube import home as minikube_home
from flashsale.clusters.state import directory


@contextmanager
def note_unfinished(home: Path, profile: str) -> Iterator[None]:
    """Note that a profile is being made; the note stays unless this ends without an error."""
    directory.put(home, _name(profile), f"{minikube_home.folder()}\n")
    yield
    forget_unfinished(home, profile)


def was_cut_off(home: Path, profile: str) -> bool:
    """Whether the making of this profile, in this folder of minikube's, never ended."""
    try:
        return (home / _name(profile)).read_text().strip() == str(minikube_home.folder())
    except (OSError, ValueError):
        return False


def forget_unfinished(home: Path, profile: str) -> None:
    (home / _name(profile)).unlink(missing_ok=True)


def _name(profile: str) -> str:
    return f"unfinished-{profile}"
