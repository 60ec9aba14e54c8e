"""Images of the node: reading Dockerfiles, following them, packages, and the store."""
