"""The crashed: every test talks to a real server."""
