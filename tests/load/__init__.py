"""The crowd: every test talks to a real server."""
