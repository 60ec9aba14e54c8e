"""Reading a Dockerfile and its `.dockerignore`. Nothing is executed here."""
