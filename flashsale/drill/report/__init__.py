"""A drill as one JSON document, and two such documents set side by side."""
