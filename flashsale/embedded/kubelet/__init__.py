"""The kubelet: pods as real processes, with probes, restarts, graceful stop and logs.

- ``kubelet``: a worker for every pod; ``pod_api``: the door to the cluster
- ``pods/``: the life of a pod, what is known of it, and what its status says
- ``runtime/``: containers: their files and root, their processes, how they stop, where they listen
- ``prober/``: probes as values, and asking them
- ``images/``: images without a registry, made from an app folder and its Dockerfile
- ``logs/``: what containers said

Nothing is imported here: the command line uses ``images`` alone and must not pay for the rest.
"""
