"""What can be typed behind a command: options that several share, and how they are read."""
