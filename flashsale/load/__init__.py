"""Load: purchases on a schedule, and a ledger in which every one ends as exactly one thing.

``coordinator`` carries out a ``plan`` with the processes of ``worker`` and returns a report of
``results``. This file imports nothing: the processes that send load it, too.
"""
