"""The drill: load while it scales and kills, and a verdict on what that cost.

:func:`flashsale.drill.runner.run` carries out a :class:`flashsale.drill.scenario.Scenario` and
returns a :class:`flashsale.drill.result.DrillResult`. What is judged afterwards, in ``analysis``,
is pure: the cause of each loss, what scaling brought, whether each pod got its share.
"""
