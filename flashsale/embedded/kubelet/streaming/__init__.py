"""What goes into a running container and comes out of it, beside what it does by itself."""
