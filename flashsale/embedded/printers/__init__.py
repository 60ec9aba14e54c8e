"""Server-side tables: what kubectl prints. Pure."""
