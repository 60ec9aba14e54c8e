"""Images of the node: building them without Docker, their packages, pulling, and the store."""
