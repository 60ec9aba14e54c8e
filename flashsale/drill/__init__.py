"""The drill: load while it scales and kills, and a verdict on what that cost.

:func:`flashsale.drill.runner.run` carries out a :class:`flashsale.drill.scenario.Scenario` and
returns an :class:`flashsale.drill.result.Outcome`. What is judged afterwards (who is to blame for
a loss, what scaling brought, whether each pod got its share) is pure, one module each.
"""
