"""Nodes that are heard of no longer (pkg/controller/nodelifecycle)."""
