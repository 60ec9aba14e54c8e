"""The stream of observations is tested on the API server that the watch is tested on."""

from tests.kube.list_watch.conftest import api, cluster

__all__ = ["api", "cluster"]
