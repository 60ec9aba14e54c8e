"""The API server: from an HTTP request to the stored object and back.

- ``server`` listens and picks what answers; ``authentication`` lets nobody in without a certificate
- ``handlers``: reads, writes, watches, logs, what a body says and what an answer looks like
- ``registry``: defaults, admission, validation, node ports, graceful deletion
- ``discovery``: what is served
"""
