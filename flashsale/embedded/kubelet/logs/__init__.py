"""What containers said: the files, and reading them as kubectl logs does."""
