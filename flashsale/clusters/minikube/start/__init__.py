"""Bringing a profile up and stopping it: the decision, the deed, and what a failure means."""
