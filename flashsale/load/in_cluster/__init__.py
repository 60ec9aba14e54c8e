"""A crowd larger than this machine: the workers are an Indexed Job in the sale's own cluster.

``bundle`` and ``manifest`` write the Job, ``pods`` reads what became of it: all pure. ``logs``
follows one worker, ``crowd`` runs all of them and keeps the one ledger.
"""
