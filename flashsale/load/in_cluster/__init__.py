"""A crowd larger than this machine: the workers are an Indexed Job in the sale's own cluster.

``bundle`` and ``job_manifest`` write the Job, ``pods`` reads what became of it: all pure. ``crowd``
makes the Job and removes it; between the two ``cluster_run`` keeps the one ledger: ``startup``
waits until all can begin, ``signals`` tells them to, ``worker_logs`` follows each.
"""
