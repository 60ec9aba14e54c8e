"""Containers as processes: files and root, the shim above each, addresses, and how they stop."""
