"""What the API tells about its kinds and fields: OpenAPI documents, made from schema.json."""
