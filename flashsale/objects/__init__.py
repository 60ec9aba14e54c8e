"""API objects read as values: models, columns as kubectl prints them, parts that may be missing."""
