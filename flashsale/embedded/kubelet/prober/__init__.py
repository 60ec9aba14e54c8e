"""Probes: what to ask, when, and what the answers come to."""
