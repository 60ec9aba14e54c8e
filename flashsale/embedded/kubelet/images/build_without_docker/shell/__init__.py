"""A RUN's script: its grammar, the words of its commands, and what those answer."""
