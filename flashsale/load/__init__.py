"""The crowd: buyers on a schedule, and a ledger in which every purchase ends as exactly one thing.

:func:`flashsale.load.coordinator.run` carries out a :class:`flashsale.load.plan.LoadPlan` and
returns a :class:`flashsale.load.results.Report`. It imports nothing: the
processes that send load it, too.
"""
