"""The kubelet: pods as real processes, with probes, restarts, graceful stop and logs.

- ``api``: the door to the cluster; ``kubelet``: a worker for every pod
- ``pod_worker``, ``pod``, ``container``: the life of a pod and of its containers
- ``state``, ``status``: what is known, and what is told of it
- ``pulling``, ``backoff``, ``probing``, ``prober``, ``probes``, ``stopping``: one concern each
- ``runtime``, ``processes``, ``lifeline``, ``guard``, ``guest/``, ``network``: processes and where
  they listen
- ``images``, ``recipe``, ``dockerfile``, ``ignore``, ``reference``: images without a registry
- ``logs``, ``logfile``: what containers said

Nothing is imported here: the command line uses ``images`` alone and must not pay for the rest.
"""
