"""An operator: it answers for every ReplicaSet that is labelled `watched: yes`."""

import kopf

WATCHED = {"labels": {"watched": "yes"}}


@kopf.on.create("apps", "v1", "replicasets", **WATCHED)
async def created(patch, name, **_):
    """Note on the object that it was seen."""
    patch.metadata.annotations["operator/created"] = name


@kopf.on.update("apps", "v1", "replicasets", field="spec.replicas", **WATCHED)
async def scaled(patch, old, new, **_):
    """Note by how much it was scaled."""
    patch.metadata.annotations["operator/scaled"] = f"{old} to {new}"


@kopf.on.delete("apps", "v1", "replicasets", **WATCHED)
async def deleted(body, **_):
    """Say goodbye with an event; until then kopf's finalizer keeps the object."""
    kopf.info(body, reason="Seen", message="deleted")
