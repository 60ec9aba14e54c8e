"""What the API's objects are made of: types and their mistakes, normal forms, defaults, OpenAPI.

Pure, and free of the official client: its models are read at development time, into schema.json.
"""
