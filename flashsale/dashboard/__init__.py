"""The browser's view of a sale: server, stream, actions, one page; it has no logic of the sale.

``follow`` keeps a sale's state through whatever happens to its cluster, ``view`` writes that state
as one document, ``stream`` sends what changed in it, ``actions`` does what buttons ask for with the
code of the commands, ``security`` decides who is answered, and ``server`` joins them.
"""
