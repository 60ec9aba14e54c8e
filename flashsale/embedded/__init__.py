"""The embedded cluster: a small Kubernetes for one machine, in one process.

It knows nothing of the sale: it serves the API that the exercise needs, and runs what it is told.

- ``types``, ``validation``, ``selectors``, ``patching``, ``printers``: API machinery, all pure
- ``storage``: objects in SQLite, one resourceVersion counter, history for watches
- ``apiserver``: HTTPS, and what the API server does to an object between a request and the store
- ``controllers``, ``scheduler``: ReplicaSets, slices, namespaces, garbage, where a pod may run
- ``kubelet``: pods as real processes: images, probes, restarts, graceful stop, logs
- ``kubeproxy``: node ports: a random ready pod for every new connection
- ``process``: wires all of it, runs it apart from the terminal, finds it again

Everything runs on one event loop, and every call into the registry is synchronous. So a read that
is followed by a write without an ``await`` between them is atomic, and no locks are needed.
"""
