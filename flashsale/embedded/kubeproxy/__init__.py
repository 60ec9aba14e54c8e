"""Node ports: which pod gets a connection, and joining the two."""
