"""The four ways to change an object: JSON, merge and strategic patches, server-side apply. Pure."""
