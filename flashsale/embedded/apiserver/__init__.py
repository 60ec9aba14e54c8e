"""HTTPS in front of the registry: what a stock kubectl and the official clients speak to.

- ``paths``: which object a URL names
- ``bodies``: what a request carries
- ``answers``: JSON, tables and Status errors
- ``reading``: get and list; ``watching``; ``writing``: create, update, patch, delete; ``logs``
- ``server``: listens, and picks one of them
"""
