"""Pods: what is known of one, the work on it, and its status."""
