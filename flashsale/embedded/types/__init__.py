"""What the API's objects are made of: types and their mistakes, normal forms, defaults, OpenAPI.

Pure. Everything that Kubernetes' own sources say is in schema.json (tools/generate_schema.py).
"""
