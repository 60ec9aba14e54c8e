"""HTTP/1.1 as a buyer speaks it: a connection, and reading what comes back on it."""
