"""The scheduler: which nodes a pod fits on, which of them is best, and why none is (pkg/scheduler).

- ``snapshot``: the cluster as one decision sees it
- ``filters``, ``scores``: the plugins of v1.36's default profile, in their order and weights
- ``node_rules``, ``node_resources``, ``pod_affinity``, ``topology_spread``: what these compute
- ``placement``: one decision, and how a failed one is worded
- ``scheduler``: binds pods, and tries those again that fitted nowhere

All but ``scheduler`` is pure.
"""
