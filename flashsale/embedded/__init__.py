"""The embedded cluster: a small Kubernetes for one machine, in one process.

It knows nothing of the sale: it serves the API that the exercise needs, and runs what it is told.

- ``store``: objects in SQLite, one resourceVersion counter, history for watches
- ``registry``: what the API server does to an object: defaults, validation, graceful deletion
- ``types/``, ``selecting/``, ``patching/``, ``validation/``, ``printing/``: API machinery, all pure
- ``api/``: HTTPS in front of the registry: discovery, lists, watches, patches, tables, logs
- ``controllers/``: ReplicaSet, garbage collection, EndpointSlices, scheduler: pure plans
- ``kubelet/``: pods as real processes: images, probes, restarts, graceful stop, logs
- ``proxy``: node ports: a random ready pod for every new connection
- ``cluster``: wires all of it; ``python -m flashsale.embedded`` runs it, ``launch`` starts that

Everything runs on one event loop, and every call into the registry is synchronous. So a read that
is followed by a write without an ``await`` between them is atomic, and no locks are needed.
"""
