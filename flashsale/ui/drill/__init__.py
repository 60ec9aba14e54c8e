"""A drill in the terminal: live while it runs, and as text when it is over."""
