"""The live view of `watch`: what is known (``view_model``), how it is drawn (``layout``,
``pod_table``, ``pod_details``), the terminal (``screen``), and what keys do
(``keys``). ``plain_output`` is for where there is no screen, ``inline`` for other commands.
"""
