"""The times of a lost node, as this cluster has them now."""

from __future__ import annotations

from flashsale.embedded.storage.store import Store, StoreEvent
from flashsale.embedded.types.resources import CONFIG_MAPS
from flashsale.objects.node_timing import NAME, NAMESPACE, NodeTiming


def read_node_timing(store: Store) -> NodeTiming:
    """Read the cluster's ConfigMap, or take Kubernetes' defaults."""
    config_map = store.get(CONFIG_MAPS, NAMESPACE, NAME)
    return NodeTiming.read(config_map.get("data")) if config_map else NodeTiming()


def changes_timing(event: StoreEvent) -> bool:
    """Whether a write may have changed these times."""
    meta = event.object["metadata"]
    named = (meta.get("namespace"), meta["name"]) == (NAMESPACE, NAME)
    return event.resource is CONFIG_MAPS and named
