"""The browser's view of a sale: server, stream, actions, one page; it has no logic of the sale.

``follow`` keeps a sale's state through whatever happens to its cluster, ``page_document`` writes
that state down for the page, ``page_stream`` sends what changed in it, ``actions`` does what
buttons ask for with the code of the commands, ``security`` decides who is answered, and
``web_server`` joins them.
"""
