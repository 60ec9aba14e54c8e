"""The real kube-scheduler: what it answers for generated clusters, and ours held to it."""
