"""The process that sends. It imports the standard library and itself alone."""
