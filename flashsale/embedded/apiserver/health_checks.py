"""The names of a real API server's health checks, v1.36: scripts ask for some of them.

The embedded cluster is one process: if it answers, each of these is well. It has no etcd.
"""

_HOOKS = (
    "start-apiserver-admission-initializer", "generic-apiserver-start-informers",
    "priority-and-fairness-config-consumer", "priority-and-fairness-filter",
    "storage-object-count-tracker-hook", "start-apiextensions-informers",
    "start-apiextensions-controllers", "crd-informer-synced", "start-system-namespaces-controller",
    "peer-endpoint-reconciler-controller", "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector", "storage-readiness",
    "start-legacy-token-tracking-controller", "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles", "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer", "bootstrap-controller",
    "start-kubernetes-service-cidr-controller", "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller", "apiservice-status-remote-available-controller",
    "apiservice-registration-controller", "apiservice-discovery-controller",
    "kube-apiserver-autoregistration", "autoregister-completion", "apiservice-openapi-controller",
    "apiservice-openapiv3-controller",
)  # fmt: skip
_STARTED = tuple(
    hook if hook == "autoregister-completion" else f"poststarthook/{hook}" for hook in _HOOKS
)
LIVE = ("ping", "log", "loopback-serving-certificate", *_STARTED)
READY = ("ping", "log", "informer-sync", *_STARTED, "shutdown")
