"""The same tour with each client library: create, list, watch, patch, scale, apply, delete.

They want the extra `clients`; a library that is not installed is skipped.
"""
