"""The drill: load while the sale scales and its pods are killed, and a verdict on what that cost.

``runner`` carries out a ``scenario`` by its ``steps`` and returns a ``result``. ``analysis`` is
pure and draws the conclusions: the cause of each loss, what scaling brought, whether each pod got
its share. ``report`` writes both down as the one document that everything shown is made from.
"""
