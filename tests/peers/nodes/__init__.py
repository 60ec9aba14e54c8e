"""A node's life on the real controller manager, and on ours."""
